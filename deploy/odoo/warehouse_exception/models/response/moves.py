from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ...lib.quantity import plain
from ..base.seal import unsealed


class WarehouseExceptionAction(models.Model):
    """Moving stock for a case. Nobody's reservation is taken without a word: Odoo itself would unreserve a customer's
    delivery when more is moved than is free.
    """

    _inherit = "warehouse.exception.action"

    def _move_stock(self, source, destination, picking_type=None, finish=True, **values):
        """A transfer of what this response is about; done at once, or ready for people to do it (`finish=False`)."""
        self._require_places(source, destination)
        taken, lost = self._take(source)
        picking = self._make_picking(taken, source, destination, picking_type, values)
        picking.action_confirm()
        picking.move_ids._action_assign()
        if finish:
            picking.move_ids.picked = True
            picking._action_done()
        if picking.state != ("done" if finish else "assigned"):
            raise UserError(
                self.env._(
                    "The transfer of %(product)s from %(source)s to %(destination)s could not be completed, so nothing was "
                    "moved. Look for a lock or a rule on that stock.",
                    product=self.product_id.display_name,
                    source=source.display_name,
                    destination=destination.display_name,
                )
            )
        self._settle_taking(taken, lost)
        return picking

    def _require_places(self, source, destination):
        self._require_quantity()
        if not source or not destination:
            raise UserError(self.env._("'%s': say from where and to where. Nothing was moved.", self.display_name))
        if source == destination:
            raise UserError(self.env._("'%s': it is there already. Choose another place.", self.display_name))

    def _take(self, source):
        """([(quant, how much of it)], {move: how much it lost}) for what this response needs at `source`."""
        self._require_quantity()
        if self.product_id.tracking != "none" and not self.lot_id:
            raise UserError(
                self.env._(
                    "%s is tracked by lot or serial number: choose which one on the response. Nothing was moved.",
                    self.product_id.display_name,
                )
            )
        unit, lost = self.product_id.uom_id, {}
        taken = self._free_quants(source)
        missing = self.quantity - sum(quantity for _quant, quantity in taken)
        if unit.compare(missing, 0) > 0:
            self._check_shortage(source, missing)
            lost = self._release(missing)
            taken = self._free_quants(source)
        return taken, lost

    def _free_quants(self, source):
        """What is nobody's, the oldest first, up to the quantity of this response."""
        domain = self._stock_domain(source) & Domain("quantity", ">", 0)
        unit, wanted, taken = self.product_id.uom_id, self.quantity, []
        for quant in self.env["stock.quant"].sudo().search(domain, order="in_date, id"):
            part = min(quant.quantity - quant.reserved_quantity, wanted)
            if unit.compare(part, 0) > 0:
                taken.append((quant, part))
                wanted -= part
        return taken

    def _check_shortage(self, source, missing):
        """Refuse in words, unless people chose to move less or to take it from those who were named."""
        unit = self.product_id.uom_id
        free = self.quantity - missing
        releasable = sum(self._releasable_lines().mapped("quantity_product_uom"))
        if unit.compare(releasable, missing) >= 0 or (self.free_only and unit.compare(free + releasable, 0) > 0):
            return
        holders = self._in_words(self._reserving_lines())
        facts = {
            "product": self.product_id.display_name,
            "bin": source.display_name,
            "free": plain(free),
            "wanted": plain(self.quantity),
            "unit": unit.name,
            "holders": holders,
        }
        if holders:
            raise UserError(
                self.env._(
                    "Of %(product)s in %(bin)s, %(free)s of %(wanted)s %(unit)s are free. The rest is reserved for "
                    "%(holders)s. Nothing was moved and no reservation was touched. Plan again: move only what is free, or "
                    "choose to release reservations (not of what is picked already) and ask for approval, or wait until "
                    "those transfers are done.",
                    **facts,
                )
            )
        raise UserError(
            self.env._(
                "On record %(bin)s holds only %(free)s of %(wanted)s %(unit)s of %(product)s. Nothing was moved. Correct "
                "the quantity or the place, or have the place counted first.",
                **facts,
            )
        )

    def _make_picking(self, taken, source, destination, picking_type, values):
        case, places = self.case_id, {"location_id": source.id, "location_dest_id": destination.id}
        shared = {**places, "product_id": self.product_id.id, "company_id": case.company_id.id}
        # Named to the quant: by itself Odoo would take whichever lot, package or bin comes first.
        lines = [
            Command.create(
                {
                    **shared,
                    "location_id": quant.location_id.id,
                    "lot_id": quant.lot_id.id,
                    "package_id": quant.package_id.id,
                    "owner_id": quant.owner_id.id,
                    "product_uom_id": self.uom_id.id,
                    "quantity": quantity,
                }
            )
            for quant, quantity in taken
        ]
        move = {
            **shared,
            "product_uom": self.uom_id.id,
            "product_uom_qty": sum(quantity for _quant, quantity in taken),
            "origin": case.name,
            "exception_case_id": case.id,
            "move_line_ids": lines,
        }
        picking_type = picking_type or case.warehouse_id.int_type_id
        return (
            self.env["stock.picking"]
            .with_company(case.company_id)
            .create(
                {
                    **places,
                    "company_id": case.company_id.id,
                    "picking_type_id": picking_type.id,
                    "origin": case.name,
                    "move_ids": [Command.create({**move, **values.pop("move_values", {})})],
                    **values,
                }
            )
        )

    def _settle_taking(self, taken, lost):
        """Write down how much was taken, and tell everybody concerned."""
        done = sum(quantity for _quant, quantity in taken)
        unsealed(self).write({"quantity_done": done})
        self._reserve_again(lost)
        if self.uom_id.compare(done, self.quantity) < 0:
            text = self.env._(
                "%(what)s: %(done)s of %(wanted)s %(unit)s; the rest is reserved for others or not there, and stays.",
                what=self.display_name,
                done=plain(done),
                wanted=plain(self.quantity),
                unit=self.uom_id.name,
            )
            self.case_id._message_log(body=text)
            self.case_id._ask_to_do(self.case_id.user_id, self.env._("Deal with the rest"), text)
