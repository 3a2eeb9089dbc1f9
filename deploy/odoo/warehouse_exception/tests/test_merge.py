from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..models.base.seal import unsealed
from .common import GTIN_13, ExceptionCommon, Handheld, photo


@tagged("post_install", "-at_install")
class TestMerge(ExceptionCommon):
    """The same shortage from several pickers is one case."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.other = Handheld("other picker")
        cls.other_device = cls.enrolled(cls.other)
        cls.other_device.name = "DOCK-02"
        cls.policy = cls.env.ref("warehouse_exception.policy_pick_shortage")
        cls.policy.merge_hours = 24

    def _report(self, handheld=None, kind="pick_shortage", item=None, **data):
        data = {"quantity": {"expected": "8", "counted": "5"}, "bin": {"code": "A-03-02"}, **data}
        return (handheld or self.handheld).event(kind, item={"code": GTIN_13, **(item or {})}, **data)

    def _theirs(self, *texts):
        return self.ingest._receive(self.other_device, list(texts))

    def _cases(self):
        return self.env["warehouse.exception.case"].search([("warehouse_id", "=", self.warehouse.id)])

    def _run_job(self):
        """What the job does, without its commits."""
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1):
            self.env["warehouse.exception.case"]._cron_respond()

    # --- one case

    def test_a_second_picker_joins_the_case_of_the_first(self):
        first = self.case_of(self._report())
        named = photo(b"an empty shelf")
        scan = {"role": "bin", "source": "dock-2", "at": "2026-11-23T06:20:31.004Z", "raw": "QQ", "text": "A-03-02"}
        jws = self._report(
            self.other,
            quantity={"expected": "4", "counted": "1", "unit": "Units"},
            operator={"badge": "E7"},
            document={"code": "WH/OUT/9"},
            reason="bin_empty",
            photos=[named],
            scans=[{**scan, "kind": "plain"}],
        )
        [receipt] = self._theirs(jws)
        self.assertEqual((receipt["status"], receipt["case"]), ("created", first.name))
        self.assertEqual(receipt["missing_evidence"], [named["sha256"]])
        self.assertEqual((self._cases(), first.report_count), (first, 2))
        event = first.event_ids.filtered("is_repeat")
        self.assertEqual((event.jws, event.device_id), (jws, self.other_device))
        facts = (event.document_code, event.operator_badge, event.reason_code, event.unit_code)
        self.assertEqual(facts, ("WH/OUT/9", "E7", "bin_empty", "Units"))
        self.assertEqual((event.quantity_expected, event.quantity_counted), (4, 1))
        self.assertEqual((first.scan_ids.event_id, first.evidence_ids.event_id), (event, event))
        self.assertEqual((first.quantity_counted, first.operator_badge), (5, False), "the first report stays as it was")
        said = str(first.message_ids.mapped("body"))
        for words in ("Also reported by DOCK-02", "badge E7", "document WH/OUT/9", "counted 1 of 4"):
            self.assertIn(words, said)

    def test_a_report_that_is_sent_again_is_a_duplicate_and_counts_once(self):
        first = self.case_of(self._report())
        jws = self._report(self.other)
        self._theirs(jws)
        [again] = self._theirs(jws)
        self.assertEqual((again["status"], again["case"], first.report_count), ("duplicate", first.name, 2))

    def test_reports_of_one_request_join_each_other(self):
        results = self.receive(self._report(), self._report(), self.handheld.event(), self._report())
        names = [result["case"] for result in results]
        self.assertEqual([result["status"] for result in results], ["created"] * 4)
        self.assertEqual((names[0], names[0]), (names[1], names[3]))
        self.assertNotEqual(names[0], names[2])
        self.assertEqual(sorted(self._cases().mapped("report_count")), [1, 3])

    def test_a_lot_that_is_told_must_be_the_same(self):
        cases = [self.case_of(self._report(item={"lot": lot} if lot else {})) for lot in (None, "L1", "L2", "L1", None)]
        self.assertEqual((cases[1], cases[0]), (cases[3], cases[4]))
        self.assertEqual(len(self._cases()), 3)

    def test_another_bin_product_or_kind_is_another_case(self):
        self.env["stock.location"].create(
            {"name": "A-03-03", "barcode": "A-03-03", "location_id": self.warehouse.lot_stock_id.id}
        )
        self.env["product.product"].create({"name": "Other", "barcode": "OTHER"})
        self.receive(
            self._report(),
            self._report(bin={"code": "A-03-03"}),
            self._report(item={"code": "OTHER"}),
            self._report(kind="damaged"),
            self._report(kind="damaged"),
        )
        self.assertEqual(len(self._cases()), 5)

    def test_what_could_not_be_mapped_is_not_merged(self):
        self.receive(self._report(item={"code": "?"}), self._report(item={"code": "?"}), self._report(bin={"code": "?"}))
        self.assertEqual(self._cases().mapped("report_count"), [1, 1, 1])

    def test_the_window_counts_from_the_reports_of_the_case_and_0_is_off(self):
        case = self.case_of(self._report())
        for event in case.event_ids:
            unsealed(event).write({"captured_at": event.captured_at - timedelta(hours=25)})
        later = self.case_of(self._report())
        self.assertNotEqual(later, case)
        self.assertEqual(self.case_of(self._report()), later)
        self.policy.merge_hours = 0
        self.assertNotEqual(self.case_of(self._report()), later)

    def test_a_case_that_is_decided_or_finished_is_not_joined(self):
        case = self.case_of(self._report())
        case.with_user(self.as_investigate).action_take()
        self.assertEqual(self.case_of(self._report()), case)
        case._step("approved")
        second = self.case_of(self._report())
        self.assertNotEqual(second, case)
        second.with_user(self.as_investigate).action_cancel("found it")
        self.assertNotEqual(self.case_of(self._report()), second)

    def test_a_decision_that_is_taken_back_lets_reports_join_again(self):
        case = self.case_of(self._report())
        case._step("approved")
        case._step("investigating")
        self.assertEqual(self.case_of(self._report()), case)

    def test_a_case_that_a_person_mapped_is_joined(self):
        case = self.case_of(self._report(item={"code": "?"}))
        case.product_id = self.product
        self.assertEqual(self.case_of(self._report()), case)

    def test_two_cases_that_are_mapped_to_the_same_stay_two(self):
        cases = [self.case_of(self._report(item={"code": code})) for code in ("?1", "?2")]
        for case in cases:
            case.product_id = self.product
        self.assertEqual(self.case_of(self._report()), cases[0])

    def test_who_maps_a_case_anew_leaves_its_key_to_others(self):
        case = self.case_of(self._report())
        case.product_id = self.env["product.product"].create({"name": "Other"})
        self.assertNotEqual(self.case_of(self._report()), case)

    def test_nobody_sets_what_a_case_is_joined_by(self):
        case = self.case_of(self._report())
        for user in (self.as_investigate, self.as_manager, self.env.user):
            with self.assertRaises(AccessError):
                case.with_user(user).write({"merge_key": "x"})

    # --- what follows

    def test_the_owner_is_told_once_however_many_report_it(self):
        self.policy.user_id = self.as_investigate
        case = self.opened(self._report())
        before = case.activity_ids
        self._theirs(self._report(self.other))
        self._run_job()
        told = case.activity_ids - before
        self.assertEqual((len(told), told.user_id), (1, self.as_investigate))
        told.action_done()
        self._theirs(self._report(self.other), self._report(self.other))
        self._run_job()
        self.assertEqual(case.activity_ids, before)
        self.assertFalse(case.event_ids.filtered("response_due"))

    def test_the_kinds_response_is_asked_about_each_further_report_once(self):
        case = self.opened(self._report())
        asked = []

        def again(case, event):
            asked.append((case, event.operator_badge))
            case._instruct("look", f"Look in A-03-03, {event.operator_badge}.")

        model = self.env.registry["warehouse.exception.case"]
        with patch.object(model, "_respond_again_pick_shortage", again, create=True):
            jws = self._report(self.other, operator={"badge": "E7"})
            self._theirs(jws, self._report(self.other, operator={"badge": "E8"}))
            self._run_job()
            self._run_job()
        self.assertEqual(asked, [(case, "E7"), (case, "E8")])
        [receipt] = self._theirs(jws)
        self.assertEqual([told["code"] for told in receipt["instructions"]], ["look", "look"])

    def test_a_response_to_a_further_report_that_fails_is_told_and_loses_no_report(self):
        case = self.opened(self._report())

        def again(_case, _event):
            raise ZeroDivisionError

        model = self.env.registry["warehouse.exception.case"]
        plan = "odoo.addons.warehouse_exception.models.case.plan"
        with patch.object(model, "_respond_again_pick_shortage", again, create=True), self.assertLogs(plan, "ERROR"):
            self._theirs(self._report(self.other))
            self._run_job()
        self.assertEqual(case.report_count, 2)
        self.assertIn("The response to a further report failed", str(case.message_ids.mapped("body")))
