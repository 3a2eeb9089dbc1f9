import re

from odoo import api, models

from odoo.addons.warehouse_exception.models.base.remember import remembered


def spellings(badge):
    """Odoo's badge IDs are letters and digits only: what a label puts between them is left out."""
    return list(filter(None, (badge, re.sub(r"[^A-Za-z0-9]", "", badge or ""))))


class WarehouseExceptionResolver(models.AbstractModel):
    _inherit = "warehouse.exception.resolver"

    @api.model
    @remembered
    def _employee(self, company, badge):
        return self._employees(company, [badge])[badge]

    @api.model
    def _employees(self, company, badges):
        """{badge: employee}."""
        none = self.env["hr.employee"]
        spelt = {badge: spellings(badge) for badge in badges}
        wanted = list({barcode for barcodes in spelt.values() for barcode in barcodes})
        named = none.search([("company_id", "=", company.id), ("barcode", "in", wanted)]) if wanted else none
        known = named.grouped("barcode")
        found = {}
        for badge, barcodes in spelt.items():
            employees = next((known[barcode] for barcode in barcodes if barcode in known), none)
            found[badge] = self._only(employees)
        return found

    @api.model
    def _prepare(self, cases):
        result = super()._prepare(cases)
        for company, ours in cases.grouped("company_id").items():
            self._remember_all("_employee", company, self._employees(company, set(ours.mapped("operator_badge"))))
        return result
