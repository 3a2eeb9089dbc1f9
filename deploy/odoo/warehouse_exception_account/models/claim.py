from odoo import fields, models


class WarehouseExceptionClaim(models.Model):
    _inherit = "warehouse.exception.claim"

    credit_note_ids = fields.One2many("account.move", "exception_claim_id", "Credit notes", readonly=True)
    credit_note_count = fields.Integer(compute="_compute_credit_note_count", string="Number of credit notes")

    def _compute_credit_note_count(self):
        """Counted with more rights than whoever looks may have: the number is no secret, the note is."""
        found = dict(
            self.env["account.move"]
            .sudo()
            ._read_group([("exception_claim_id", "in", self.ids)], ["exception_claim_id"], ["__count"])
        )
        for claim in self:
            claim.credit_note_count = found.get(claim._origin, 0)

    def _live_credit_notes(self):
        return self.credit_note_ids.filtered(lambda move: move.state != "cancel")

    def _recovered_so_far(self):
        """What the accountants have posted of it, where they have."""
        posted = self.sudo().credit_note_ids.filtered(lambda move: move.state == "posted")
        return min(sum(posted.mapped("amount_untaxed")), self.amount) if posted else super()._recovered_so_far()

    def action_credit_notes(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_in_refund_type")
        return action | {"domain": [("exception_claim_id", "=", self.id)], "context": {}}
