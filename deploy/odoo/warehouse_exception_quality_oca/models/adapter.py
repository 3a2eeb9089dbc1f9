from odoo import api, models


class WarehouseExceptionAdapter(models.AbstractModel):
    _inherit = "warehouse.exception.adapter"

    @api.model
    def _quality_check(self, case):
        earlier = super()._quality_check(case)
        if earlier:
            return earlier
        inspections = self.env["qc.inspection"]
        inspection = inspections.create(
            {
                "object_id": f"product.product,{case.product_id.id}" if case.product_id else False,
                "qty": abs(case.quantity_at_stake) or 1,
                "internal_notes": "\n".join(f"{label}: {value}" for label, value in self._facts(case)),
                "company_id": case.company_id.id,
                "user": False,  # nobody yet: the default would be whoever runs the job
                "exception_case_id": case.id,
            }
        )
        test = self._inspection_test(case)
        if test:
            inspection.set_test(test)
            # The test is known, so it can be begun; without one somebody chooses it first.
            inspection.write({"state": "ready", "user": test.user.id})
        return inspection

    @api.model
    def _inspection_test(self, case):
        """The line with the test that is set for the product, its template or its category; the nearest one."""
        trigger = self.env.ref("warehouse_exception_quality_oca.trigger", raise_if_not_found=False)
        if not trigger or not case.product_id:
            return None
        for level in ("product_line", "product_template_line", "product_category_line"):
            lines = self.env[f"qc.trigger.{level}"].get_trigger_line_for_product(
                trigger, ["before", "after", "plan_ahead"], case.product_id
            )
            fitting = [line for line in lines if line.test.company_id in (line.test.company_id.browse(), case.company_id)]
            if fitting:
                return min(fitting, key=lambda line: line.id)
        return None
