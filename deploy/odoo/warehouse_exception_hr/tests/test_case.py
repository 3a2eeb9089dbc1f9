from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestCaseEmployee(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.employee = cls.env["hr.employee"].create(
            {"name": "Kari", "barcode": "EMP0042", "company_id": cls.company.id}
        )

    def test_a_badge_names_the_operator(self):
        for badge in ("EMP0042", "EMP-0042"):
            case = self.case_of(self.handheld.event(operator={"badge": badge}))
            self.assertEqual((case.employee_id, case.operator_badge, case.state), (self.employee, badge, "open"))

    def test_an_unknown_badge_waits_for_a_person(self):
        case = self.case_of(self.handheld.event(operator={"badge": "X-1"}))
        self.assertEqual((case.state, case.unresolved), ("needs_mapping", "badge X-1"))
        case.employee_id = self.employee
        case.with_user(self.user("mapper", "warehouse_exception.group_investigate")).action_map()
        self.assertEqual(case.state, "open")

    def test_who_may_not_read_employees_can_still_map(self):
        worker = self.user("worker", "warehouse_exception.group_investigate")
        case = self.case_of(self.handheld.event(operator={"badge": "NEW1"})).with_user(worker)
        self.employee.barcode = "NEW1"
        case.action_map()
        self.assertEqual(case.sudo().employee_id, self.employee)
        self.assertTrue(case.web_read({"employee_id": {"fields": {"display_name": {}}}}))

    def test_who_reported_is_named_on_paper_by_name(self):
        case = self.case_of(self.handheld.event(operator={"badge": "EMP0042"}))
        self.assertEqual(case._reporter_in_words(), "Kari, DOCK-01")

    def _submitted(self, *events):
        cases = [self.opened(event) for event in events]
        [case] = set(cases)
        case._live_actions().with_user(self.as_investigate).action_withdraw()
        self.env["warehouse.exception.action"]._propose(case, "accept")
        case.with_user(self.as_override).action_override("the recount can wait")
        case.with_user(self.as_investigate).action_submit()
        return case.approval_ids[0]

    def _assert_refused(self, approval):
        mine, anothers = approval.with_user(self.as_approve), approval.with_user(self.as_approve_too)
        with self.assertRaisesRegex(AccessError, "who reported a case does not approve it"):
            mine.action_approve()
        self.assertEqual((mine.can_decide, anothers.can_decide), (False, True))

    def test_who_reported_by_badge_does_not_approve_it_in_odoo(self):
        self.employee.user_id = self.as_approve
        for badge in ("EMP0042", "EMP-0042"):
            event = self.handheld.event("overage", item={"code": GTIN_13}, operator={"badge": badge})
            self._assert_refused(self._submitted(event))

    def test_nor_does_who_reported_the_same_again(self):
        self.employee.user_id = self.as_approve
        there = {"item": {"code": GTIN_13}, "bin": {"code": "EXT-A-03-02"}}
        first = self.handheld.event(**there)
        again = self.handheld.event(**there, operator={"badge": "EMP0042"})
        approval = self._submitted(first, again)
        self.assertEqual(approval.case_id.report_count, 2)
        self._assert_refused(approval)
