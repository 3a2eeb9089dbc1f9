from odoo import api, fields, models

from ..base.seal import unsealed


class WarehouseExceptionCase(models.Model):
    """What a case is about in money: the quantity in question at the product's cost."""

    _inherit = "warehouse.exception.case"

    currency_id = fields.Many2one(related="company_id.currency_id")
    quantity_at_stake = fields.Float(
        compute="_compute_quantity_at_stake", digits="Product Unit", help="In the product's own unit."
    )
    amount_at_stake = fields.Monetary(
        "At stake",
        readonly=True,
        aggregator="sum",
        copy=False,
        help="The quantity in question at the product's cost. Computed anew before anybody is asked to approve.",
    )

    @api.depends("quantity_variance", "quantity_counted", "is_counted", "expected_source", "uom_id", "product_id")
    def _compute_quantity_at_stake(self):
        for case in self:
            known = case.is_counted and case.expected_source != "unknown"
            quantity = abs(case.quantity_variance if known else case.quantity_counted)
            case.quantity_at_stake = case._in_product_unit(quantity)

    def _in_product_unit(self, quantity):
        """`quantity` was told in the reported unit; stock is kept in the product's."""
        self.ensure_one()
        if not self.product_id or not self.uom_id or self.uom_id == self.product_id.uom_id:
            return quantity
        if not self.uom_id._has_common_reference(self.product_id.uom_id):
            return quantity
        return self.uom_id._compute_quantity(quantity, self.product_id.uom_id, rounding_method="HALF-UP")

    def _worth(self, quantity):
        """`quantity` of the product, in its own unit, at its cost in the case's company."""
        self.ensure_one()
        cost = self.product_id.sudo().with_company(self.company_id).standard_price
        return self.currency_id.round(abs(quantity) * cost)

    def _assess(self):
        """Write down what is at stake now. The dearest of what was reported and what is proposed counts."""
        for case in self.sudo():
            planned = max(case._live_actions().mapped("amount"), default=0.0)
            amount = max(case._worth(case.quantity_at_stake), planned)
            if case.currency_id.compare_amounts(amount, case.amount_at_stake):
                unsealed(case).write({"amount_at_stake": amount})
