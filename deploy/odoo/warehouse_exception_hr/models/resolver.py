import re

from odoo import api, models


class WarehouseExceptionResolver(models.AbstractModel):
    _inherit = "warehouse.exception.resolver"

    @api.model
    def _employee(self, company, badge):
        """By badge. Odoo's badge IDs are letters and digits only, so what a label puts between them is left out."""
        employees = self.env["hr.employee"]
        for barcode in dict.fromkeys(filter(None, (badge, re.sub(r"[^A-Za-z0-9]", "", badge or "")))):
            found = employees.search([("company_id", "=", company.id), ("barcode", "=", barcode)], limit=2)
            if found:
                return self._only(found)
        return employees
