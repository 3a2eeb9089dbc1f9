from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..base.seal import is_unsealed


class WarehouseExceptionClaimLine(models.Model):
    """So much of a product, at a price. Written with its claim and never again."""

    _name = "warehouse.exception.claim.line"
    _description = "Line of a supplier claim"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "product_id"
    _order = "claim_id, id"

    claim_id = fields.Many2one("warehouse.exception.claim", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="claim_id.company_id", store=True)
    currency_id = fields.Many2one(related="claim_id.currency_id")
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    lot_id = fields.Many2one("stock.lot", "Lot/Serial", ondelete="restrict")
    quantity = fields.Float(digits="Product Unit", required=True)
    uom_id = fields.Many2one("uom.uom", "Unit", required=True, ondelete="restrict")
    price_unit = fields.Float("Price", digits="Product Price", required=True)
    amount = fields.Monetary(compute="_compute_amount", store=True)
    reason = fields.Char(required=True)

    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "A claim is about more than nothing.")

    @api.depends("quantity", "price_unit", "currency_id")
    def _compute_amount(self):
        for line in self:
            amount = line.quantity * line.price_unit
            line.amount = line.currency_id.round(amount) if line.currency_id else amount

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("The lines of a claim say what was approved. They are written with it."))
        return super().create(vals_list)
