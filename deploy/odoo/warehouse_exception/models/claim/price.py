from odoo import models


class WarehouseExceptionCase(models.Model):
    """Whom a claim or a credit goes to, and at what price. Bridges know it from the order."""

    _inherit = "warehouse.exception.case"

    def _vendor(self):
        """Who sent what came in: the contact of a receipt."""
        self.ensure_one()
        picking = self.picking_id
        from_vendor = picking.picking_type_id.code == "incoming" and picking.location_id.usage == "supplier"
        return picking.partner_id if from_vendor else picking.partner_id.browse()

    def _claim_price(self):
        """(price of one in the product's own unit, currency): the cost, where nobody knows what was agreed."""
        self.ensure_one()
        cost = self.product_id.sudo().with_company(self.company_id).standard_price
        return cost, self.currency_id

    def _claim_worth(self, quantity):
        """`quantity` at that price, in the company's currency."""
        price, currency = self._claim_price()
        return currency._convert(abs(quantity) * price, self.currency_id, self.company_id, self.received_at.date())

    def _credit_line_values(self):
        """What ties a line of the vendor's credit note to what was ordered. Bridges know it."""
        return {}

    def _customer(self):
        """Who was to get the goods, or sent them back: the contact of a delivery or of a return."""
        self.ensure_one()
        picking = self.picking_id
        ours = "customer" in (picking.location_dest_id.usage, picking.location_id.usage)
        return picking.partner_id if ours else picking.partner_id.browse()

    def _sold_at(self):
        """(price of one in the product's own unit, currency): the list price, where nobody knows what was agreed."""
        self.ensure_one()
        return self.product_id.sudo().with_company(self.company_id).lst_price, self.currency_id

    def _sold_worth(self, quantity):
        """`quantity` at that price, in the company's currency."""
        price, currency = self._sold_at()
        return currency._convert(abs(quantity) * price, self.currency_id, self.company_id, self.received_at.date())

    def _customer_credit_line_values(self):
        """What ties a line of the customer's credit note to what was sold. Bridges know it."""
        return {}

    def _creditable(self):
        """How much can be credited to the customer at most, in the product's own unit; None: nobody knows."""
        return None
