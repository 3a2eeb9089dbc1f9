from odoo import api, fields, models
from odoo.fields import Domain

from ...lib.quantity import plain
from ..base.seal import not_acting, unsealed


class WarehouseExceptionAction(models.Model):
    """Whom the stock is reserved for that a response wants to take. It takes from them only what a person chose to, and
    only from those whom the approver was shown.
    """

    _inherit = "warehouse.exception.action"

    free_only = fields.Boolean(
        "Move only what is free", help="What is reserved for somebody stays; the rest of the quantity is moved."
    )
    release_reserved = fields.Boolean(
        "Release reservations",
        help="Takes what is missing from the transfers named here, and no others. They get stock from another bin, if "
        "there is any, and a note.",
    )
    reserved_for = fields.Char(compute="_compute_reserved_for", help="The transfers that hold stock at this place.")
    release_move_ids = fields.Many2many(
        "stock.move",
        "warehouse_exception_action_release_rel",
        string="To be released",
        readonly=True,
        copy=False,
        help="Who held the stock when the decision was asked for.",
    )
    quantity_done = fields.Float("Done", digits="Product Unit", readonly=True, copy=False)

    @api.model
    def _editable_fields(self):
        return super()._editable_fields() | {"free_only", "release_reserved"}

    @api.model
    def _stock_kinds(self):
        """Kinds that take stock from `location_id`."""
        return set()

    @api.depends("kind", "state", "product_id", "lot_id", "location_id")
    def _compute_reserved_for(self):
        kinds = self._stock_kinds()
        for action in self:
            waits = action.kind in kinds and action.state in ("proposed", "approved", "failed")
            action.reserved_for = waits and self._in_words(action._reserving_lines())

    def _reserving_lines(self):
        """The move lines that hold what this response is about, where it is."""
        self.ensure_one()
        lines = self.env["stock.move.line"].sudo()
        if not self.product_id or not self.location_id:
            return lines
        domain = Domain("state", "not in", ("done", "cancel")) & Domain("quantity_product_uom", ">", 0)
        return lines.search(self._stock_domain(self.location_id) & domain, order="id")

    def _stock_domain(self, source):
        """What this response is about at `source`, as a domain on quants or on move lines."""
        domain = Domain("product_id", "=", self.product_id.id) & Domain("location_id", "child_of", source.id)
        if self.lot_id:
            domain &= Domain("lot_id", "=", self.lot_id.id)
        # Where the destination lies within the source, what is there already stays.
        if self.location_dest_id and self.location_dest_id._child_of(source):
            domain &= ~Domain("location_id", "child_of", self.location_dest_id.id)
        return domain

    @api.model
    def _in_words(self, lines):
        """'WH/OUT/00012 (4), WH/OUT/00013 (1)'"""
        held = {}
        for line in lines:
            name = line.picking_id.name or line.move_id.reference or self.env._("a transfer without a name")
            held[name] = held.get(name, 0) + line.quantity_product_uom
        return ", ".join(f"{name} ({plain(quantity)})" for name, quantity in held.items())

    def _reservation_notice(self):
        facts = {"what": self.display_name, "bin": self.location_id.display_name, "holders": self.reserved_for}
        if self.release_reserved:
            return self.env._("%(what)s from %(bin)s releases, as far as needed: %(holders)s.", **facts)
        if self.free_only:
            return self.env._("%(what)s from %(bin)s moves only what is free of: %(holders)s.", **facts)
        return self.env._("%(what)s from %(bin)s leaves alone, and fails if too little is free: %(holders)s.", **facts)

    def _name_reservations(self):
        """Write down who is to lose a reservation, so that this is what is approved."""
        for action in self.sudo():
            named = action._reserving_lines().move_id if action.release_reserved else action.env["stock.move"]
            if named != action.release_move_ids:
                unsealed(action).write({"release_move_ids": [fields.Command.set(named.ids)]})

    def _releasable_lines(self):
        """What may be taken from others, the case's own transfer first and then what is due last."""
        lines = self._reserving_lines().filtered(lambda line: not line.picked and line.move_id in self.release_move_ids)
        own = self.case_id.picking_id
        return lines.sorted(lambda line: (line.picking_id != own, -line.move_id.date.timestamp(), -line.id))

    def _release(self, missing):
        """Free `missing` of what the named transfers hold; returns {move: how much it lost}."""
        unit, lost = self.product_id.uom_id, {}
        for line in self._releasable_lines():
            if unit.compare(missing, 0) <= 0:
                break
            part = min(line.quantity_product_uom, missing)
            left = line.quantity_product_uom - part
            lost[line.move_id] = lost.get(line.move_id, 0) + part
            missing -= part
            # In another unit the rest might not be a whole number; it is reserved anew afterwards.
            if unit.is_zero(left) or line.product_uom_id != unit:
                line.unlink()
            else:
                line.quantity = left
        return lost

    def _reserve_again(self, lost):
        """Give those who lost something stock from elsewhere, if there is any, and tell them."""
        for move, quantity in lost.items():
            # A lock on other stock lets this response pass, and not those who reserve after it.
            not_acting(move)._action_assign()
            move.picking_id._message_log(
                body=self.env._(
                    "%(case)s: %(quantity)s %(unit)s of %(product)s that were reserved for this transfer in %(bin)s were "
                    "released, as approved there. Reserved are %(reserved)s of %(wanted)s %(move_unit)s.",
                    case=self.case_id.name,
                    quantity=plain(quantity),
                    unit=self.uom_id.name,
                    product=self.product_id.display_name,
                    bin=self.location_id.display_name,
                    reserved=plain(move.quantity),
                    wanted=plain(move.product_uom_qty),
                    move_unit=move.product_uom.name,
                )
            )


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    reservation_notice = fields.Text(
        compute="_compute_reservation_notice", help="Whose reservations a response meets, and what was chosen."
    )

    @api.depends("action_ids.reserved_for", "action_ids.free_only", "action_ids.release_reserved")
    def _compute_reservation_notice(self):
        for case in self:
            meeting = case.action_ids.filtered("reserved_for")
            case.reservation_notice = "\n".join(action._reservation_notice() for action in meeting) or False

    def action_reservations(self):
        """A list of what is planned here, to choose what happens to what is reserved."""
        self.ensure_one()
        view = self.env.ref("warehouse_exception.action_view_list_reservations")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reserved stock"),
            "res_model": "warehouse.exception.action",
            "views": [(view.id, "list")],
            "domain": [("case_id", "=", self.id), ("id", "in", self._live_actions().filtered("reserved_for").ids)],
            "target": "new",
        }

    def _submit(self, why=None):
        self._live_actions()._name_reservations()
        return super()._submit(why)
