from odoo import api, models

from ..base.remember import remember


class WarehouseExceptionResolver(models.AbstractModel):
    """What the cases of one request will ask for, looked up for all of them: some queries a model, not some a case."""

    _inherit = "warehouse.exception.resolver"

    @api.model
    def _prepare(self, cases):
        for company, ours in cases.grouped("company_id").items():
            self._prepare_products(company, ours)
            self._prepare_documents(company, ours)
        for warehouse, ours in cases.grouped("warehouse_id").items():
            self._remember_all("_location", warehouse, self._locations(warehouse, list(set(ours.mapped("bin_code")))))

    @api.model
    def _remember_all(self, method, scope, answers):
        for question, answer in answers.items():
            rest = question if isinstance(question, tuple) else (question,)
            remember(self.env, method, (scope, *rest), answer)

    @api.model
    def _prepare_products(self, company, cases):
        asked = list({(case.product_code, case.gtin) for case in cases})
        products = self._products(company, asked)
        self._remember_all("_product", company, products)
        # What is asked of each of them, fetched together, and no more: a product has a hundred columns.
        found = self.env["product.product"].union(*products.values())
        found.product_tmpl_id.fetch(["uom_id", "tracking", "company_id", "categ_id"])
        for inherited in ("uom_id", "tracking", "company_id"):
            found.mapped(inherited)
        found.uom_id.fetch(["name", "parent_path"])
        lots = {(products[case.product_code, case.gtin], case.lot_code, case.serial_code) for case in cases}
        self._remember_all("_lot", company, self._lots(company, list(lots)))

    @api.model
    def _prepare_documents(self, company, cases):
        """The transfers, and what their moves move."""
        asked = {(case.document_code, self._product(company, case.product_code, case.gtin)) for case in cases}
        pickings = self._pickings(company, list(asked))
        self._remember_all("_picking", company, pickings)
        found = self.env["stock.picking"].union(*pickings.values())
        found.move_ids.fetch(["product_id", "state", "product_uom", "product_uom_qty", *self._move_fields()])
        return found

    @api.model
    def _move_fields(self):
        """What else is read of each move. Bridges add theirs."""
        return []
