from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.base.seal import unsealed
from ..models.escalation import cases as escalating
from ..models.escalation.path import DEFAULT_PATH
from .common import GTIN_13, ExceptionCommon, Handheld, photo


@tagged("post_install", "-at_install")
class TestEscalation(ExceptionCommon):
    """What stands too long is told to somebody, once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.escalations = cls.env["warehouse.exception.escalation"]
        cls.policy = cls.env["warehouse.exception.policy"].search([("exception_type", "=", "overage")])
        cls.policy.user_id = cls.as_investigate
        cls.policy.team_id = cls.env["warehouse.exception.team"].create({"name": "Day", "leader_id": cls.as_close.id})
        cls.warehouse.exception_lead_id = cls.as_release
        cls.company.exception_repeat_cases = 0

    @contextmanager
    def commits(self, seconds=1):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: seconds):
            yield

    def escalate(self):
        before = self.escalations.search([])
        with self.commits():
            self.escalations._cron_escalate()
        return (self.escalations.search([]) - before).sorted("id")

    def _case(self, kind="overage", hours=0, handheld=None, **data):
        event = (handheld or self.handheld).event(
            kind, item={"code": GTIN_13}, quantity={"expected": "8", "counted": "5"}, **data
        )
        case = self.opened(event)
        return self.aged(case, hours)

    def aged(self, case, hours):
        moment = fields.Datetime.now() - timedelta(hours=hours)
        unsealed(case).write({"received_at": moment, "open_since": moment})
        if case.policy_id:
            unsealed(case).write({"deadline_at": moment + timedelta(hours=case.policy_id.deadline_hours)})
        return case

    def _told(self, escalations):
        return [(each.trigger, each.level, each.user_ids.name) for each in escalations]

    # --- cases

    def test_every_policy_begins_with_a_path(self):
        for policy in self.env["warehouse.exception.policy"].search([]):
            path = [(step.trigger, step.after_hours, step.level, step.to) for step in policy.escalation_ids]
            self.assertEqual(sorted(path), sorted(DEFAULT_PATH), policy.display_name)
        self.assertIn(("aging", 48, 1, "owner"), DEFAULT_PATH)

    def test_a_case_that_stands_for_two_days_is_told_to_its_owner_and_then_to_the_lead(self):
        self.policy.deadline_hours = 1000
        case = self._case(hours=47)
        self.assertFalse(self.escalate())
        self.aged(case, 49)
        told = self.escalate()
        self.assertEqual(self._told(told), [("aging", 1, "only investigate")])
        self.assertEqual(case.escalation_ids, told)
        self.assertFalse(self.escalate())
        todo = case.activity_ids.filtered(lambda todo: todo.user_id == self.as_investigate)
        self.assertIn(case.name, todo.summary)
        self.assertIn("Escalated (level 1)", str(case.message_ids[0].body))
        self.aged(case, 97)
        self.assertEqual(self._told(self.escalate()), [("aging", 1, "only investigate"), ("aging", 2, "only release")])

    def test_what_is_finished_is_not_escalated_and_what_is_opened_again_counts_anew(self):
        self.policy.deadline_hours = 1000
        case = self._case(hours=100)
        case.with_user(self.as_investigate).action_cancel("a mistake")
        self.assertFalse(self.escalate())
        case = self._case(hours=100)
        self.env["warehouse.exception.action"]._propose(case, "accept")
        case.with_user(self.as_investigate).action_submit()
        case.approval_ids[0].with_user(self.as_approve).action_refuse("no")
        case.with_user(self.as_override).action_reopen("yes, it is")
        self.assertLess(fields.Datetime.now() - case.open_since, timedelta(minutes=1))
        self.assertFalse(self.escalate().filtered(lambda each: each.case_id == case))

    def test_a_missed_deadline_goes_to_the_leader(self):
        self.policy.deadline_hours = 8
        self._case(hours=9)
        self.assertEqual(self._told(self.escalate()), [("deadline", 1, "only close")])

    def test_a_decision_that_is_not_taken_goes_to_the_leader(self):
        self.policy.deadline_hours = 1000
        case = self._case()
        self.env["warehouse.exception.action"]._propose(case, "accept")
        case.with_user(self.as_investigate).action_submit()
        self.assertFalse(self.escalate())
        unsealed(case.approval_ids).write({"asked_at": fields.Datetime.now() - timedelta(hours=25)})
        self.assertEqual(self._told(self.escalate()), [("approval", 1, "only close")])
        self.decide_all(case)
        unsealed(case.approval_ids).write({"asked_at": fields.Datetime.now() - timedelta(hours=99)})
        self.assertFalse(self.escalate())

    def test_evidence_that_does_not_come_goes_to_the_owner(self):
        self.policy.deadline_hours = 1000
        self._case(hours=25)
        case = self._case(hours=25, photos=[photo(b"never sent")])
        required = self._case(hours=25)
        required.policy_id.write({"evidence_ids": [(0, 0, {"kind": "label", "minimum": 1})]})
        told = self.escalate()
        self.assertEqual(set(told.mapped("trigger")), {"evidence"})
        self.assertLessEqual(case | required, told.case_id)

    def test_only_evidence_that_is_missing_is_escalated(self):
        self.policy.deadline_hours = 1000
        complete = self._case(hours=25, photos=[photo(b"sent")])
        self.env["warehouse.exception.evidence"]._receive(self.device, photo(b"sent")["sha256"], 0, None, b"sent")
        self.assertTrue(complete.evidence_ids.complete)
        self.assertFalse(self.escalate())

    def test_what_stays_in_quarantine_is_told_from_when_it_came_there(self):
        self.policy.deadline_hours = 1000
        self.policy.escalation_ids.filtered(lambda step: step.trigger == "quarantine").after_hours = 2
        case = self._case(hours=3)
        self.assertFalse(self.escalate(), "nothing is in quarantine")
        for hours in (1, 3):
            since = fields.Datetime.now() - timedelta(hours=hours)
            unsealed(case).write({"quarantine_open": 3, "quarantine_since": since})
            told = [("quarantine", 1, "only release")] if hours > 2 else []
            self.assertEqual(self._told(self.escalate()), told)
        self.assertEqual(case.escalation_ids.trigger, "quarantine")

    def test_a_case_that_waits_to_be_mapped_gets_a_policy_and_ages(self):
        case = self.aged(self.opened(self.handheld.event("overage", item={"code": "unheard of"})), 50)
        self.assertEqual((case.state, case.policy_id.ids), ("needs_mapping", []))
        told = self.escalate()
        self.assertEqual(case.policy_id, self.policy)
        self.assertEqual(case.deadline_at, case.received_at + timedelta(hours=self.policy.deadline_hours))
        self.assertIn(("aging", 1, "only close"), self._told(told.filtered(lambda each: each.case_id == case)))

    def test_where_nobody_is_named_it_is_written_down_that_nobody_was_told(self):
        self.policy.write({"user_id": False, "team_id": False, "deadline_hours": 1000})
        self.warehouse.exception_lead_id = self.user("no member", "stock.group_stock_user")
        self._case(hours=50)
        told = self.escalate()
        self.assertEqual((told.nobody, told.user_ids.ids), (True, []))

    def test_a_person_that_the_path_names_is_told(self):
        self.policy.deadline_hours = 1000
        first = self.policy.escalation_ids.filtered(lambda step: (step.trigger, step.level) == ("aging", 1))
        first.with_user(self.as_manager).write({"to": "user", "user_id": self.as_audit.id, "after_hours": 1})
        self._case(hours=2)
        self.assertEqual(self._told(self.escalate()), [("aging", 1, "only audit")])

    def test_another_worker_that_was_faster_leaves_nothing_twice(self):
        self.policy.deadline_hours = 1000
        case = self._case(hours=50)
        rows = [(case.id, self.policy.escalation_ids.filtered(lambda s: s.trigger == "aging")[0].id, case.open_since)]
        first = self.escalations._write_down("aging", rows)
        with mute_logger("odoo.sql_db"):
            second = self.escalations._write_down("aging", rows)
        self.assertEqual((len(first), len(second), len(case.escalation_ids)), (1, 0, 1))
        self.assertEqual(len(case.activity_ids.filtered(lambda todo: todo.summary == first.name)), 1)

    def test_a_run_is_bounded_and_stops_when_its_time_is_over(self):
        self.policy.deadline_hours = 1000
        for _number in range(5):
            self._case(hours=50)
        with patch.object(escalating, "AT_ONCE", 2), patch.object(escalating, "BATCHES", 2):
            self.assertEqual(len(self.escalate()), 4)
            self.assertEqual(len(self.escalate()), 1)
        with self.commits(0):
            self._case(hours=50)
            self.escalations._cron_escalate()
        self.assertEqual(len(self.escalations.search([("trigger", "=", "aging")])), 5)

    def test_the_jobs_run_as_they_are_set_up(self):
        self.policy.deadline_hours = 1000
        case = self._case(hours=50)
        for name in ("cron_escalate", "cron_retain", "cron_outbox"):
            cron = self.env.ref(f"warehouse_exception.{name}")
            with self.commits():
                cron.ir_actions_server_id.run()
            self.assertTrue(cron.active)
        self.assertEqual(case.escalation_ids.trigger, "aging")

    def test_the_queries_do_not_grow_with_the_cases(self):
        self.policy.deadline_hours = 1000
        if "base.automation" in self.env:  # each mail that a rule writes has queries of its own
            self.env["base.automation"].search([]).active = False
        counts = []
        for number in (3, 3, 30):  # the first fills caches
            for _number in range(number):
                self._case(hours=50)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.escalate()), number)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + 3, counts)

    # --- what no single case shows

    def test_the_same_product_and_bin_and_operator_again_and_again_are_told_once_in_the_window(self):
        self.company.write({"exception_repeat_cases": 3, "exception_repeat_days": 7})
        for _number in range(2):
            self._case(bin={"code": "EXT-A-03-02"}, operator={"badge": "B-7"})
        self.assertFalse(self.escalate())
        self._case(bin={"code": "EXT-A-03-02"}, operator={"badge": "B-7"})
        told = self.escalate()
        found = {each.trigger: each for each in told}
        self.assertEqual(set(found), {"repeat_product", "repeat_bin", "repeat_operator"}, told.mapped("name"))
        self.assertEqual(found["repeat_product"].product_id, self.product)
        self.assertEqual(found["repeat_bin"].location_id, self.bin)
        self.assertEqual(found["repeat_operator"].operator_badge, "B-7")
        self.assertEqual(told.user_ids, self.as_release)
        self.assertEqual(told.activity_ids.user_id, self.as_release)
        self._case(bin={"code": "EXT-A-03-02"}, operator={"badge": "B-7"})
        self.assertFalse(self.escalate())
        self.env.cr.execute(
            "UPDATE warehouse_exception_escalation SET at = at - interval '8 days', key = key || '-old'"
        )
        self.escalations.invalidate_model()
        self.assertEqual(set(self.escalate().mapped("trigger")), set(found))

    def test_a_supplier_whose_deliveries_are_wrong_again_and_again_is_told(self):
        self.company.write({"exception_repeat_cases": 2, "exception_repeat_days": 7})
        supplier = self.env["res.partner"].create({"name": "Fjord"})
        receipt = self.picking(
            name="EXT/IN/1",
            picking_type_id=self.warehouse.in_type_id.id,
            partner_id=supplier.id,
            location_id=self.env.ref("stock.stock_location_suppliers").id,
            location_dest_id=self.warehouse.lot_stock_id.id,
        )
        cases = self._case() | self._case()
        cases.write({"picking_id": receipt.id})
        told = self.escalate().filtered(lambda each: each.trigger == "repeat_supplier")
        self.assertEqual((told.partner_id, told.number), (supplier, 2))

    def test_repeats_can_be_switched_off(self):
        self.company.exception_repeat_cases = 1
        self.company.exception_repeat_days = 0
        self._case()
        self.assertFalse(self.escalate())

    def test_what_an_operator_repeats_is_not_for_everybodys_eyes(self):
        self.company.write({"exception_repeat_cases": 1, "exception_repeat_days": 7})
        self._case(operator={"badge": "B-7"})
        self.assertIn("repeat_operator", self.escalate().mapped("trigger"))
        for user, sees in (
            (self.as_user, False),
            (self.as_manager, True),
            (self.as_audit, True),
            (self.as_release, True),
        ):
            seen = self.escalations.with_user(user).search([("trigger", "=", "repeat_operator")])
            self.assertEqual(bool(seen), sees, user.name)

    # --- devices

    def _seen(self, device, hours):
        unsealed(device).write({"last_seen": fields.Datetime.now() - timedelta(hours=hours)})

    def test_a_device_that_is_silent_while_others_report_is_told_once(self):
        other = self.enrolled(Handheld("other"))
        self._seen(self.device, 5)
        self._seen(other, 5)
        self.assertFalse(self.escalate(), "the whole warehouse is closed")
        self._seen(other, 0)
        told = self.escalate()
        self.assertEqual((told.trigger, told.device_id, told.user_ids), ("silent", self.device, self.as_release))
        self._seen(other, -1)
        self.assertFalse(self.escalate())
        self._seen(self.device, 4.5)
        self.assertEqual(self.escalate().device_id, self.device)

    def test_a_gap_and_a_contradiction_in_a_chain_are_told_once_each(self):
        self.receive(self.handheld.event())
        self.handheld.event()
        case = self.case_of(self.handheld.event())
        self.assertFalse(self.escalate())
        unsealed(case.event_ids).write({"received_at": fields.Datetime.now() - timedelta(days=2)})
        told = self.escalate()
        self.assertEqual((told.trigger, told.device_id), ("gap", self.device))
        self.assertFalse(self.escalate())
        self.handheld.sequence -= 1
        self.receive(self.handheld.event())
        self.assertEqual(self.escalate().trigger, "broken")
        self.assertFalse(self.escalate())

    # --- who may do what

    def test_nobody_writes_or_removes_an_escalation(self):
        self._case(hours=100)
        told = self.escalate()[0]
        values = {"name": "x", "key": "x", "trigger": "aging", "since": "2026-01-01", "company_id": self.company.id}
        for user in (self.as_user, self.as_manager, self.as_override):
            with self.assertRaises(AccessError):
                self.escalations.with_user(user).create(values)
            with self.assertRaises(AccessError):
                told.with_user(user).write({"level": 9})
            with self.assertRaises(AccessError):
                told.with_user(user).unlink()
        for change in (lambda: told.write({"level": 9}), told.unlink, lambda: self.escalations.create(values)):
            with self.assertRaises(AccessError):
                change()
        with self.assertRaises(AccessError):
            told.case_id.with_user(self.as_investigate).write({"open_since": fields.Datetime.now()})

    def test_only_a_manager_changes_a_path(self):
        step = self.policy.escalation_ids[0]
        for role in (*self.ROLES, "user"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                step.with_user(getattr(self, f"as_{role}")).write({"after_hours": 1})
        step.with_user(self.as_manager).write({"after_hours": 1})
        self.assertEqual(step.after_hours, 1)
