from odoo import api, models
from odoo.tools import escape_psql

from ...lib import gtin as gtins
from ..base.remember import remembered

_MANY = 50


class WarehouseExceptionResolver(models.AbstractModel):
    """From a code as it was read to the one record that it means.

    Each method tries the most certain meaning first and stops at the first that anything has. Two candidates are as
    good as none: a person maps the case, because a wrong guess would look like a fact.

    The work is done for many codes at once; what is asked for one by one was mostly looked up by `_prepare`.
    """

    _name = "warehouse.exception.resolver"
    _description = "Resolves what was read to records"

    @api.model
    @remembered
    def _product(self, company, code, gtin):
        return self._products(company, [(code, gtin)])[code, gtin]

    @api.model
    @remembered
    def _location(self, warehouse, code):
        return self._locations(warehouse, [code])[code]

    @api.model
    @remembered
    def _picking(self, company, code, product):
        return self._pickings(company, [(code, product)])[code, product]

    @api.model
    @remembered
    def _lot(self, company, product, lot, serial):
        return self._lots(company, [(product, lot, serial)])[product, lot, serial]

    # --- Products ----------------------------------------------------------------------------------------------------

    @api.model
    def _products(self, company, questions):
        """{(code, gtin): product} by barcode, then by a packaging's barcode, then by internal reference."""
        ours = [("company_id", "in", (False, company.id))]
        codes = {question: self._product_codes(*question) for question in questions}
        named = self._by_barcode(ours, {code for rounds in codes.values() for one in rounds for code in one})
        found = {question: self._first_named(rounds, named) for question, rounds in codes.items()}
        referred = self._by_reference(ours, {code for (code, _gtin), known in found.items() if code and not known})
        return {
            (code, gtin): self._only(known or referred.get(code, known)) for (code, gtin), known in found.items()
        }

    @api.model
    def _by_barcode(self, ours, codes):
        """({barcode: products}, the same by the barcodes of packagings)."""
        if not codes:
            return {}, {}
        domain = [*ours, ("barcode", "in", list(codes))]
        packagings = self.env["product.uom"].search(domain)
        return (
            self.env["product.product"].search_fetch(domain, ["barcode", "product_tmpl_id"]).grouped("barcode"),
            {barcode: named.product_id for barcode, named in packagings.grouped("barcode").items()},
        )

    @api.model
    def _first_named(self, rounds, named):
        none = self.env["product.product"]
        for codes in rounds:
            for by_barcode in named:
                if products := none.union(*(by_barcode.get(code, none) for code in codes)):
                    return products
        return none

    @api.model
    def _by_reference(self, ours, codes):
        products = self.env["product.product"]
        return products.search([*ours, ("default_code", "in", list(codes))]).grouped("default_code") if codes else {}

    @api.model
    def _product_codes(self, code, gtin):
        """Lists of barcodes to look for, the most certain first: each spelling of the GTIN (the master data may have
        fewer zeros) with the code as it was read, and then the short form of a UPC.
        """
        canonical = gtins.canonical(gtin or "") or gtins.canonical(code or "")
        spellings = gtins.spellings(canonical) if canonical else []
        short = gtins.short_forms(canonical) if canonical else []
        return list(filter(None, [list(filter(None, [*spellings, gtin, code])), short]))

    # --- Places, documents, lots -------------------------------------------------------------------------------------

    @api.model
    def _locations(self, warehouse, codes):
        """{code: location} by barcode, then by full name, then by its own name: first in the device's warehouse."""
        ours = [("company_id", "in", (False, warehouse.company_id.id))]
        here = [*ours, ("id", "child_of", warehouse.view_location_id.id)]
        found = dict.fromkeys(codes, self.env["stock.location"])
        left = set(filter(None, codes))
        for domain, field in (
            (here, "barcode"),
            (ours, "barcode"),
            (ours, "complete_name"),
            (here, "name"),
            (ours, "name"),
        ):
            if not left:
                break
            wanted = [*domain, (field, "in", list(left))]
            named = self.env["stock.location"].search_fetch(wanted, [field, "company_id"]).grouped(field)
            found |= {code: self._only(locations) for code, locations in named.items()}
            left -= set(named)
        return found

    @api.model
    def _pickings(self, company, questions):
        """{(code, product): transfer} by its own name, then by its source document; what is to be done goes first."""
        none = self.env["stock.picking"]
        ours = [("company_id", "=", company.id)]
        codes = {code for code, _product in questions if code}
        wanted = ["name", "state", "company_id", *self._picking_fields()]
        named = none.search_fetch([*ours, ("name", "in", list(codes))], wanted).grouped("name") if codes else {}
        sources = self._by_source(ours, list(codes - set(named)))
        return {
            (code, product): self._only(named[code])
            if code in named
            else self._only_for(sources.get(code, none), product)
            for code, product in questions
        }

    @api.model
    def _picking_fields(self):
        """What else is read of each transfer. Bridges add theirs."""
        return []

    @api.model
    def _by_source(self, ours, codes):
        """{source document: transfers}, of each so many as a person could tell apart."""
        pickings = self.env["stock.picking"]
        if not codes:
            return {}
        limit = _MANY * len(codes)
        found = pickings.search([*ours, ("origin", "in", codes)], limit=limit)
        if len(codes) > 1 and len(found) == limit:
            # One of them has so many that others may have been cut off.
            return {code: pickings.search([*ours, ("origin", "=", code)], limit=_MANY) for code in codes}
        return found.grouped("origin")

    @api.model
    def _only_for(self, pickings, product):
        """Of several transfers with one source document: the open one, and then the one that moves the product."""
        pickings = pickings.filtered(lambda picking: picking.state not in ("done", "cancel")) or pickings
        if len(pickings) > 1 and product:
            pickings = pickings.filtered(lambda picking: product in picking.move_ids.product_id)
        return self._only(pickings)

    @api.model
    def _lots(self, company, questions):
        """{(product, lot, serial): lot}. What the product is tracked by goes first; some labels carry both."""
        lots = self.env["stock.lot"]
        names = {name for product, *codes in questions if product for name in codes if name}
        products = lots.product_id.union(*(product for product, *_codes in questions))
        domain = [
            ("product_id", "in", products.ids),
            ("name", "in", list(names)),
            ("company_id", "in", (False, company.id)),
        ]
        known = lots.search(domain).grouped(lambda lot: (lot.product_id, lot.name)) if names else {}
        found = {}
        for product, lot, serial in questions:
            order = (serial, lot) if product.tracking == "serial" else (lot, serial)
            candidates = (self._only(known.get((product, name), lots)) for name in order)
            found[product, lot, serial] = next(filter(None, candidates), lots)
        return found

    @api.model
    def _uom(self, product, unit):
        """The product's own unit, or a named one that can be converted to it."""
        return self._unit_like(product.uom_id, unit) if unit else product.uom_id

    @api.model
    @remembered
    def _unit_like(self, own, unit):
        for lang in dict.fromkeys((self.env.lang, "en_US")):
            named = self._units_named(lang, unit)
            if own:
                named = named.filtered(lambda uom: uom._has_common_reference(own))
            if named:
                return self._only(named)
        return own.browse()

    @api.model
    @remembered
    def _units_named(self, lang, unit):
        uoms = self.env["uom.uom"]
        return uoms.browse(uoms.with_context(lang=lang).search([("name", "=ilike", escape_psql(unit))]).ids)

    @api.model
    def _named(self, model, company, names):
        """{name: record} of the company's documents of a model that have one of these names alone. For bridges."""
        records, names = self.env[model], list(filter(None, names))
        found = records.search([("company_id", "=", company.id), ("name", "in", names)]) if names else records
        return {name: self._only(alike) for name, alike in found.grouped("name").items()}

    @api.model
    def _only(self, records):
        return records if len(records) == 1 else records.browse()
