from odoo import fields, models
from odoo.fields import Domain

from ..base.seal import unsealed
from .hold import OURS


class WarehouseExceptionHold(models.Model):
    """A bin whose quantity alone is in doubt. Nothing is wrong with what is there, so the orders that had reserved of it
    may take that much; and nobody reserves more, until somebody has counted.
    """

    _inherit = "warehouse.exception.hold"

    spared = fields.Json(readonly=True, help="Each move that had reserved of it, with how much: that much it may take.")

    def _note_spared(self):
        self.ensure_one()
        reserved = Domain("state", "in", ("waiting", "confirmed", "partially_available", "assigned"))
        reserved &= Domain("location_id.usage", "in", OURS) & Domain("move_id", "!=", False)
        lines = self.env["stock.move.line"].sudo().search(self._domain() & reserved)
        taking = {
            str(move.id): sum(own.mapped("quantity_product_uom")) for move, own in lines.grouped("move_id").items()
        }
        unsealed(self.sudo()).write({"spared": taking})

    def _spares(self, line):
        """Whether the move of `line` takes no more of this stock than it had reserved when the stock was locked."""
        if not self.spares_reserved or not line.move_id:
            return False
        covered = line.move_id.move_line_ids.filtered(
            lambda own: self._covers(own.product_id, own.company_id, own.location_id, own.lot_id)
        )
        taken = sum(covered.mapped("quantity_product_uom"))
        return line.product_id.uom_id.compare(taken, (self.spared or {}).get(str(line.move_id.id), 0)) <= 0
