from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.warehouse_exception.lib.quantity import plain

CREDITS = ("credit_vendor", "credit_customer")
CREDITABLE = ("pick_shortage", "return_discrepancy")


class WarehouseExceptionAction(models.Model):
    """Credit notes as drafts. Whether one is right and when it counts is for the accountants: nothing is posted here."""

    _inherit = "warehouse.exception.action"

    kind = fields.Selection(
        selection_add=[
            ("credit_vendor", "Draft the vendor's credit note"),
            ("credit_customer", "Draft a credit note for the customer"),
        ],
        ondelete=dict.fromkeys(CREDITS, "cascade"),
    )

    @api.model
    def _financial_kinds(self):
        return super()._financial_kinds() | set(CREDITS)

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        if case._claimed_or_planned():
            kinds = kinds | {"credit_vendor"}
        if case.exception_type in CREDITABLE and case.sudo()._customer():
            kinds = kinds | {"credit_customer"}
        return kinds

    @api.model
    def _defaults_for(self, case, kind):
        """Last of all: a credit note is about what was done before it."""
        values = super()._defaults_for(case, kind)
        return {**values, "sequence": 30, "quantity": case._quantity_to_credit(kind)} if kind in CREDITS else values

    @api.depends("kind")
    def _compute_amount(self):
        credits = self.filtered(lambda action: action.kind in CREDITS and action.product_id)
        for action in credits:
            case = action.case_id.sudo()
            worth = case._claim_worth if action.kind == "credit_vendor" else case._sold_worth
            action.amount = worth(action.quantity)
        return super(WarehouseExceptionAction, self - credits)._compute_amount()

    def _do_credit_vendor(self):
        claim = self.case_id._claims_without_credit()[:1]
        if not claim:
            raise UserError(
                self.env._(
                    "%s has no claim that a credit note could be about, so none was drafted. Propose the claim as well.",
                    self.case_id.name,
                )
            )
        lines = [
            {
                "product_id": line.product_id.id,
                "name": self.env._("%(claim)s: %(reason)s", claim=claim.name, reason=line.reason),
                "quantity": line.quantity,
                "product_uom_id": line.uom_id.id,
                "price_unit": line.price_unit,
                **self.case_id._credit_line_values(),
            }
            for line in claim.line_ids
        ]
        values = {"exception_claim_id": claim.id, "ref": claim.vendor_reference}
        return self._draft("in_refund", claim.partner_id, claim.currency_id, claim.name, lines, **values)

    def _do_credit_customer(self):
        self._require_quantity()
        case = self.case_id
        customer = case._customer()
        if not customer:
            raise UserError(
                self.env._("Nobody knows for whom %s was, so no credit note was drafted.", self.product_id.display_name)
            )
        most = case._creditable()
        if most is not None and self._differs(self.quantity, min(self.quantity, most)):
            raise UserError(
                self.env._(
                    "No more than %(most)s of %(product)s was invoiced and not delivered, so %(quantity)s can't be credited. "
                    "No credit note was drafted. Change the quantity, or withdraw this response.",
                    most=plain(max(most, 0)),
                    product=self.product_id.display_name,
                    quantity=plain(self.quantity),
                )
            )
        price, currency = case._sold_at()
        line = {
            "product_id": self.product_id.id,
            "name": self.env._("%(case)s: %(product)s", case=case.name, product=self.product_id.display_name),
            "quantity": self.quantity,
            "product_uom_id": self.product_id.uom_id.id,
            "price_unit": price,
            **case._customer_credit_line_values(),
        }
        return self._draft("out_refund", customer, currency, case.picking_id.origin or case.name, [line])

    def _draft(self, move_type, partner, currency, origin, lines, **values):
        """A draft, and only that: the accountants look at it, and post it or not."""
        case = self.case_id
        moves = self.env["account.move"].sudo().with_company(case.company_id)
        draft = moves.with_context(default_move_type=move_type).create(
            {
                "move_type": move_type,
                "company_id": case.company_id.id,
                "partner_id": partner.id,
                "currency_id": currency.id,
                "invoice_origin": origin,
                "exception_case_id": case.id,
                "auto_post": "no",
                "invoice_line_ids": [fields.Command.create(line) for line in lines],
                **values,
            }
        )
        draft._message_log(body=self.env._("Drafted from the approved case %s.", case._get_html_link()))
        return draft
