from odoo import api, fields, models
from odoo.exceptions import UserError


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    kind = fields.Selection(selection_add=[("scrap", "Scrap")], ondelete={"scrap": "cascade"})

    @api.model
    def _stock_kinds(self):
        return super()._stock_kinds() | {"scrap"}

    @api.model
    def _financial_kinds(self):
        return super()._financial_kinds() | {"scrap"}

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        return kinds | {"scrap"} if "quarantine" in kinds or case.quarantine_open > 0 else kinds

    @api.model
    def _defaults_for(self, case, kind):
        values = super()._defaults_for(case, kind)
        return {**values, **self._from_quarantine(case)} if kind == "scrap" else values

    def _do_scrap(self):
        """By Odoo's own scrap order, so that the stock's value is written off as for any other."""
        self._require_own_quarantine()
        taken, lost = self._take(self.location_id)
        scraps = self.env["stock.scrap"].with_company(self.company_id)
        for quant, quantity in taken:
            scrap = scraps.create(self._scrap_values(quant, quantity))
            if scrap.action_validate() is not True:
                raise UserError(self.env._("There is less of it in %s than on record.", quant.location_id.display_name))
            scraps |= scrap
        self._settle_taking(taken, lost)
        return scraps[:1]

    def _scrap_values(self, quant, quantity):
        case = self.case_id
        values = {
            "company_id": case.company_id.id,
            "origin": case.name,
            "exception_case_id": case.id,
            "product_id": self.product_id.id,
            "product_uom_id": self.uom_id.id,
            "scrap_qty": quantity,
            "location_id": quant.location_id.id,
            "lot_id": quant.lot_id.id,
            "package_id": quant.package_id.id,
            "owner_id": quant.owner_id.id,
        }
        if self.location_dest_id:
            values["scrap_location_id"] = self.location_dest_id.id
        return values
