from odoo import fields, models


class AccountMove(models.Model):
    """A credit note leads back to what it came of."""

    _inherit = "account.move"

    exception_case_id = fields.Many2one(
        "warehouse.exception.case", "Exception", readonly=True, copy=False, index="btree_not_null", ondelete="restrict"
    )
    exception_claim_id = fields.Many2one(
        "warehouse.exception.claim", "Claim", readonly=True, copy=False, index="btree_not_null", ondelete="restrict"
    )
