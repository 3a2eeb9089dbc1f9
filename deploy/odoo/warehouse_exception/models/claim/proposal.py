from odoo import api, fields, models
from odoo.exceptions import UserError

from ..base.seal import unsealed

CLAIMABLE = ("receiving_discrepancy", "damaged", "quality_hold", "blocked_stock")


class WarehouseExceptionPolicy(models.Model):
    _inherit = "warehouse.exception.policy"

    propose_claim = fields.Boolean(
        "Claim from the vendor",
        tracking=True,
        help="What is short is claimed and not awaited: a claim is proposed by itself, and no backorder is kept.",
    )


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    kind = fields.Selection(selection_add=[("claim", "Claim from the vendor")], ondelete={"claim": "cascade"})
    claim_ids = fields.One2many("warehouse.exception.claim", "action_id", readonly=True)

    @api.model
    def _financial_kinds(self):
        return super()._financial_kinds() | {"claim"}

    @api.model
    def _kinds_for(self, case):
        claimable = case.exception_type in CLAIMABLE and case.sudo()._vendor()
        return super()._kinds_for(case) | ({"claim"} if claimable else set())

    @api.model
    def _defaults_for(self, case, kind):
        """After what is done about the goods, and about what the receipt lacks or has too much of."""
        values = super()._defaults_for(case, kind)
        if kind == "claim":
            short, surplus = case._short_and_surplus()
            values |= {"sequence": 20, "quantity": short or surplus or case.quantity_at_stake}
        return values

    @api.depends("kind")
    def _compute_amount(self):
        """A claim is worth what the order says, and not what the product costs today."""
        claims = self.filtered(lambda action: action.kind == "claim" and action.product_id)
        for action in claims:
            action.amount = action.case_id.sudo()._claim_worth(action.quantity)
        return super(WarehouseExceptionAction, self - claims)._compute_amount()

    def _do_claim(self):
        self._require_quantity()
        case = self.case_id
        vendor = case._vendor()
        if not vendor:
            raise UserError(
                self.env._(
                    "Nobody knows from whom %(product)s came, so no claim was written. Put the vendor on the receipt, or "
                    "link the case to the purchase order, and try again.",
                    product=self.product_id.display_name,
                )
            )
        claim = unsealed(self.env["warehouse.exception.claim"].sudo()).create(self._claim_values(vendor))
        claim = claim.with_env(self.env)
        unsealed(self.env["warehouse.exception.claim.line"].sudo()).create(
            {"claim_id": claim.id, **self._claim_line_values()}
        )
        claim._message_log(body=self.env._("Comes of the approved case %s.", case.name))
        claim._ask_to_send()
        return claim

    def _claim_values(self, vendor):
        case = self.case_id
        return {
            "action_id": self.id,
            "partner_id": vendor.id,
            "picking_id": case.picking_id.id,
            "currency_id": case._claim_price()[1].id,
            "user_id": case.user_id.id,
        }

    def _claim_line_values(self):
        return {
            "product_id": self.product_id.id,
            "lot_id": self.lot_id.id,
            "quantity": self.quantity,
            "uom_id": self.product_id.uom_id.id,
            "price_unit": self.case_id._claim_price()[0],
            "reason": self.note or self.case_id._claim_reason(),
        }


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    claim_ids = fields.One2many("warehouse.exception.claim", "case_id", "Claims", readonly=True)
    claim_count = fields.Integer(compute="_compute_claim_count", string="Number of claims")

    @api.depends("claim_ids")
    def _compute_claim_count(self):
        for case in self:
            case.claim_count = len(case.claim_ids)

    def _claim_reason(self):
        """In the vendor's eyes: what was wrong with the delivery."""
        kinds = dict(self._fields["exception_type"]._description_selection(self.env))
        reason = (self.reason_code or "").replace("_", " ").capitalize()
        return reason or kinds[self.exception_type]

    def action_claims(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.claim_action")
        action |= {"domain": [("case_id", "=", self.id)], "context": {}}
        if len(self.claim_ids) == 1:
            action |= {"views": [(False, "form")], "res_id": self.claim_ids.id}
        return action

    def _claims_by_policy(self):
        return bool(self.policy_id.propose_claim and self.exception_type == "receiving_discrepancy" and self._vendor())

    def _kind_for_short(self):
        return "short_close" if self._claims_by_policy() else super()._kind_for_short()

    def _plan_at_the_dock(self):
        result = super()._plan_at_the_dock()
        short, _surplus = self._short_and_surplus()
        if short and self.product_id and self._claims_by_policy():
            self.env["warehouse.exception.action"]._propose(self, "claim", is_automatic=True)
        return result
