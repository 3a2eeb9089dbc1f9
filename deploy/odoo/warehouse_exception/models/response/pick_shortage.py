from odoo import models

from ...lib.quantity import plain

TOLD = 5  # what fits on a handheld
LOOKED_AT = 50


class WarehouseExceptionCase(models.Model):
    """A picker found less than is needed. The order is helped first; what the bin really has is counted, not guessed."""

    _inherit = "warehouse.exception.case"

    def _respond_pick_shortage(self):
        if not self.product_id.is_storable:
            return
        if self.location_id and self.policy_id.auto_hold:
            # Locked and not corrected: one look in a hurry is no count.
            self._hold_at_once()
        bins = self._help_order(self._short_move(), self._missing())
        self._check_replenishment(bins)
        if self.location_id and not self.count_ids:
            if self.policy_id.auto_recount:
                self._do_at_once("recount")
            else:
                self.env["warehouse.exception.action"]._propose(self, "recount", is_automatic=True)
        self._tell_shortage(self._short_move(), self._missing())

    def _respond_again_pick_shortage(self, event):
        """Another picker stands before the same bin. The bin is locked and being counted; their order needs help, too."""
        if not self.product_id.is_storable:
            return
        move = self._short_move(event.picking_id)
        if event.is_counted and move:
            told = self._in_product_unit(event.quantity_expected) if event.is_expected_known else move.product_qty
            missing = max(told - self._in_product_unit(event.quantity_counted), 0)
        else:
            missing = 0.0
        self._help_order(move, missing)
        self._tell_shortage(move, missing)

    def _help_order(self, move, missing):
        """Send whoever picks to other bins, and reserve there. Returns what is free in them."""
        bins = self._alternate_bins(move)
        reserved = self._reserve_elsewhere(move, missing, bins)
        self._instruct_alternates(bins, reserved, move.picking_id)
        return bins

    def _short_move(self, picking=None):
        """What of the transfer is short. None, if the transfer is not known or has nothing of it left to do."""
        self.ensure_one()
        moves = (picking or self.picking_id).move_ids.filtered(
            lambda move: move.product_id == self.product_id and move.state not in ("draft", "done", "cancel")
        )
        return moves[:1] if self.exception_type == "pick_shortage" else moves.browse()

    def _missing(self):
        """How much was not found, in the product's own unit. Nobody knows, if nobody said how much was expected."""
        known = self.is_counted and self.expected_source != "unknown"
        return self._in_product_unit(max(-self.quantity_variance, 0)) if known else 0.0

    # --- The suspect bin ---------------------------------------------------------------------------------------------

    def _hold_spares_reserved(self):
        """There is less than the system thinks, and nothing is wrong with what is there: other orders keep theirs, and
        this one ships what was found.
        """
        return super()._hold_spares_reserved() or self.exception_type == "pick_shortage"

    def _plan_after_count(self, count, plan):
        """Somebody knows what is there: the bin can be used again once that is decided."""
        suspect = self._active_holds().filtered(lambda hold: hold.reason == "suspect" and hold.location_id)
        if any(count.location_id._child_of(hold.location_id) for hold in suspect):
            self.env["warehouse.exception.action"]._propose(self, "release", is_automatic=True, sequence=20)
        return super()._plan_after_count(count, plan)

    # --- Where else it is --------------------------------------------------------------------------------------------

    def _alternate_bins(self, move):
        where = move.location_id or self.warehouse_id.lot_stock_id
        return self.env["stock.quant"]._exception_free_bins(
            self.product_id, where, self.company_id, self.location_id, limit=LOOKED_AT
        )

    def _reserve_elsewhere(self, move, missing, bins):
        """Returns how much of this order is reserved in which other bin."""
        # A move that waits for another one takes what that one brings, from nowhere else.
        if not move or move.move_orig_ids or not bins or self.product_id.uom_id.is_zero(missing):
            return {}
        done = self.action_ids.filtered(
            lambda action: action.kind == "reserve_elsewhere" and action.move_id == move and action.state != "withdrawn"
        )
        values = {"move_id": move.id, "quantity": missing}
        if not done and self.policy_id.auto_reserve_elsewhere:
            done = self._do_at_once("reserve_elsewhere", **values)
        elif not done:
            self.env["warehouse.exception.action"]._propose(self, "reserve_elsewhere", is_automatic=True, **values)
        if done[:1].state != "done":
            return {}
        elsewhere = move.move_line_ids.filtered(lambda line: not line.location_id._child_of(self.location_id))
        by_bin = elsewhere.grouped("location_id")
        return {location: sum(lines.mapped("quantity_product_uom")) for location, lines in by_bin.items()}

    def _instruct_alternates(self, bins, reserved, picking):
        """Tell where to go: first where it is reserved for this transfer, then where the most is. All who reported read
        the same instructions, so what is reserved names its transfer.
        """
        said = [line for line in self.instructions or [] if line.get("code") == "alternate_bin"]
        told = {(line["bin"], line.get("document")) for line in said}
        free = dict(bins)
        first = [(location, free.get(location, reserved[location])) for location in reserved]
        rest = [(location, quantity) for location, quantity in bins if location not in reserved]
        for location, quantity in (first + rest)[:TOLD]:
            code, unit = self._code_of(location), self.product_id.uom_id.name
            facts = {"bin": code, "quantity": plain(quantity), "unit": unit}
            text = self.env._("%(bin)s has %(quantity)s %(unit)s", **{**facts, "bin": location.name})
            if location in reserved:
                facts |= {"reserved": plain(reserved[location]), "document": picking.name}
                text = self.env._("%(text)s, %(reserved)s for %(document)s", text=text, **facts)
            if (code, facts.get("document")) not in told:
                self._instruct("alternate_bin", text, **facts)

    # --- New stock ---------------------------------------------------------------------------------------------------

    def _orderpoint(self):
        """The reordering rule nearest to the bin: its own, then that of what it lies in, up to the warehouse's."""
        self.ensure_one()
        rules = (
            self.env["stock.warehouse.orderpoint"]
            .sudo()
            .search([("product_id", "=", self.product_id.id), ("warehouse_id", "=", self.warehouse_id.id)], limit=50)
        )
        around = rules.filtered(lambda rule: self.location_id and self.location_id._child_of(rule.location_id))
        return (around or rules).sorted(lambda rule: -(rule.location_id.parent_path or "").count("/"))[:1]

    def _check_replenishment(self, bins):
        """Propose what no other bin has, or what the reordering rule wants anyway."""
        unit = self.product_id.uom_id
        uncovered = max(self._missing() - sum(quantity for _location, quantity in bins), 0)
        rule = self._orderpoint()
        wanted = max(uncovered, rule.qty_to_order)
        if unit.is_zero(wanted) or self.action_ids.filtered(lambda action: action.kind == "replenish"):
            return
        if not rule:
            self._no_other_stock(uncovered)
        elif self.policy_id.auto_replenish:
            self._do_at_once("replenish", quantity=wanted, location_dest_id=rule.location_id.id)
        else:
            action = self.env["warehouse.exception.action"]
            action._propose(self, "replenish", quantity=wanted, location_dest_id=rule.location_id.id, is_automatic=True)

    def _no_other_stock(self, uncovered):
        whom = self.user_id or self.warehouse_id.exception_lead_id
        summary = self.env._(
            "%(quantity)s %(unit)s are nowhere else",
            quantity=plain(uncovered),
            unit=self.product_id.uom_id.name,
        )
        note = self.env._(
            "No other bin has them free, and no reordering rule brings them. Order, or tell the customer."
        )
        self._ask_to_do(whom, summary, note)

    def _tell_shortage(self, move, missing):
        """Of `move`, if it is known, `missing` was not found. Bridges tell whoever promised the goods."""
