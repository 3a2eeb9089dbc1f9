from odoo import fields, models
from odoo.exceptions import AccessError

from ..base.seal import is_unsealed


class StockMove(models.Model):
    _inherit = "stock.move"

    # Copied with the move: what is split off, or returned, still belongs to the case.
    exception_case_id = fields.Many2one(
        "warehouse.exception.case", "Exception", readonly=True, index="btree_not_null", ondelete="restrict"
    )

    def write(self, vals):
        if "exception_case_id" in vals and not is_unsealed(self.env):
            raise AccessError(self.env._("Which case a move belongs to is not edited: the case counts by it."))
        return super().write(vals)


class StockScrap(models.Model):
    _inherit = "stock.scrap"

    exception_case_id = fields.Many2one(
        "warehouse.exception.case", "Exception", readonly=True, index="btree_not_null", copy=False, ondelete="restrict"
    )

    def _prepare_move_values(self):
        return {**super()._prepare_move_values(), "exception_case_id": self.exception_case_id.id}


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    stock_move_ids = fields.One2many("stock.move", "exception_case_id", "Stock moved", readonly=True)
