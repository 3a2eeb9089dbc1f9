from odoo import fields, models


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    purchase_order_id = fields.Many2one("purchase.order", check_company=True, tracking=True, ondelete="restrict")
    purchase_line_id = fields.Many2one("purchase.order.line", "Purchase order line", tracking=True, ondelete="restrict")

    def _find_references(self):
        found = super()._find_references()
        resolver = self.env["warehouse.exception.resolver"]
        picking = self.picking_id or self.picking_id.browse(found.get("picking_id"))
        product = self.product_id or self.product_id.browse(found.get("product_id"))
        order = (
            self.purchase_order_id
            or picking.purchase_id
            or resolver._purchase_order(self.company_id, self.document_code)
        )
        lines = order.order_line.filtered(lambda line: product and line.product_id == product)
        if order and not self.purchase_order_id:
            found["purchase_order_id"] = order.id
        if len(lines) == 1 and not self.purchase_line_id:
            found["purchase_line_id"] = lines.id
        return found

    def _needs_document(self):
        return super()._needs_document() and not self.purchase_order_id

    def _unresolved_depends(self):
        return [*super()._unresolved_depends(), "purchase_order_id"]
