from odoo import api, models

from odoo.addons.warehouse_exception.models.base.remember import remembered


class WarehouseExceptionResolver(models.AbstractModel):
    _inherit = "warehouse.exception.resolver"

    @api.model
    @remembered
    def _purchase_order(self, company, code):
        return self._named("purchase.order", company, [code]).get(code, self.env["purchase.order"])

    @api.model
    def _prepare_documents(self, company, cases):
        pickings = super()._prepare_documents(company, cases)
        codes = set(filter(None, cases.mapped("document_code")))
        orders = self._named("purchase.order", company, codes)
        none = self.env["purchase.order"]
        self._remember_all("_purchase_order", company, {code: orders.get(code, none) for code in codes})
        pickings.move_ids.purchase_line_id.fetch(["order_id", "product_id"])
        found = pickings.purchase_id | none.union(*orders.values())
        found.fetch(["company_id", "order_line"])
        found.order_line.fetch(["product_id"])
        return pickings

    @api.model
    def _move_fields(self):
        return [*super()._move_fields(), "purchase_line_id"]
