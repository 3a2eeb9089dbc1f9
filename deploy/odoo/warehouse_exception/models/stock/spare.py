from odoo import models

from ..base import seal


class StockMoveLine(models.Model):
    """What an order had reserved in a bin that is only short is no business of the lock. Loaded after `take`."""

    _inherit = "stock.move.line"

    def _refuse_if_blocked(self, holds, expired):
        return super()._refuse_if_blocked(holds.filtered(lambda hold: not hold._spares(self)), expired)

    def _free_reservation(self, *args, **kwargs):
        """An adjustment takes reservations back, and Odoo reserves anew for those orders. That is no part of the approved
        response, so they get nothing that is held.
        """
        lines = self.with_context(**{seal._ACTING: None})
        return super(StockMoveLine, lines)._free_reservation(*args, **kwargs)
