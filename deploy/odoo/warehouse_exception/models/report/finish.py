from datetime import timedelta

from odoo import fields, models

from ..base.seal import unsealed

# Reached, and the work on the case is over: what the deadline is about.
ENDED = ("resolved", "rejected", "cancelled")
RECURS_WITHIN = timedelta(days=90)


class WarehouseExceptionCase(models.Model):
    """When a case ended and whether it was one more of the same: read by every report, so it is written down once."""

    _inherit = "warehouse.exception.case"

    ended_at = fields.Datetime(
        "Ended", readonly=True, copy=False, index=True, help="Resolved, rejected or cancelled. Empty, if opened again."
    )
    is_recurrent = fields.Boolean(
        "Recurrent",
        readonly=True,
        copy=False,
        help="When it was opened, there was a case of the same kind, product and bin in the 90 days before.",
    )

    _recurrence_index = models.Index("(product_id, location_id, received_at)")

    def _after_step(self, before):
        ended = self.filtered(lambda case: case.state in ENDED)
        again = self.filtered(lambda case: case.ended_at and case.state not in (*ENDED, "closed"))
        unsealed(ended.sudo()).write({"ended_at": fields.Datetime.now()})
        unsealed(again.sudo()).write({"ended_at": False})
        return super()._after_step(before)

    def _apply_policy(self):
        result = super()._apply_policy()
        earlier = [
            ("company_id", "=", self.company_id.id),
            ("exception_type", "=", self.exception_type),
            ("product_id", "=", self.product_id.id),
            ("location_id", "=", self.location_id.id),
            ("received_at", ">=", self.received_at - RECURS_WITHIN),
            ("received_at", "<=", self.received_at),
            ("id", "!=", self.id),
        ]
        known = self.product_id and self.location_id
        unsealed(self).write({"is_recurrent": bool(known and self.sudo().search_count(earlier, limit=1))})
        return result
