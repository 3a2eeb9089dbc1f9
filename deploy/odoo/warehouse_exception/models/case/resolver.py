from odoo import api, models
from odoo.tools import escape_psql

from ...lib import gtin as gtins

_MANY = 50


class WarehouseExceptionResolver(models.AbstractModel):
    """From a code as it was read to the one record that it means.

    Each method tries the most certain meaning first and stops at the first that anything has. Two candidates are as
    good as none: a person maps the case, because a wrong guess would look like a fact.
    """

    _name = "warehouse.exception.resolver"
    _description = "Resolves what was read to records"

    @api.model
    def _product(self, company, code, gtin):
        """The product by barcode, then by a packaging's barcode, then by internal reference."""
        ours = [("company_id", "in", (False, company.id))]
        products = self.env["product.product"]
        for codes in self._product_codes(code, gtin):
            products = products.search([*ours, ("barcode", "in", codes)], limit=2)
            if not products:
                packagings = self.env["product.uom"].search([*ours, ("barcode", "in", codes)], limit=2)
                products = packagings.product_id
            if products:
                break
        if not products and code:
            products = products.search([*ours, ("default_code", "=", code)], limit=2)
        return self._only(products)

    @api.model
    def _product_codes(self, code, gtin):
        """Lists of barcodes to look for, the most certain first: each spelling of the GTIN (the master data may have
        fewer zeros) with the code as it was read, and then the short form of a UPC.
        """
        canonical = gtins.canonical(gtin or "") or gtins.canonical(code or "")
        spellings = gtins.spellings(canonical) if canonical else []
        short = gtins.short_forms(canonical) if canonical else []
        return list(filter(None, [list(filter(None, [*spellings, gtin, code])), short]))

    @api.model
    def _location(self, warehouse, code):
        """The location by barcode, then by full name, then by its own name: first in the device's warehouse."""
        ours = [("company_id", "in", (False, warehouse.company_id.id))]
        here = [*ours, ("id", "child_of", warehouse.view_location_id.id)]
        locations = self.env["stock.location"]
        if not code:
            return locations
        for domain, field in (
            (here, "barcode"),
            (ours, "barcode"),
            (ours, "complete_name"),
            (here, "name"),
            (ours, "name"),
        ):
            locations = locations.search([*domain, (field, "=", code)], limit=2)
            if locations:
                break
        return self._only(locations)

    @api.model
    def _picking(self, company, code, product):
        """The transfer by its own name, then by its source document; what is still to be done goes first."""
        pickings = self.env["stock.picking"]
        if not code:
            return pickings
        ours = [("company_id", "=", company.id)]
        named = pickings.search([*ours, ("name", "=", code)], limit=2)
        if named:
            return self._only(named)
        return self._only_for(pickings.search([*ours, ("origin", "=", code)], limit=_MANY), product)

    @api.model
    def _only_for(self, pickings, product):
        """Of several transfers with one source document: the open one, and then the one that moves the product."""
        pickings = pickings.filtered(lambda picking: picking.state not in ("done", "cancel")) or pickings
        if len(pickings) > 1 and product:
            pickings = pickings.filtered(lambda picking: product in picking.move_ids.product_id)
        return self._only(pickings)

    @api.model
    def _lot(self, company, product, lot, serial):
        """What the product is tracked by goes first; some labels carry both."""
        lots = self.env["stock.lot"]
        if not product:
            return lots
        names = (serial, lot) if product.tracking == "serial" else (lot, serial)
        for name in filter(None, names):
            domain = [("product_id", "=", product.id), ("name", "=", name), ("company_id", "in", (False, company.id))]
            if found := self._only(lots.search(domain, limit=2)):
                return found
        return lots

    @api.model
    def _uom(self, product, unit):
        """The product's own unit, or a named one that can be converted to it."""
        uoms = self.env["uom.uom"]
        if not unit:
            return product.uom_id
        for lang in dict.fromkeys((self.env.lang, "en_US")):
            named = uoms.with_context(lang=lang).search([("name", "=ilike", escape_psql(unit))])
            if product:
                named = named.filtered(lambda uom: uom._has_common_reference(product.uom_id))
            if named:
                return self._only(uoms.browse(named.ids))
        return uoms

    @api.model
    def _only(self, records):
        return records if len(records) == 1 else records.browse()
