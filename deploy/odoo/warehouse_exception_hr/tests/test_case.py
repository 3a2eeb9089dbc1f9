from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.common import ExceptionCommon


@tagged("post_install", "-at_install")
class TestCaseEmployee(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
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
