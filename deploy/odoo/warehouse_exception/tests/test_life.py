from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models.base.seal import unsealed
from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestLife(ExceptionCommon):
    """The one canonical life of a case, each step by somebody who has that role and no other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 100
        cls.actions = cls.env["warehouse.exception.action"]

    def _case(self, counted="5", **data):
        event = self.handheld.event(
            "overage", item={"code": GTIN_13}, quantity={"expected": "8", "counted": counted}, **data
        )
        case = self.opened(event)
        self.assertEqual(case.state, "open")
        return case

    def _planned(self, **data):
        case = self._case(**data)
        unsealed(case._live_actions()).write({"state": "withdrawn"})
        self.actions._propose(case, "accept")
        return case

    def _submitted(self, **data):
        case = self._planned(**data)
        case.with_user(self.as_investigate).action_submit()
        return case

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()

    def test_a_case_goes_all_the_way_and_each_step_says_who_and_when(self):
        case = self._planned()
        case.with_user(self.as_investigate).action_take()
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.state, "pending_approval")
        self.decide_all(case)
        self.assertEqual(case.state, "approved")
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(case.state, "resolved")
        case.with_user(self.as_close).action_close()
        self.assertEqual(case.state, "closed")
        steps = ["open", "investigating", "pending_approval", "approved", "executing", "resolved", "closed"]
        self.assertEqual(case.step_ids.mapped("to_state"), steps)
        self.assertEqual(case.step_ids[-1].user_id, self.as_close)
        self.assertTrue(all(step.at and step.seconds >= 0 for step in case.step_ids))
        self.assertEqual(case.user_id, self.as_investigate)
        self.flush_tracking()
        told = case.message_ids.tracking_value_ids.filtered(lambda value: value.field_id.name == "state")
        self.assertEqual(told.sorted("id")[-1].new_value_char, "Closed")

    def test_who_lacks_the_role_is_refused_at_every_button(self):
        case = self._submitted()
        approval = case.approval_ids[0]
        buttons = {
            "investigate": (case, "action_map action_take action_submit action_withdraw action_cancel action_replan"),
            "execute": (case, "action_execute"),
            "close": (case, "action_close"),
            "override": (case, "action_reopen action_override"),
            "approve": (approval, "action_approve"),
        }
        for role, (records, names) in buttons.items():
            for other in (*self.ROLES, "user", "manager"):
                if other == role or (role, other) == ("execute", "release"):
                    continue
                for name in names.split():
                    with self.subTest(button=name, role=other), self.assertRaises(AccessError):
                        getattr(records.with_user(getattr(self, f"as_{other}")), name)()

    def test_a_step_that_does_not_exist_is_refused_with_a_reason(self):
        case = self._case()
        with self.assertRaisesRegex(UserError, "can't become 'Closed'"):
            case.with_user(self.as_close).action_close()
        case.with_user(self.as_investigate).action_cancel("a mistake")
        self.assertEqual(case.step_ids[-1].why, "a mistake")
        for step in (case.action_map, case.action_take, case.action_cancel):
            with self.assertRaises(UserError):
                step()

    def test_nothing_is_decided_before_something_is_proposed(self):
        case = self._case()
        unsealed(case._live_actions()).write({"state": "withdrawn"})
        with self.assertRaisesRegex(UserError, "nothing is proposed"):
            case.with_user(self.as_investigate).action_submit()

    def test_the_amount_at_stake_is_the_quantity_at_its_cost(self):
        case = self._submitted(counted="5")
        self.assertEqual((case.quantity_at_stake, case.amount_at_stake), (3, 300))
        self.assertEqual(case.approval_ids.mapped("amount"), [300])

    def test_nobody_approves_an_amount_that_they_were_not_shown(self):
        case = self._submitted()
        self.product.standard_price = 1000
        with self.assertRaisesRegex(UserError, "has changed from"):
            case.approval_ids.with_user(self.as_approve).action_approve()
        case.approval_ids.with_user(self.as_approve).action_send_back("look again")
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.approval_ids.filtered(lambda a: a.state == "waiting").mapped("amount"), [3000, 3000])

    def test_who_proposed_does_not_approve(self):
        both = self.user("both", "warehouse_exception.group_investigate", "warehouse_exception.group_approve")
        case = self._planned()
        case.with_user(both).action_submit()
        with self.assertRaisesRegex(AccessError, "who proposed a response does not approve it"):
            case.approval_ids.with_user(both).action_approve()

    def test_operational_and_financial_decisions_are_different_peoples(self):
        everything = [f"warehouse_exception.group_{role}" for role in ("approve", "approve_finance")]
        one = self.user("one for all", *everything)
        self.product.standard_price = 1000
        case = self._submitted()
        self.assertEqual(case.approval_ids.mapped("step"), ["operational", "financial"])
        operational, financial = case.approval_ids
        with self.assertRaisesRegex(AccessError, "another decision comes first"):
            financial.with_user(self.as_approve_finance).action_approve()
        operational.with_user(one).action_approve()
        with self.assertRaisesRegex(AccessError, "by another person"):
            financial.with_user(one).action_approve()
        self.assertEqual(case.state, "pending_approval")
        financial.with_user(self.as_approve_finance).action_approve()
        self.assertEqual(case.state, "approved")

    def test_the_highest_band_wants_four_eyes(self):
        self.product.standard_price = 10_000
        case = self._submitted()
        self.assertEqual(case.approval_ids.mapped("step"), ["operational", "second", "financial"])
        case.approval_ids[0].with_user(self.as_approve).action_approve()
        with self.assertRaisesRegex(AccessError, "by another person"):
            case.approval_ids[1].with_user(self.as_approve).action_approve()
        self.assertEqual(self.decide_all(case), ["second", "financial"])
        self.assertEqual(case.state, "approved")

    def test_a_decision_is_taken_once(self):
        case = self._submitted()
        self.decide_all(case)
        with self.assertRaisesRegex(UserError, "decided already"):
            case.approval_ids[0].with_user(self.as_approve_too).action_refuse("no")

    def test_sent_back_refused_and_withdrawn(self):
        case = self._submitted()
        with self.assertRaisesRegex(UserError, "Say why"):
            case.approval_ids.with_user(self.as_approve).action_send_back()
        case.approval_ids.with_user(self.as_approve).action_send_back("where is the photo?")
        self.assertEqual((case.state, case.action_ids[-1].state), ("investigating", "proposed"))
        case.with_user(self.as_investigate).action_submit()
        case.with_user(self.as_investigate).action_withdraw("found it")
        self.assertEqual((case.state, set(case.approval_ids.mapped("state"))), ("investigating", {"refused", "void"}))
        case.with_user(self.as_investigate).action_submit()
        waiting = case.approval_ids.filtered(lambda approval: approval.state == "waiting")
        waiting.with_user(self.as_approve).action_refuse("nothing of this is true")
        self.assertEqual((case.state, set(case.action_ids.mapped("state"))), ("rejected", {"withdrawn"}))
        with self.assertRaisesRegex(UserError, "Say why"):
            case.with_user(self.as_override).action_reopen()
        case.with_user(self.as_override).action_reopen("it is true after all")
        self.assertEqual(case.state, "investigating")

    def test_what_was_approved_is_undone_before_it_is_done_and_not_after(self):
        case = self._submitted()
        self.decide_all(case)
        case.with_user(self.as_investigate).action_withdraw("wait")
        self.assertEqual((case.state, case._live_actions().state), ("investigating", "proposed"))
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        with self.assertRaises(UserError):
            case.with_user(self.as_investigate).action_withdraw("too late")

    def test_a_proposal_is_edited_until_it_waits_for_a_decision(self):
        case = self._planned()
        action = case._live_actions().with_user(self.as_investigate)
        action.quantity = 2
        for values in ({"state": "done"}, {"kind": "accept"}, {"done_by_id": 1}, {"case_id": 1}):
            with self.assertRaises(AccessError):
                action.write(values)
        case.with_user(self.as_investigate).action_submit()
        with self.assertRaisesRegex(UserError, "Take the case back"):
            action.quantity = 1

    def test_steps_approvals_and_responses_are_made_by_methods_only(self):
        case = self._submitted()
        for records in (case.step_ids, case.approval_ids, case.action_ids):
            for user in (self.as_investigate, self.as_manager, self.as_approve):
                with self.subTest(records=records, user=user.login), self.assertRaises(AccessError):
                    records.with_user(user).create({"case_id": case.id})
                with self.assertRaises(AccessError):
                    records.with_user(user).write({"state": "approved"})
                with self.assertRaises(AccessError):
                    records.with_user(user).unlink()
        for records in (case.step_ids, case.approval_ids, case.action_ids):
            with self.assertRaises(AccessError):
                records.sudo().write({"company_id": False})
            with self.assertRaises(AccessError):
                records.sudo().unlink()

    def test_a_response_that_fails_is_told_and_can_be_tried_again_or_planned_anew(self):
        case = self._submitted()
        self.decide_all(case)
        kind = type(self.actions)

        def fails(action):
            action.case_id.sudo()._message_log(body="half done")
            raise UserError(action.env._("the shelf fell over"))

        self.patch(kind, "_do_accept", fails)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, case.failure), ("executing", "the shelf fell over"))
        self.assertNotIn("half done", str(case.message_ids.mapped("body")))
        self.patch(kind, "_do_accept", lambda action: None)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, case.failure), ("resolved", False))

    def test_an_auditor_reads_everything_and_changes_nothing(self):
        case = self._submitted()
        names = "case step action approval policy policy.band team cause kind device event scan evidence incident"
        for name in names.split():
            model = self.env[f"warehouse.exception.{name}"].with_user(self.as_audit)
            model.search([], limit=5).read()
            for right in ("write", "create", "unlink"):
                self.assertFalse(model.has_access(right), f"{name} {right}")
        case.with_user(self.as_audit).message_post(body="seen")
