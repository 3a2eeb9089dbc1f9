from odoo import fields, models
from odoo.tools import float_compare

from ...lib.quantity import plain

WRONG_ITEM = "wrong_item"


class WarehouseExceptionCase(models.Model):
    """What came is not what the receipt says: less, more, or something else."""

    _inherit = "warehouse.exception.case"

    move_id = fields.Many2one(
        "stock.move",
        "Line of the transfer",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="If there is exactly one of the product.",
    )

    def _respond_receiving_discrepancy(self):
        self._link_line()
        self._tell_document()
        self._ask_lead()
        self._plan_at_the_dock()

    def _plan_at_the_dock(self):
        """Propose what fits most; people may choose another of `_dock_kinds`. Then tell whoever stands there."""
        actions = self.env["warehouse.exception.action"]
        short, surplus = self._short_and_surplus()
        if not self.picking_id or not self.product_id:
            return
        if self._is_wrong_item() and not short:
            actions._propose(self, "receive_quarantine", is_automatic=True)
            self._instruct("set_aside", self.env._("Set it aside: it is not what the document says."))
        elif short:
            actions._propose(self, self._kind_for_short(), is_automatic=True)
            self._instruct("receive_counted", self.env._("Go on with what is there. The rest is being dealt with."))
        elif surplus:
            actions._propose(self, "receive_over", is_automatic=True)
            self._instruct(
                "set_aside", self.env._("Set the surplus aside until it is decided."), quantity=plain(surplus)
            )

    def _kind_for_short(self):
        return "backorder"

    # --- What is true of a case at the dock ------------------------------------------------------------------------------

    def _is_at_the_dock(self):
        return self.exception_type in ("receiving_discrepancy", "return_discrepancy") and bool(self.picking_id)

    def _link_line(self):
        moves = self._document_moves()
        self.move_id = moves if len(moves) == 1 else False

    def _document_moves(self):
        """The lines of the case's transfer that move its product."""
        self.ensure_one()
        return self.picking_id.move_ids.filtered(
            lambda move: move.product_id == self.product_id and move.state != "cancel"
        )

    def _expected_of(self, moves):
        """In the product's own unit. A line that is done counts with what it received."""
        return sum(
            (
                move.product_uom._compute_quantity(move.quantity, self.product_id.uom_id)
                if move.state == "done"
                else move.product_qty
            )
            for move in moves
        )

    def _short_and_surplus(self):
        """How much is missing and how much is too much, in the product's own unit; one of them is 0.

        The transfer counts before what the device thought it would say: the device may have been offline for hours.
        """
        moves = self._document_moves()
        if not self.is_counted or not moves:
            return 0.0, 0.0
        open_ones = moves.filtered(lambda move: move.state != "done")
        reported = self._in_product_unit(self.quantity_expected) if self.expected_source != "unknown" else 0.0
        expected = self._expected_of(moves) if open_ones else reported
        difference = self._in_product_unit(self.quantity_counted) - expected
        if float_compare(difference, 0, precision_rounding=self.product_id.uom_id.rounding) == 0:
            return 0.0, 0.0
        return (-difference, 0.0) if difference < 0 else (0.0, difference)

    def _is_wrong_item(self):
        """Somebody said so, or the transfer has no line of this product."""
        return WRONG_ITEM in (self.reason_code or "") or bool(self.product_id and not self._document_moves())

    def _dock_kinds(self):
        """The responses that make sense for what was counted."""
        short, surplus = self._short_and_surplus()
        kinds = set()
        if short:
            kinds |= {"backorder", "short_close"}
        if surplus:
            kinds |= {"receive_over", "receive_quarantine", "hand_back"}
        if self._is_wrong_item():
            kinds |= {"receive_quarantine", "hand_back"}
        return kinds

    def _dock_values(self, kind):
        """What a response to this case says, as far as it isn't told."""
        moves = self._document_moves()
        short, surplus = self._short_and_surplus()
        counted = self._in_product_unit(self.quantity_counted)
        quantity = short if kind in ("backorder", "short_close") else surplus or counted
        done = moves and not moves.filtered(lambda move: move.state != "done")
        reported = self._in_product_unit(self.quantity_expected)
        values = {
            "quantity": quantity,
            "quantity_demand": reported if done else self._expected_of(moves),
            "move_id": moves.id if len(moves) == 1 else False,
            "location_id": self.picking_id.location_id.id,
            "location_dest_id": self.picking_id.location_dest_id.id,
        }
        if kind == "receive_quarantine":
            values["location_dest_id"] = self._quarantine_location().id
        return values

    # --- Who is told -----------------------------------------------------------------------------------------------------

    def _tell_document(self):
        if self.picking_id:
            self.picking_id._note_exception(self, self._discrepancy_in_words())

    def _ask_lead(self):
        kind = dict(self._fields["exception_type"]._description_selection(self.env))[self.exception_type]
        summary = self.env._("%(kind)s: %(case)s", kind=kind, case=self.name)
        self._ask_to_do(self.warehouse_id.sudo().exception_lead_id, summary, self._discrepancy_in_words())

    def _discrepancy_in_words(self):
        """What was reported, in a line."""
        item = self.product_id.display_name or self.gtin or self.product_code or self.env._("An unknown item")
        if not self.is_counted:
            return item
        counted = plain(self.quantity_counted)
        if self.expected_source == "unknown":
            return self.env._("%(item)s: %(counted)s counted.", item=item, counted=counted)
        return self.env._(
            "%(item)s: %(counted)s counted, %(expected)s expected.",
            item=item,
            counted=counted,
            expected=plain(self.quantity_expected),
        )
