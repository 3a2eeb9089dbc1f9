from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_hold import HoldCommon

# What an RPC client could put into its context, hoping that something is skipped.
KEYS = {
    "warehouse_exception_acting": True,
    "warehouse_exception_unsealed": True,
    "warehouse_exception_barred": "no",
    "skip_expired": True,
    "skip_backorder": True,
    "skip_sanity_check": True,
    "with_expiration": False,
    "is_scrap": True,
    "inventory_mode": True,
    "bypass_entire_pack": True,
    "ignore_dest_packages": True,
    "tracking_disable": True,
    "install_mode": True,
    "import_file": True,
    "force_delete": True,
}


class BlockedCommon(HoldCommon):
    def line_values(self, quantity, destination, lot=None, source=None):
        return {
            "product_id": self.product.id,
            "product_uom_id": self.product.uom_id.id,
            "quantity": quantity,
            "lot_id": (lot or self.lot).id,
            "location_id": (source or self.bin).id,
            "location_dest_id": destination.id,
        }

    def move(self, quantity, destination, source=None, user=None, context=None, **values):
        """Take goods somewhere by hand, as far as Odoo lets `user`."""
        moves = self.env["stock.move"].with_user(user or self.env.user).with_context(**(context or {}))
        source = source or self.bin
        move = moves.create(
            {
                "product_id": self.product.id,
                "product_uom_qty": quantity,
                "location_id": source.id,
                "location_dest_id": destination.id,
                "picked": True,
                "move_line_ids": [(0, 0, {**self.line_values(quantity, destination, source=source), "picked": True})],
                **values,
            }
        )
        return move._action_done()

    def released(self, case):
        self.actions.with_user(self.as_investigate)._propose(case, "release")
        self.decided(case)
        case.with_user(self.as_release).action_execute()
        self.assertEqual((case.state, case.failure), ("resolved", False))

    def bypassing(self):
        """Each key alone, and all of them."""
        yield from ({key: value} for key, value in KEYS.items())
        yield KEYS


@tagged("post_install", "-at_install")
class TestBlocked(BlockedCommon):
    """From the signed event to the end, with what is in stock and reserved after each step."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.suppliers = cls.env.ref("stock.stock_location_suppliers")
        cls.shelf = cls.env["stock.location"].create({"name": "B", "location_id": cls.warehouse.lot_stock_id.id})
        cls.leader = cls.user("leads quality", "warehouse_exception.group_user")
        team = cls.env["warehouse.exception.team"].create({"name": "Quality", "leader_id": cls.leader.id})
        for kind in ("blocked_stock", "quality_hold"):
            cls.policy_of(kind).team_id = team

    def _expire(self, days=1, lot=None):
        self.product.use_expiration_date = True
        (lot or self.lot).expiration_date = fields.Datetime.now() - timedelta(days=days)

    def test_a_blocked_lot_is_locked_decided_about_released_and_shipped(self):
        picking = self.reserved(8)
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (10, 8))

        case = self.reported()
        hold = case.hold_ids
        self.assertEqual((hold.state, hold.lot_id, hold.location_id.id, hold.reason), ("active", self.lot, False, "blocked"))
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of(), picking.move_ids.state), (10, 0, "confirmed"))
        self.assertIn(case.name, self.told(picking))
        self.assertEqual(case.activity_ids.user_id, self.leader)
        self.assertEqual(case.instructions[0]["code"], "do_not_take")

        picking.action_assign()
        self.assertEqual((self.reserved_of(), picking.move_ids.quantity), (0, 0))
        with self.refused("can't be taken"):
            picking.move_ids.move_line_ids.create({**self.line_values(8, self.customers), "move_id": picking.move_ids.id})
        with self.refused("can't be taken"):
            self.move(2, self.customers)
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (10, 0))

        self.actions.with_user(self.as_investigate)._propose(case, "release")
        self.decided(case)
        self.assertTrue(self.lot.exception_blocked)
        with self.assertRaises(AccessError):
            case.with_user(self.as_execute).action_execute()
        case.with_user(self.as_release).action_execute()
        self.assertEqual((hold.state, hold.released_by_id, case.state), ("released", self.as_release, "resolved"))
        self.assertIn(case.name, hold.release_reason)
        self.assertFalse(self.lot.exception_blocked)

        picking.action_assign()
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (10, 8))
        picking.move_ids.picked = True
        picking._action_done()
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (2, 0))
        case.with_user(self.as_close).action_close()

    def test_nobody_releases_without_an_approval(self):
        case = self.reported()
        self.actions.with_user(self.as_investigate)._propose(case, "release")
        for person in (self.as_release, self.as_override, self.as_manager, self.as_approve):
            with self.subTest(person.login), self.assertRaises(UserError):
                case.with_user(person).action_execute()
            with self.assertRaises(AccessError):
                case.hold_ids.with_user(person).write({"state": "released"})
        self.assertEqual(case.hold_ids.state, "active")

    def test_a_quality_hold_without_a_lot_locks_the_bin_and_no_other(self):
        self.stock(5, location=self.shelf, lot=self.lot)
        case = self.reported("quality_hold", lot=None)
        self.assertEqual((case.hold_ids.location_id, case.hold_ids.lot_id.id), (self.bin, False))
        picking = self.reserved(8)
        self.assertEqual((self.reserved_of(), self.reserved_of(location=self.shelf)), (0, 5))
        self.assertEqual(picking.move_ids.state, "partially_available")
        self.released(case)
        picking.action_assign()
        self.assertEqual((self.reserved_of(), self.reserved_of(location=self.shelf)), (3, 5))

    def test_a_quality_hold_is_released_by_its_own_case_only(self):
        case, other = self.reported("quality_hold"), self.reported("blocked_stock")
        self.released(other)
        self.assertEqual((case.hold_ids.state, other.hold_ids.state), ("active", "released"))
        picking = self.reserved(8)
        self.assertEqual((self.reserved_of(), picking.move_ids.state), (0, "confirmed"))

    def test_a_policy_that_locks_nothing_by_itself_asks_people(self):
        self.policy_of("blocked_stock").auto_hold = False
        self.reserved(8)
        case = self.reported()
        self.assertFalse(case.hold_ids)
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (10, 8))
        self.assertEqual(case._live_actions().mapped("kind"), ["hold"])
        self.decided(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.hold_ids.state, self.reserved_of()), ("active", 0))

    def test_a_report_that_nobody_can_map_locks_nothing_and_still_escalates(self):
        case = self.opened(self.handheld.event("blocked_stock", item={"code": self.product.barcode}))
        self.assertFalse(case.hold_ids)
        self.assertEqual((case.activity_ids.user_id, case._live_actions().kind), (self.leader, "hold"))

    def test_held_goods_go_to_quarantine_and_to_nowhere_else(self):
        self.reported()
        for destination in (self.customers, self.suppliers, self.shelf, self.product.property_stock_inventory):
            with self.subTest(destination.name), self.refused("can't be taken"):
                self.move(2, destination)
        below = self.env["stock.location"].create({"name": "Cage", "location_id": self.quarantine.id})
        self.move(3, below)
        self.assertEqual((self.on_hand(lot=self.lot), self.on_hand(below, lot=self.lot)), (7, 3))
        with self.refused("can't be taken"):
            self.move(1, self.customers, source=below)

    def test_goods_for_quarantine_can_be_reserved(self):
        self.reported()
        move = self.env["stock.move"].create(
            {
                "product_id": self.product.id,
                "product_uom_qty": 4,
                "location_id": self.warehouse.lot_stock_id.id,
                "location_dest_id": self.quarantine.id,
            }
        )
        move._action_confirm()
        move._action_assign()
        self.assertEqual((move.state, self.reserved_of()), ("assigned", 4))
        with self.refused("can't be taken"):
            move.move_line_ids.location_dest_id = self.shelf

    def test_what_was_picked_before_is_refused_when_it_is_validated(self):
        picking = self.reserved(8)
        picking.move_line_ids.picked = True
        self.reported()
        with self.refused("can't be taken"):
            picking.button_validate()
        self.assertEqual((picking.move_ids.state, self.on_hand(lot=self.lot), self.reserved_of()), ("assigned", 10, 8))

    def test_a_finished_delivery_takes_no_more_of_it_afterwards(self):
        done = self.move(2, self.customers)
        self.reported()
        with self.refused("can't be taken"):
            done.move_line_ids.quantity = 3
        with self.refused("can't be taken"):
            done.move_line_ids.create({**self.line_values(1, self.customers), "move_id": done.id})
        self.assertEqual(self.on_hand(lot=self.lot), 8)
        done.move_line_ids.quantity = 1
        self.assertEqual(self.on_hand(lot=self.lot), 9)

    def test_no_context_reserves_or_takes_what_is_held(self):
        picking = self.picking(8)
        picking.action_confirm()
        self.reported()
        for context in self.bypassing():
            with self.subTest(context=context):
                picking.with_context(**context).action_assign()
                self.assertEqual((self.reserved_of(), picking.move_ids.quantity), (0, 0))
                with self.refused("can't be taken"):
                    self.move(2, self.customers, context=context)
                with self.refused("can't be taken"):
                    self.move(2, self.customers, context=context, user=self.as_release)
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (10, 0))

    def test_rights_of_the_system_take_nothing_either(self):
        self.reported()
        with self.refused("can't be taken"):
            self.move(2, self.customers, user=self.env.ref("base.user_root"))

    def test_an_approved_response_takes_what_is_held(self):
        case = self.reported()
        self.reserved(8)
        self.actions._propose(case, "accept")
        self.decided(case)

        def sends_back(action):
            move = self.env["stock.move"].with_env(action.env).sudo().create(
                {
                    "product_id": self.product.id,
                    "product_uom_qty": 10,
                    "location_id": self.bin.id,
                    "location_dest_id": self.suppliers.id,
                }
            )
            move._action_confirm()
            move._action_assign()
            move.picked = True
            move._action_done()

        with patch.object(type(self.actions), "_do_accept", sends_back):
            case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand(lot=self.lot)), (False, "resolved", 0))

    def test_what_an_approved_response_sets_off_reserves_nothing_held(self):
        """The goods arrive in a place that a customer's delivery reserves from."""
        case = self.reported()
        picking = self.picking(8, location_id=self.shelf.id)
        picking.move_ids.location_id = self.shelf
        picking.action_confirm()
        self.actions._propose(case, "accept")
        self.decided(case)

        def relocates(action):
            move = self.move(10, self.shelf, user=self.env.ref("base.user_root"), context=dict(action.env.context))
            move._trigger_assign()

        with patch.object(type(self.actions), "_do_accept", relocates):
            case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, self.on_hand(self.shelf, lot=self.lot)), (False, 10))
        self.assertEqual((self.reserved_of(location=self.shelf), picking.move_ids.state), (0, "confirmed"))

    def test_an_approved_response_of_another_case_takes_nothing_but_suspect_stock(self):
        for kind, failure in (("quality_hold", "can't be taken"), ("pick_shortage", False)):
            self.policy_of(kind).auto_hold = True
            held = self.reported(kind)
            held._hold_at_once()
            case = self.reported("overage", quantity={"expected": "10", "counted": "9"})
            self.actions._propose(case, "accept")
            self.decided(case)
            loss = self.product.property_stock_inventory

            def scraps(action, loss=loss):
                self.move(1, loss, user=action.env.user, context=dict(action.env.context))

            with self.subTest(kind), patch.object(type(self.actions), "_do_accept", scraps):
                case.with_user(self.as_execute).action_execute()
                self.assertEqual(bool(case.failure), bool(failure), case.failure)
                self.assertEqual(self.on_hand(lot=self.lot), 10 if failure else 9)
            held._active_holds()._release("the next kind")

    # --- Chained moves

    def _chain(self, quantity=8):
        """A pick and the shipment after it."""
        self.warehouse.delivery_steps = "pick_ship"
        # Any route makes the pick; what makes the shipment is the rule that pushes on from the output.
        self.env["stock.rule"].run(
            [
                self.env["stock.rule"].Procurement(
                    self.product,
                    quantity,
                    self.product.uom_id,
                    self.customers,
                    "EXT chain",
                    "EXT chain",
                    self.company,
                    {"warehouse_id": self.warehouse, "date_planned": fields.Datetime.now()},
                )
            ]
        )
        move = self.env["stock.move"].search([("product_id", "=", self.product.id), ("state", "!=", "done")])
        pick = move.filtered(lambda move: move.picking_type_id == self.warehouse.pick_type_id)
        self.assertEqual(len(pick), 1)
        pick.picking_id.action_assign()
        return pick

    def _ship_of(self, pick):
        pick.picked = True
        pick.picking_id._action_done()
        ship = pick.move_dest_ids
        self.assertEqual(ship.picking_type_id, self.warehouse.out_type_id)
        return ship

    def test_a_chain_is_stopped_before_its_first_step(self):
        pick = self._chain()
        self.assertEqual((pick.state, self.reserved_of()), ("assigned", 8))
        self.reported()
        self.assertEqual((pick.state, self.reserved_of()), ("confirmed", 0))
        pick._action_assign()
        self.assertEqual((pick.state, self.reserved_of()), ("confirmed", 0))

    def test_a_chain_is_stopped_between_its_steps(self):
        ship = self._ship_of(self._chain())
        output = ship.location_id
        self.assertEqual((ship.state, self.reserved_of(location=output)), ("assigned", 8))
        case = self.reported()
        self.assertEqual((ship.state, self.reserved_of(location=output)), ("confirmed", 0))
        for context in self.bypassing():
            with self.subTest(context=context):
                ship.with_context(**context)._action_assign()
                self.assertEqual((ship.quantity, self.reserved_of(location=output)), (0, 0))
        self.released(case)
        ship._action_assign()
        self.assertEqual((ship.state, self.reserved_of(location=output)), ("assigned", 8))
        ship.picked = True
        ship.picking_id._action_done()
        self.assertEqual((self.on_hand(output, lot=self.lot), self.on_hand(lot=self.lot)), (0, 2))

    def test_what_is_picked_in_a_chain_does_not_leave_the_output(self):
        ship = self._ship_of(self._chain())
        ship.picked = True
        self.reported()
        with self.refused("can't be taken"):
            ship.picking_id.button_validate()
        self.assertEqual(self.on_hand(ship.location_id, lot=self.lot), 8)

    # --- Expired lots

    def test_an_expired_lot_is_neither_reserved_nor_shipped(self):
        picking = self.reserved(8)
        picking.move_line_ids.picked = True
        self._expire()
        other = self.picking(2, name="EXT/OUT/OTHER")
        other.action_confirm()
        for context in self.bypassing():
            with self.subTest(context=context):
                other.with_context(**context).action_assign()
                self.assertEqual((self.reserved_of(), other.move_ids.quantity), (8, 0))
                with self.refused("expired"):
                    picking.with_context(**{**context, "skip_expired": True}).button_validate()
        production = self.env["stock.location"].search([("usage", "=", "production")], limit=1)
        for destination in (self.customers, production):
            with self.refused("expired"):
                self.move(1, destination)
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (10, 8))

    def test_an_expired_lot_in_a_chain_does_not_leave_the_shelf(self):
        pick = self._chain()
        self._expire()
        pick.picked = True
        with self.refused("expired"):
            pick.picking_id.with_context(skip_expired=True).button_validate()
        pick.picked = False
        pick._do_unreserve()
        pick._action_assign()
        self.assertEqual((pick.quantity, self.reserved_of()), (0, 0))

    def test_an_expired_lot_is_received_returned_put_away_and_quarantined(self):
        self._expire()
        self.move(4, self.bin, source=self.suppliers)
        self.assertEqual(self.on_hand(lot=self.lot), 14)
        for destination in (self.suppliers, self.shelf, self.quarantine):
            self.move(2, destination)
        self.assertEqual(self.on_hand(lot=self.lot), 8)
        self.holds._place(self.company, self.product, "expired", lot=self.lot)
        self.move(2, self.suppliers)
        self.move(2, self.quarantine)
        self.assertEqual(self.on_hand(lot=self.lot), 4)

    def test_an_expired_lot_is_released_by_approval_and_for_that_date_alone(self):
        self._expire()
        case = self.reported()
        self.assertEqual((case.hold_ids.reason, case.hold_ids.state), ("expired", "active"))
        self.released(case)
        self.assertFalse(self.lot.exception_blocked)
        self.move(2, self.customers)
        self.assertEqual(self.on_hand(lot=self.lot), 8)
        self.lot.expiration_date -= timedelta(days=1)
        with self.refused("expired"):
            self.move(2, self.customers)

    def test_releasing_for_quality_does_not_release_what_is_expired(self):
        self._expire()
        self.released(self.reported("quality_hold"))
        with self.refused("expired"):
            self.move(2, self.customers)

    def test_the_next_case_takes_over_what_the_sweep_locked(self):
        self._expire()
        hold = self.holds._place(self.company, self.product, "expired", lot=self.lot)
        case = self.reported()
        self.assertEqual((hold.case_id, case.hold_ids), (case, hold))
        self.released(case)
        self.assertEqual(hold.state, "released")
