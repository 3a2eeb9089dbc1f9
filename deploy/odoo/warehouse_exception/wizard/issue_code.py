from odoo import fields, models


class WarehouseExceptionIssueCode(models.TransientModel):
    """Asks for whom, then shows the code. The code is in the second dialog only: no table ever has it."""

    _name = "warehouse.exception.issue.code"
    _description = "Issue an enrolment code"

    device_name = fields.Char(required=True, default=lambda self: self.env._("Handheld"))
    warehouse_id = fields.Many2one(
        "stock.warehouse", required=True, default=lambda self: self.env["stock.warehouse"].search([], limit=1)
    )
    device_id = fields.Many2one("warehouse.exception.device", "For the device", readonly=True)
    hours = fields.Integer("Valid for (hours)", required=True, default=24)
    code = fields.Char(store=False, readonly=True)

    def action_issue(self):
        issued = self.env["warehouse.exception.enrolment"].issue_code(
            self.device_name, self.warehouse_id.id, self.hours, self.device_id.id
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Enrolment code for %s", self.device_name),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(self.env.ref("warehouse_exception.issue_code_view_shown").id, "form")],
            "target": "new",
            "context": {"default_code": issued["code"], "default_device_name": self.device_name},
        }
