from odoo import api, models


class WarehouseExceptionResolver(models.AbstractModel):
    _inherit = "warehouse.exception.resolver"

    @api.model
    def _sale_order(self, company, code):
        orders = self.env["sale.order"]
        if not code:
            return orders
        return self._only(orders.search([("company_id", "=", company.id), ("name", "=", code)], limit=2))
