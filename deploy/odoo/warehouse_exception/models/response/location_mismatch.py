from odoo import api, fields, models

from ...lib.quantity import plain

MANY = 20


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    kind = fields.Selection(selection_add=[("relocate", "Relocate")], ondelete={"relocate": "cascade"})

    @api.model
    def _stock_kinds(self):
        return super()._stock_kinds() | {"relocate"}

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        return kinds | {"relocate"} if case.exception_type == "location_mismatch" else kinds

    def _missing_for_stock(self):
        missing = super()._missing_for_stock()
        if self.kind == "relocate" and not self.location_dest_id:
            missing.append(self.env._("to where"))
        return missing

    def _do_relocate(self):
        """The record follows the goods: from where they are on record to where they are, or are brought."""
        return self._move_stock(self.location_id, self.location_dest_id)


class WarehouseExceptionCase(models.Model):
    """Something is in a bin that shouldn't hold it. What is on record elsewhere may be this; else somebody counts."""

    _inherit = "warehouse.exception.case"

    def _respond_location_mismatch(self):
        if not self.product_id or not self.location_id:
            return
        source, destination = self._relocation()
        if source and destination:
            quantity = self.quantity_at_stake or self._recorded_at(source)
            self.env["warehouse.exception.action"]._propose(
                self,
                "relocate",
                location_id=source.id,
                location_dest_id=destination.id,
                quantity=quantity,
                is_automatic=True,
            )
            self._tell_where_it_belongs(source, destination)
        else:
            self._ask_for_recount()

    def _relocation(self):
        """(from, to): the record follows the goods if they are on record in one other bin; if they are on record where
        they were found, they go where put-away rules want them. Several candidates are as good as none.
        """
        nowhere = self.env["stock.location"]
        if self._recorded_at(self.location_id) >= max(self.quantity_at_stake, self.product_id.uom_id.rounding):
            right = self.warehouse_id.lot_stock_id.sudo()._get_putaway_strategy(self.product_id, self.quantity_at_stake)
            fits = right.usage == "internal" and right not in (self.location_id, self.warehouse_id.lot_stock_id)
            return (self.location_id, right) if fits else (nowhere, nowhere)
        places = self._recorded_places()
        return (next(iter(places)), self.location_id) if len(places) == 1 else (nowhere, nowhere)

    def _recorded_places(self):
        """{bin: how much} of where the product is on record in this warehouse, enough for what was found."""
        domain = [
            ("product_id", "=", self.product_id.id),
            ("location_id", "child_of", self.warehouse_id.view_location_id.id),
            ("location_id", "!=", self.location_id.id),
            ("location_id.usage", "=", "internal"),
            ("quantity", ">", 0),
        ]
        if self.lot_id:
            domain.append(("lot_id", "=", self.lot_id.id))
        places = self.env["stock.quant"].sudo()._read_group(domain, ["location_id"], ["quantity:sum"], limit=MANY)
        unit = self.product_id.uom_id
        return {place: held for place, held in places if unit.compare(held, self.quantity_at_stake) >= 0}

    def _recorded_at(self, location):
        lot = [("lot_id", "=", self.lot_id.id)] if self.lot_id else []
        here = [("product_id", "=", self.product_id.id), ("location_id", "=", location.id), *lot]
        [(held,)] = self.env["stock.quant"].sudo()._read_group(here, [], ["quantity:sum"])
        return held or 0.0

    def _tell_where_it_belongs(self, source, destination):
        stays = destination == self.location_id
        other = source if stays else destination
        facts = {"product": self.product_id.display_name, "bin": other.display_name}
        if stays:
            text = self.env._("%(product)s is on record in %(bin)s. Leave it until the office has decided.", **facts)
        else:
            text = self.env._("%(product)s belongs in %(bin)s. Leave it until the office has decided.", **facts)
        self._instruct("relocate", text, bin=self._code_of(other))

    def _ask_for_recount(self):
        """Nobody knows where it comes from, or there are several that it could be."""
        places = ", ".join(f"{place.display_name} ({plain(held)})" for place, held in self._recorded_places().items())
        facts = {"product": self.product_id.display_name, "bin": self.location_id.display_name}
        self._ask_to_do(
            self.sudo().warehouse_id.exception_lead_id or self.user_id,
            self.env._("Count %(product)s in %(bin)s", **facts),
            self.env._(
                "%(product)s was found in %(bin)s. On record it is in: %(places)s.",
                places=places or self.env._("no other bin"),
                **facts,
            ),
        )
        self._instruct(
            "recount",
            self.env._("Count all of %(product)s in %(bin)s.", **facts),
            bin=self._code_of(self.location_id) or self.bin_code,
        )
