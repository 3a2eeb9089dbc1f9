from odoo import api, fields, models

from ..hold.hold import OURS


class StockLocation(models.Model):
    _inherit = "stock.location"

    exception_quarantine = fields.Boolean(
        "Quarantine for exceptions",
        copy=False,
        help="What is moved here by a case counts as in quarantine, until it is scrapped, returned or released.",
    )

    def _is_quarantine(self):
        """It is one, or lies in one."""
        self.ensure_one()
        if self.usage not in OURS:
            return False
        around = [int(step) for step in (self.parent_path or "").split("/") if step]
        return any(self.sudo().browse(around).mapped("exception_quarantine"))

    def _mark_as_quarantine(self):
        """Whoever set it as the quarantine of a policy or a warehouse said that it is one. It stays one when they choose
        another: what lies in it is still in quarantine.
        """
        for location in self.filtered(lambda location: not location._is_quarantine()):
            location.sudo().exception_quarantine = True


class StockWarehouse(models.Model):
    _inherit = "stock.warehouse"

    exception_quarantine_location_id = fields.Many2one(
        "stock.location",
        "Quarantine",
        check_company=True,
        ondelete="restrict",
        domain="[('usage', '=', 'internal'), ('company_id', 'in', (company_id, False))]",
        help="Where damaged and suspect stock goes, unless the policy names another place. Take one outside of the "
        "warehouse's own locations: what lies inside of them is promised to customers. Empty: it is made when it is needed.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        warehouses = super().create(vals_list)
        warehouses.exception_quarantine_location_id._mark_as_quarantine()
        return warehouses

    def write(self, vals):
        result = super().write(vals)
        if "exception_quarantine_location_id" in vals:
            self.exception_quarantine_location_id._mark_as_quarantine()
        return result

    def _exception_quarantine(self):
        """The warehouse's quarantine; made at the first need, outside of what can be sold."""
        self.ensure_one()
        warehouse = self.sudo()
        if not warehouse.exception_quarantine_location_id:
            warehouse.exception_quarantine_location_id = warehouse.env["stock.location"].create(
                {
                    # No parent: stock below the warehouse's view would still count as available.
                    "name": self.env._("%s Quarantine", warehouse.code),
                    "usage": "internal",
                    "company_id": warehouse.company_id.id,
                    "exception_quarantine": True,
                }
            )
        return warehouse.exception_quarantine_location_id


class WarehouseExceptionPolicy(models.Model):
    _inherit = "warehouse.exception.policy"

    @api.model_create_multi
    def create(self, vals_list):
        policies = super().create(vals_list)
        policies.quarantine_location_id._mark_as_quarantine()
        return policies

    def write(self, vals):
        result = super().write(vals)
        if "quarantine_location_id" in vals:
            self.quarantine_location_id._mark_as_quarantine()
        return result
