from odoo import models


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _reporter_in_words(self):
        if not self.employee_id:
            return super()._reporter_in_words()
        return self.env._("%(employee)s, %(device)s", employee=self.employee_id.sudo().name, device=self.device_id.name)
