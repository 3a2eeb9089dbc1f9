from odoo import api, fields, models


class WarehouseExceptionPolicy(models.Model):
    _inherit = "warehouse.exception.policy"

    matrix_ids = fields.One2many("warehouse.exception.policy.band", "policy_id", "Approval matrix", copy=True)

    def _approvals_needed(self, case):
        """Which decisions `case` needs, in their order: 'operational', 'second', 'financial'.

        What every fitting band asks for adds up. What touches money needs a financial decision in any case.
        """
        if self.immaterial == "auto" and self._is_immaterial(case):
            return []
        bands = self.matrix_ids.filtered(lambda band: band._fits(case))
        needed = ["operational"]
        if any(bands.mapped("four_eyes")):
            needed.append("second")
        if any(bands.mapped("financial")) or any(case._live_actions().mapped("is_financial")):
            needed.append("financial")
        return needed


class WarehouseExceptionPolicyBand(models.Model):
    """One line of the matrix: from when on which approvals are needed. All its conditions must hold."""

    _name = "warehouse.exception.policy.band"
    _description = "Band of the approval matrix"
    _order = "policy_id, min_amount, min_quantity, id"

    policy_id = fields.Many2one("warehouse.exception.policy", required=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="policy_id.currency_id")
    min_amount = fields.Monetary("From amount")
    min_quantity = fields.Float("From quantity", digits="Product Unit")
    tracked_only = fields.Boolean("Only lots and serial numbers")
    critical_only = fields.Boolean("Only critical products")
    four_eyes = fields.Boolean("Two operational approvals", help="By two people: four eyes.")
    financial = fields.Boolean("Financial approval")
    operational_user_ids = fields.Many2many(
        "res.users",
        "warehouse_exception_band_operational_rel",
        string="Operational approvers",
        help="Of those with the role, only these. Empty: any of them.",
    )
    financial_user_ids = fields.Many2many(
        "res.users",
        "warehouse_exception_band_financial_rel",
        string="Financial approvers",
        help="Of those with the role, only these. Empty: any of them.",
    )

    @api.model
    def _users_field(self, step):
        return "financial_user_ids" if step == "financial" else "operational_user_ids"

    def _fits(self, case):
        product = case.product_id
        return (
            case.amount_at_stake >= self.min_amount
            and case.quantity_at_stake >= self.min_quantity
            and (not self.tracked_only or product.tracking != "none")
            and (not self.critical_only or product.exception_critical)
        )
