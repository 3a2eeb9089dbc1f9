from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..base.seal import is_unsealed

STATES = [
    ("draft", "Draft"),
    ("sent", "Sent"),
    ("accepted", "Accepted"),
    ("refused", "Refused"),
    ("settled", "Settled"),
]
# What people may write down by hand. The rest was approved, or is written by the buttons.
EDITABLE = frozenset("vendor_reference note user_id".split())


class WarehouseExceptionClaim(models.Model):
    """What a vendor is to make good. It comes of an approved response and says what was approved."""

    _name = "warehouse.exception.claim"
    _description = "Supplier claim"
    _inherit = ["mail.thread", "mail.activity.mixin", "warehouse.exception.roles"]
    _order = "id desc"
    _mail_post_access = "read"

    name = fields.Char("Number", required=True, readonly=True, copy=False)
    state = fields.Selection(STATES, default="draft", required=True, readonly=True, index=True, tracking=True)
    action_id = fields.Many2one(
        "warehouse.exception.action", "Response", required=True, readonly=True, ondelete="restrict"
    )
    case_id = fields.Many2one(related="action_id.case_id", store=True, index=True)
    company_id = fields.Many2one(related="case_id.company_id", store=True, index=True)
    partner_id = fields.Many2one("res.partner", "Vendor", required=True, readonly=True, index=True, ondelete="restrict")
    picking_id = fields.Many2one("stock.picking", "Receipt", readonly=True, index="btree_not_null", ondelete="restrict")
    user_id = fields.Many2one("res.users", "Responsible", tracking=True, domain="[('share', '=', False)]")
    vendor_reference = fields.Char("Vendor's reference", tracking=True)
    note = fields.Text("To the vendor")

    line_ids = fields.One2many("warehouse.exception.claim.line", "claim_id", "Lines", readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True, ondelete="restrict")
    amount = fields.Monetary("Claimed", compute="_compute_amount", store=True, help="Without taxes.")
    recovered = fields.Monetary(
        readonly=True, tracking=True, help="What the vendor made good in the end, without taxes."
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company currency")
    amount_company = fields.Monetary(
        "Claimed (company currency)",
        compute="_compute_amount_company",
        store=True,
        currency_field="company_currency_id",
        aggregator="sum",
    )
    recovered_company = fields.Monetary(
        "Recovered (company currency)",
        compute="_compute_recovered_company",
        store=True,
        currency_field="company_currency_id",
        aggregator="sum",
    )
    drafted_on = fields.Date(required=True, readonly=True, default=fields.Date.context_today)
    sent_at = fields.Datetime(readonly=True, copy=False)
    answered_at = fields.Datetime(readonly=True, copy=False)
    settled_at = fields.Datetime(readonly=True, copy=False)

    _name_unique = models.Constraint("UNIQUE(name)", "A claim has a number of its own.")
    _action_unique = models.Constraint("UNIQUE(action_id)", "One claim comes of one response.")
    _recovered_positive = models.Constraint("CHECK(recovered >= 0)", "What was recovered can't be negative.")

    @api.depends("line_ids.amount")
    def _compute_amount(self):
        for claim in self:
            claim.amount = sum(claim.line_ids.mapped("amount"))

    @api.depends("amount", "currency_id", "drafted_on", "company_id")
    def _compute_amount_company(self):
        for claim in self:
            claim.amount_company = claim._in_company_currency(claim.amount)

    @api.depends("recovered", "currency_id", "drafted_on", "company_id")
    def _compute_recovered_company(self):
        for claim in self:
            claim.recovered_company = claim._in_company_currency(claim.recovered)

    def _in_company_currency(self, amount):
        """At the rate of the day it was drafted, so that what was claimed and what came of it compare."""
        if not self.currency_id or not self.company_currency_id:
            return amount
        return self.currency_id._convert(amount, self.company_currency_id, self.company_id, self.drafted_on)

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("A claim comes of an approved response. Propose one on the case."))
        for vals in vals_list:
            vals["name"] = self.env["ir.sequence"].next_by_code(self._name)
        return super().create(vals_list)

    def write(self, vals):
        if not is_unsealed(self.env):
            sealed = set(vals) - EDITABLE - self._mail_fields()
            if sealed:
                raise AccessError(
                    self.env._(
                        "A claim says what was approved and moves on by its buttons: %s can't be edited. Nothing was changed.",
                        ", ".join(sorted(sealed)),
                    )
                )
        return super().write(vals)

    @api.model
    def _mail_fields(self):
        """Followers, messages and activities: to write these is to talk about a claim, not to change it."""
        return {name for name in self._fields if name.startswith(("message_", "activity_"))}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("A claim can't be deleted: it stays readable for an audit."))
