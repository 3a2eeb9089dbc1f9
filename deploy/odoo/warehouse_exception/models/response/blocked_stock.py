from odoo import fields, models


class WarehouseExceptionCase(models.Model):
    """A lot that nobody may take: reported as blocked, or found past its date."""

    _inherit = "warehouse.exception.case"

    def _respond_blocked_stock(self):
        """Lock the lot wherever it is; it is not the bin that is blocked. Its release is proposed by nobody but people."""
        reason = self._hold_reason()
        self._hold_at_once(note=self._why_blocked(reason), **self._held_scope())
        self._escalate_to_quality(self.env._("Decide about blocked stock"))
        self._tell_not_to_take()

    def _why_blocked(self, reason):
        if reason == "expired":
            return self.env._("Past its date: %s", self.lot_id.expiration_date.date())
        if self.expiry_date and self.expiry_date <= fields.Date.context_today(self):
            return self.env._("The label says %s; the lot here has another date or none.", self.expiry_date)
        return self.reason_code or self.note or self.env._("Reported as blocked.")
