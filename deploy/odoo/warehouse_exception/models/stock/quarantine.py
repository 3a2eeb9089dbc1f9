from odoo import fields, models


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
        around = [int(step) for step in (self.parent_path or "").split("/") if step]
        return any(self.sudo().browse(around).mapped("exception_quarantine"))

    def _mark_as_quarantine(self):
        """Whoever set it as the quarantine of a policy or a warehouse said that it is one."""
        if self and not self._is_quarantine():
            self.sudo().exception_quarantine = True
        return self


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
        return warehouse.exception_quarantine_location_id._mark_as_quarantine()
