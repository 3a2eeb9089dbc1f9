from odoo import models


class WarehouseExceptionCase(models.Model):
    """What goes back to the supplier goes back on the order that it came with."""

    _inherit = "warehouse.exception.case"

    def _supplier(self):
        return self.sudo().purchase_order_id.partner_id or super()._supplier()

    def _supplier_return_values(self):
        values = super()._supplier_return_values()
        line = self.sudo().purchase_line_id
        return {**values, "purchase_line_id": line.id, "to_refund": True} if line else values
