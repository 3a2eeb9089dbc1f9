from odoo import api, fields, models


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    kind = fields.Selection(
        selection_add=[("return_supplier", "Return to the supplier")], ondelete={"return_supplier": "cascade"}
    )

    @api.model
    def _stock_kinds(self):
        return super()._stock_kinds() | {"return_supplier"}

    @api.model
    def _financial_kinds(self):
        return super()._financial_kinds() | {"return_supplier"}

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        return kinds | {"return_supplier"} if "quarantine" in kinds or case.quarantine_open > 0 else kinds

    @api.model
    def _defaults_for(self, case, kind):
        values = super()._defaults_for(case, kind)
        if kind == "return_supplier":
            values |= {**self._from_quarantine(case), "location_dest_id": case._supplier_location().id}
        return values

    def _do_return_supplier(self):
        """A transfer that is ready. Whoever loads the lorry validates it; until then the stock is here."""
        self._require_own_quarantine()
        case = self.case_id
        warehouse = case.warehouse_id
        picking_type = warehouse.in_type_id.return_picking_type_id or warehouse.out_type_id
        return self._move_stock(
            self.location_id,
            self.location_dest_id or case._supplier_location(),
            picking_type,
            finish=False,
            partner_id=case._supplier().id,
            move_values=case._supplier_return_values(),
        )


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _supplier(self):
        """Who delivered it: by the receipt, else the first on the product's list. Bridges know better."""
        case = self.sudo()
        receipt = case.picking_id.filtered(lambda picking: picking.picking_type_code == "incoming")
        sellers = case.product_id.seller_ids.filtered(lambda seller: seller.company_id in (False, case.company_id))
        return receipt.partner_id or sellers[:1].partner_id

    def _supplier_location(self):
        supplier = self._supplier().with_company(self.company_id)
        return supplier.property_stock_supplier or self.env.ref("stock.stock_location_suppliers")

    def _supplier_return_values(self):
        """What else the returning move says. Bridges add the order that it came with."""
        return {}
