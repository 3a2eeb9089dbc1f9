from odoo import api, models

from odoo.addons.warehouse_exception.models.base.remember import remembered


class WarehouseExceptionResolver(models.AbstractModel):
    _inherit = "warehouse.exception.resolver"

    @api.model
    @remembered
    def _sale_order(self, company, code):
        return self._named("sale.order", company, [code]).get(code, self.env["sale.order"])

    @api.model
    def _prepare_documents(self, company, cases):
        pickings = super()._prepare_documents(company, cases)
        codes = set(filter(None, cases.mapped("document_code")))
        orders = self._named("sale.order", company, codes)
        none = self.env["sale.order"]
        self._remember_all("_sale_order", company, {code: orders.get(code, none) for code in codes})
        found = pickings.sale_id | none.union(*orders.values())
        found.fetch(["company_id", "order_line"])
        found.order_line.fetch(["product_id"])
        return pickings

    @api.model
    def _picking_fields(self):
        return [*super()._picking_fields(), "sale_id"]
