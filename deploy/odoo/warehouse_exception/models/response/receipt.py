from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from ...lib.quantity import plain
from ..base.seal import unsealed

RECEIVING = ("backorder", "short_close", "receive_over", "receive_quarantine", "hand_back")
OPEN = ("draft", "waiting", "confirmed", "partially_available", "assigned")


class WarehouseExceptionAction(models.Model):
    """What can be done at the dock, with a receipt from a vendor or a return from a customer.

    A response settles its own line of the receipt: how much was counted, and what becomes of the rest. The receipt is
    validated by it only when nobody waits for another line of it, which is: each open line is marked as picked. Else
    that stays with whoever receives, and the receipt's chatter says so. Nothing is received for a line that nobody
    has counted.
    """

    _inherit = "warehouse.exception.action"

    kind = fields.Selection(
        selection_add=[
            ("backorder", "Receive what was counted, await the rest"),
            ("short_close", "Receive what was counted, expect no more"),
            ("receive_over", "Receive the surplus, too"),
            ("receive_quarantine", "Receive into quarantine"),
            ("hand_back", "Hand back to the carrier"),
        ],
        ondelete=dict.fromkeys(RECEIVING, "cascade"),
    )
    quantity_demand = fields.Float(
        "Receipt expected",
        digits="Product Unit",
        readonly=True,
        help="When this was proposed, in the product's own unit. If it is another when it is to be done, nothing is.",
    )

    @api.model
    def _financial_kinds(self):
        # What is accepted beyond what was ordered will have to be paid.
        return super()._financial_kinds() | {"receive_over"}

    @api.model
    def _kinds_for(self, case):
        return super()._kinds_for(case) | (case._dock_kinds() if case._is_at_the_dock() else set())

    @api.model
    def _defaults_for(self, case, kind):
        values = super()._defaults_for(case, kind)
        at_the_dock = kind in RECEIVING and case._is_at_the_dock()
        return {**values, **case._dock_values(kind)} if at_the_dock else values

    # --- What is done --------------------------------------------------------------------------------------------------

    def _do_backorder(self):
        """What was counted is received; the rest waits in a backorder, for all such lines of the receipt the same."""
        picking, moves = self._receipt()
        if picking.state == "done":
            self._require_received(moves, -self.quantity)
            return self._backorder_of(picking, required=True)
        rest = self._set_apart(moves)
        if not picking.move_ids.filtered(lambda move: move.state in OPEN) - rest:
            # Nothing of it came: the receipt itself is what waits for the rest.
            self._tell_receipt(picking, self.env._("Nothing was counted, so all of it is still expected."))
            return picking
        backorder = self._backorder_of(picking) or picking._create_backorder_picking()
        rest.write({"picking_id": backorder.id, "picked": False})
        rest.move_line_ids.write({"picking_id": backorder.id})
        backorder.action_assign()
        self._count(moves - rest)
        self._conclude(picking, self.env._("The rest waits in %s.", backorder.name))
        return backorder

    def _do_short_close(self):
        """What was counted is received, and nobody waits for the rest any more."""
        picking, moves = self._receipt()
        if picking.state == "done":
            self._require_received(moves, -self.quantity)
            rest = self._backorder_of(picking).move_ids.filtered(lambda move: move.product_id == self.product_id)
            rest._action_cancel()
            self._tell_receipt(picking, self.env._("The rest is not expected any more."))
            return picking
        rest = self._set_apart(moves)
        rest._action_cancel()
        self._count(moves - rest)
        self._conclude(picking, self.env._("The rest is not expected any more."))
        return picking

    def _do_receive_over(self):
        """The surplus is received with the rest of its line; if the receipt is done, by a receipt of its own."""
        picking, moves = self._receipt()
        if picking.state != "done":
            self._count(moves, surplus=self.quantity)
            self._conclude(picking, self.env._("The surplus was accepted."))
            return picking
        if self._differs(self._received(moves), self.quantity_demand + self.quantity):
            self._require_received(moves, 0)
            return self._receive_apart(moves[-1:], moves[-1:].location_dest_id)
        return picking

    def _do_receive_quarantine(self):
        """What is not what the document says goes where nobody picks it, until it is clear what becomes of it."""
        self._require_quantity()
        quarantine = self.location_dest_id
        if not quarantine:
            raise UserError(
                self.env._(
                    "Nobody said where the quarantine is, so nothing was received. Choose the location in the response, "
                    "or in the policy for this kind of exception."
                )
            )
        moves = self.case_id._document_moves()
        if not moves:
            return self._receive_apart(moves, quarantine)
        picking, moves = self._receipt()
        if picking.state == "done":
            raise UserError(
                self.env._(
                    "%(receipt)s is done already, and these goods are in stock. Nothing was moved. Propose to move them to "
                    "quarantine instead.",
                    receipt=picking.name,
                )
            )
        apart = self._set_apart(moves)
        unsealed(apart).write({"location_dest_id": quarantine.id, "exception_case_id": self.case_id.id})
        apart.move_line_ids.location_dest_id = quarantine
        self._count(apart)
        self._conclude(picking, self.env._("It was received into %s.", quarantine.display_name))
        return picking

    def _do_hand_back(self):
        """Nothing enters the stock. That it was refused at the dock is kept with the receipt."""
        picking = self.case_id.picking_id
        self._tell_receipt(picking, self.env._("It was handed back at the dock and not received."))
        return picking

    # --- The receipt and its lines ---------------------------------------------------------------------------------------

    def _receipt(self):
        """The receipt and its lines for the product, if they are still what was approved."""
        self._require_quantity()
        case = self.case_id
        picking, moves = case.picking_id, case._document_moves()
        if not moves or picking.state == "cancel":
            raise UserError(
                self.env._(
                    "There is no receipt with %(product)s any more: nothing was received for %(case)s. Take the case back and "
                    "plan it anew.",
                    product=self.product_id.display_name,
                    case=case.name,
                )
            )
        if picking.state == "draft":
            picking.action_confirm()
        expected = case._expected_of(moves)
        if picking.state != "done" and self._differs(expected, self.quantity_demand):
            raise UserError(
                self.env._(
                    "%(receipt)s expects %(now)s now and expected %(then)s when this was proposed. Nothing was received. "
                    "Take the case back and plan it anew.",
                    receipt=picking.name,
                    now=plain(expected),
                    then=plain(self.quantity_demand),
                )
            )
        return picking, moves

    def _differs(self, one, other):
        return float_compare(one, other, precision_rounding=self.product_id.uom_id.rounding) != 0

    def _received(self, moves):
        done = moves.filtered(lambda move: move.state == "done")
        return sum(move.product_uom._compute_quantity(move.quantity, self.product_id.uom_id) for move in done)

    def _require_received(self, moves, difference):
        """The receipt was validated by hand in the meantime. That is fine, if it says what was approved."""
        received = self._received(moves)
        if self._differs(received, self.quantity_demand + difference):
            raise UserError(
                self.env._(
                    "%(receipt)s was validated in the meantime with %(received)s of the product, which is not what was "
                    "approved. What was received stays. Take the case back and plan it anew.",
                    receipt=self.case_id.picking_id.name,
                    received=plain(received),
                )
            )

    def _backorder_of(self, picking, required=False):
        """The open backorder of the receipt: one for all of its lines."""
        backorder = picking.search(
            [("backorder_id", "=", picking.id), ("state", "not in", ("done", "cancel"))], order="id", limit=1
        )
        if required and not backorder:
            raise UserError(
                self.env._(
                    "%(receipt)s was validated without a backorder, so nobody expects the rest. What was received stays. "
                    "Take the case back and plan it anew.",
                    receipt=picking.name,
                )
            )
        return backorder

    def _set_apart(self, moves):
        """Split this response's quantity off the lines, the last ones first; returns the lines that hold it."""
        apart, left = moves.browse(), self.quantity
        for move in reversed(moves.filtered(lambda move: move.state in OPEN)):
            part = min(left, move.product_qty)
            left -= part
            if not self._differs(part, 0):
                break
            if self._differs(part, move.product_qty):
                new = moves.create(move._split(part))
                new._action_confirm(merge=False, create_proc=False)
                apart |= new
            else:
                apart |= move
        if self._differs(left, 0):
            raise UserError(
                self.env._(
                    "%(receipt)s has less open than the %(quantity)s of this response. Nothing was received. Take the case "
                    "back and plan it anew.",
                    receipt=self.case_id.picking_id.name,
                    quantity=plain(self.quantity),
                )
            )
        return apart

    def _count(self, moves, surplus=0.0):
        """Write down what was counted: each line its demand, and the last one the surplus on top."""
        for move in moves.filtered(lambda move: move.state in OPEN):
            quantity = move.product_qty + (surplus if move == moves[-1:] else 0.0)
            move.quantity = self.product_id.uom_id._compute_quantity(quantity, move.product_uom, round=False)
            if self._name_lot(move):
                move.picked = True

    def _name_lot(self, move):
        """Give the line the lot that was read. False: lots or serial numbers are missing, and the receiver enters them."""
        if self.product_id.tracking == "none":
            return True
        case, lines = self.case_id, move.move_line_ids
        name = case.serial_code if self.product_id.tracking == "serial" else case.lot_code
        if self.product_id.tracking == "lot" or len(lines) == 1 and not self._differs(lines.quantity, 1):
            nameless = lines.filtered(lambda line: not line.lot_id and not line.lot_name)
            if self.lot_id:
                nameless.lot_id = self.lot_id
            elif name:
                nameless.lot_name = name
        return all(line.lot_id or line.lot_name for line in lines)

    def _conclude(self, picking, told):
        """Validate the receipt, if this was the last line that somebody waited for."""
        waiting = picking.move_ids.filtered(lambda move: move.state in OPEN and not move.picked)
        if waiting:
            told += " " + self.env._(
                "It is not validated yet: %s still to be counted, or to get a lot.",
                ", ".join(waiting.product_id.mapped("display_name")),
            )
        elif picking.state not in ("done", "cancel"):
            picking.button_validate()
            if picking.state != "done":
                told += " " + self.env._("Odoo asks something before it is validated: whoever receives does that.")
        self._tell_receipt(picking, told)

    def _receive_apart(self, move, destination):
        """A receipt of its own: for what came on top of a line that is done, or that nobody ordered."""
        receipt = self.case_id.picking_id.copy(
            {"move_ids": [], "move_line_ids": [], "origin": self.case_id.name, **self._apart_values(move, destination)}
        )
        values = {"picking_id": receipt.id, "location_dest_id": destination.id}
        if move:
            moves = move.create(move.copy_data(move._prepare_move_split_vals(self.quantity) | values))
            moves.write({"product_uom": self.product_id.uom_id.id, "product_uom_qty": self.quantity})
        else:
            values |= {"location_id": receipt.location_id.id, "product_id": self.product_id.id}
            moves = move.create({**values, "product_uom_qty": self.quantity, "product_uom": self.product_id.uom_id.id})
        unsealed(moves).write({"exception_case_id": self.case_id.id})
        receipt.action_confirm()
        self._count(moves)
        self._conclude(receipt, self.env._("It was received into %s.", destination.display_name))
        return receipt

    def _apart_values(self, move, destination):
        """What nobody ordered stays its sender's until it is clear what becomes of it: it is worth nothing to us."""
        values = {"location_dest_id": destination.id, "backorder_id": False}
        if not move:
            values["owner_id"] = self.case_id.picking_id.partner_id.id
        return values

    def _tell_receipt(self, picking, text):
        """A note to the receipt, with the case's link."""
        if picking:
            picking._note_exception(self.case_id, text)
