from odoo import fields, models


class WarehouseExceptionPolicy(models.Model):
    _inherit = "warehouse.exception.policy"

    propose_credit = fields.Boolean(
        "Credit the customer",
        tracking=True,
        help="For a shortage or a return a credit note for the customer is proposed by itself, as a draft.",
    )


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _respond_to_kind(self):
        result = super()._respond_to_kind()
        actions = self.env["warehouse.exception.action"]
        if self.policy_id.propose_credit and "credit_customer" in actions._kinds_for(self) and self.product_id:
            wanted, most = self._quantity_to_credit("credit_customer"), self._creditable()
            quantity = wanted if most is None else min(wanted, most)
            if quantity > 0:
                actions._propose(self, "credit_customer", quantity=quantity, is_automatic=True)
        return result

    def _planned(self, kind):
        return self.sudo()._live_actions().filtered(lambda action: action.kind == kind)

    def _claims_without_credit(self):
        claims = self.claim_ids.filtered(lambda claim: claim.state not in ("refused", "settled"))
        return claims.filtered(lambda claim: not claim.sudo()._live_credit_notes())

    def _claimed_or_planned(self):
        return bool(self.sudo()._claims_without_credit() or self._planned("claim"))

    def _quantity_to_credit(self, kind):
        """Of a claim what is claimed, of a shortage what is missing, of a return what came back."""
        if kind == "credit_vendor":
            planned = self._planned("claim").quantity
            return planned or sum(self.sudo()._claims_without_credit()[:1].line_ids.mapped("quantity"))
        if self.exception_type == "return_discrepancy":
            return self._in_product_unit(self.quantity_counted)
        return self.quantity_at_stake

    def _obstacles(self):
        found = super()._obstacles()
        if self._planned("credit_vendor") and not self._claimed_or_planned():
            found.append(self.env._("a vendor's credit note is proposed without a claim"))
        return found
