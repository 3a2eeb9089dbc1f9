from odoo import api, fields, models


class SettleClaim(models.TransientModel):
    """How much came back of a claim."""

    _name = "warehouse.exception.settle.claim"
    _description = "Settle a supplier claim"

    claim_id = fields.Many2one("warehouse.exception.claim", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="claim_id.currency_id")
    amount = fields.Monetary("Claimed", related="claim_id.amount")
    recovered = fields.Monetary(required=True)

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        claim = self.env["warehouse.exception.claim"].browse(self.env.context.get("active_id")).exists()
        if claim:
            values |= {"claim_id": claim.id, "recovered": claim._recovered_so_far()}
        return values

    def action_settle(self):
        self.ensure_one()
        self.claim_id.action_settle(self.recovered)
