from odoo import models


class WarehouseExceptionCase(models.Model):
    """What a receipt's exceptions mean for the purchase: the buyer is told, and the order knows vendor and price."""

    _inherit = "warehouse.exception.case"

    def _respond_receiving_discrepancy(self):
        self._link_purchase_line()
        result = super()._respond_receiving_discrepancy()
        self._ask_buyer()
        return result

    def _link_purchase_line(self):
        """The line by the receipt's own link, which is certain also where an order has the product twice."""
        line = self.sudo()._document_moves().purchase_line_id
        if len(line) == 1 and not self.purchase_line_id:
            self.write({"purchase_line_id": line.id, "purchase_order_id": line.order_id.id})

    def _ask_buyer(self):
        self.sudo().purchase_order_id._ask_buyer_about(self, self._discrepancy_in_words())

    def _tell_document(self):
        self.sudo().purchase_order_id._note_exception(self, self._discrepancy_in_words())
        return super()._tell_document()

    def _vendor(self):
        return self.sudo().purchase_order_id.partner_id or super()._vendor()

    def _claim_price(self):
        """As it was ordered, with the discount, for one in the product's own unit."""
        line = self.sudo().purchase_line_id
        if not line or line.product_id != self.product_id:
            return super()._claim_price()
        price = line.product_uom_id._compute_price(line.price_unit_discounted, self.product_id.uom_id)
        return price, line.currency_id

    def _credit_line_values(self):
        """What ties a line of the vendor's credit note to the order, and its taxes."""
        line = self.sudo().purchase_line_id
        if not line or line.product_id != self.product_id:
            return super()._credit_line_values()
        return {**super()._credit_line_values(), "purchase_line_id": line.id, "tax_ids": [(6, 0, line.tax_ids.ids)]}
