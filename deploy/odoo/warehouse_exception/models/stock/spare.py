from odoo import models


class StockMoveLine(models.Model):
    """What an order had reserved in a bin that is only short is no business of the lock. Loaded after `take`."""

    _inherit = "stock.move.line"

    def _refuse_if_blocked(self, holds, expired):
        return super()._refuse_if_blocked(holds.filtered(lambda hold: not hold._spares(self)), expired)
