from odoo import fields, models
from odoo.exceptions import UserError


class WarehouseExceptionCase(models.Model):
    """Which stock is locked for a case, and that no case ends while its stock still is."""

    _inherit = "warehouse.exception.case"

    hold_ids = fields.One2many("warehouse.exception.hold", "case_id", "Holds", readonly=True)

    def _active_holds(self):
        return self.sudo().hold_ids.filtered(lambda hold: hold.state == "active")

    def _hold_reason(self):
        """Why this case locks stock, in the register's terms."""
        self.ensure_one()
        if self.exception_type == "quality_hold":
            return "quality"
        if self.exception_type == "blocked_stock":
            return "expired" if self.lot_id._expired(self.company_id) else "blocked"
        return "suspect"

    def action_cancel(self, why=None):
        self._require_role("investigate")
        self._refuse_while_held()
        return super().action_cancel(why)

    def action_close(self):
        self._require_role("close")
        self._refuse_while_held()
        self._end_empty_holds()
        return super().action_close()

    def _refuse_while_held(self):
        """Nobody would ever decide about that stock again."""
        for case in self:
            held = case._active_holds()._quants() if case._active_holds() else None
            if held:
                raise UserError(
                    self.env._(
                        "Stock is still locked for %(case)s: %(where)s. It stays so until a response 'Release' is approved "
                        "and done, or until it is moved or scrapped by one.",
                        case=case.name,
                        where=", ".join(held[:5].mapped("location_id.display_name")),
                    )
                )

    def _end_empty_holds(self):
        """A bin that has nothing of it any more must not lock what comes later. A lot stays blocked wherever it is."""
        for case in self:
            empty = case._active_holds().filtered(lambda hold: not hold.lot_id)
            empty._release(self.env._("Nothing of it was left when %s was closed.", case.name))
