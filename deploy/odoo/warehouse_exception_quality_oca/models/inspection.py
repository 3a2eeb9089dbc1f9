from odoo import fields, models


class QcInspection(models.Model):
    _inherit = "qc.inspection"

    exception_case_id = fields.Many2one(
        "warehouse.exception.case", "Warehouse exception", readonly=True, index="btree_not_null", ondelete="restrict"
    )

    def write(self, vals):
        ended = self.browse()
        if vals.get("state") in ("success", "failed", "canceled"):
            ended = self.filtered(lambda inspection: inspection.exception_case_id and inspection.state != vals["state"])
        result = super().write(vals)
        states = dict(self._fields["state"]._description_selection(self.env))
        for inspection in ended:
            inspection.sudo().exception_case_id._task_reports(
                self.env._("Inspection %(name)s: %(result)s", name=inspection.name, result=states[inspection.state])
            )
        return result
