from odoo import fields, models

from ..base.seal import unsealed

# Reached, and the work on the case is over: what the deadline is about.
ENDED = ("resolved", "rejected", "cancelled")


class WarehouseExceptionCase(models.Model):
    """When a case ended: read by every report, so it is written down once."""

    _inherit = "warehouse.exception.case"

    ended_at = fields.Datetime(
        "Ended", readonly=True, copy=False, index=True, help="Resolved, rejected or cancelled. Empty, if opened again."
    )

    _recurrence_index = models.Index("(product_id, location_id, received_at)")

    def _after_step(self, before):
        ended = self.filtered(lambda case: case.state in ENDED)
        again = self.filtered(lambda case: case.ended_at and case.state not in (*ENDED, "closed"))
        unsealed(ended.sudo()).write({"ended_at": fields.Datetime.now()})
        unsealed(again.sudo()).write({"ended_at": False})
        return super()._after_step(before)
