from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.warehouse_exception.models.base.seal import unsealed
from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestInspection(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.inspector = cls.user("inspector", "quality_control_oca.group_quality_control_user")
        cls.product.categ_id = cls.env["product.category"].create({"name": "Frozen"})
        answers = [Command.create({"name": "whole", "ok": True}), Command.create({"name": "broken", "ok": False})]
        cls.test = cls.env["qc.test"].create(
            {
                "name": "Look at the box",
                "test_lines": [Command.create({"name": "The box is", "type": "qualitative", "ql_values": answers})],
            }
        )

    def _case(self, **data):
        case = self.opened(self.handheld.event("damaged", item={"code": GTIN_13}, note="crushed corner", **data))
        # Also where the response has opened a task by itself.
        unsealed(case).write({"task_name": False, "task_id": False, "task_model": False})
        case.user_id = self.as_investigate
        return case

    def _set_test(self, records, line_model, field):
        self.env[line_model].create(
            {
                "trigger": self.env.ref("warehouse_exception_quality_oca.trigger").id,
                "test": self.test.id,
                "user": self.inspector.id,
                field: records.id,
            }
        )

    def test_a_case_makes_one_inspection_of_its_product_and_quantity(self):
        case = self._case()
        inspection = case._open_quality_task()
        self.assertEqual((inspection._name, inspection.exception_case_id), ("qc.inspection", case))
        self.assertEqual((inspection.product_id, inspection.qty), (self.product, 5))
        self.assertEqual((inspection.state, inspection.test.id), ("draft", False), "somebody chooses the test")
        self.assertIn("crushed corner", inspection.internal_notes)
        self.assertEqual(case._open_quality_task(), inspection)

    def test_the_test_that_is_set_for_the_product_or_its_category_is_made(self):
        levels = [
            (self.product.categ_id, "qc.trigger.product_category_line", "product_category"),
            (self.product, "qc.trigger.product_line", "product"),
        ]
        for record, model, field in levels:
            with self.subTest(model=model):
                self._set_test(record, model, field)
                inspection = self._case()._open_quality_task()
                self.assertEqual((inspection.test, inspection.state), (self.test, "ready"))
                self.assertEqual((inspection.user, inspection.inspection_lines.name), (self.inspector, "The box is"))

    def test_an_inspector_tells_the_result_without_rights_on_cases(self):
        self._set_test(self.product, "qc.trigger.product_line", "product")
        case = self._case()
        inspection = case._open_quality_task().with_user(self.inspector)
        with self.assertRaises(AccessError):
            inspection.exception_case_id.read(["state"])
        inspection.inspection_lines.qualitative_value = self.test.test_lines.ql_values.filtered(lambda v: not v.ok)
        inspection.action_confirm()
        inspection.action_approve()
        self.assertEqual(inspection.state, "failed")
        self.assertIn(f"Inspection {inspection.name}: Quality failed", str(case.message_ids.mapped("body")))
        self.assertIn(self.as_investigate, case.activity_ids.user_id)

    def test_what_is_not_mapped_yet_can_be_inspected_too(self):
        case = self.case_of(self.handheld.event("damaged", item={"code": "unknown"}))
        inspection = case._open_quality_task()
        self.assertFalse(inspection.product_id)
        self.assertIn("unknown", inspection.internal_notes)
