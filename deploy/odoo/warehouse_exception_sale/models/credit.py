from odoo import models


class WarehouseExceptionCase(models.Model):
    """To whom a credit goes, and at what price, as the order says."""

    _inherit = "warehouse.exception.case"

    def _own_sale_line(self):
        line = self.sudo().sale_line_id
        return line if line.product_id == self.product_id else line.browse()

    def _customer(self):
        return self.sudo().sale_order_id.partner_invoice_id or super()._customer()

    def _sold_at(self):
        """As it was sold, with the discount, without taxes, for one in the product's own unit."""
        line = self._own_sale_line()
        if not line:
            return super()._sold_at()
        price = line.product_uom_id._compute_price(line.price_unit * (1 - line.discount / 100), self.product_id.uom_id)
        return price, line.currency_id

    def _customer_credit_line_values(self):
        line = self._own_sale_line()
        if not line:
            return super()._customer_credit_line_values()
        return {
            **super()._customer_credit_line_values(),
            "sale_line_ids": [(4, line.id)],
            "tax_ids": [(6, 0, line.tax_ids.ids)],
        }

    def _creditable(self):
        """What was invoiced and not delivered. What came back was delivered before, so all that was invoiced counts."""
        line = self._own_sale_line()
        if not line:
            return super()._creditable()
        invoiced = line.qty_invoiced
        if self.exception_type != "return_discrepancy":
            invoiced -= line.qty_delivered
        return line.product_uom_id._compute_quantity(max(invoiced, 0.0), self.product_id.uom_id)
