from odoo import models


class WarehouseExceptionCase(models.Model):
    """Somebody doubts the quality. Until it is looked at, nothing of it is used."""

    _inherit = "warehouse.exception.case"

    def _respond_quality_hold(self):
        note = self.reason_code or self.note or self.env._("Its quality is in doubt.")
        self._hold_at_once(note=note, **self._held_scope())
        self._escalate_to_quality(self.env._("Inspect stock on quality hold"))
        self._tell_not_to_take()
