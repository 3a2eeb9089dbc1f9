from odoo import models


class StockLocation(models.Model):
    _inherit = "stock.location"

    def _is_quarantine(self):
        """Whether a policy names it, or what it lies in, as a quarantine."""
        self.ensure_one()
        named = self.env["warehouse.exception.policy"].sudo().search([("quarantine_location_id", "!=", False)])
        return any(self._child_of(location) for location in named.quarantine_location_id)
