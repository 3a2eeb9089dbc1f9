from datetime import timedelta
from types import SimpleNamespace

from odoo.exceptions import AccessError
from odoo.fields import Command, Datetime
from odoo.tests import tagged

from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestPickShortage(ExceptionCommon):
    """8 are to be picked and 5 are found. The system thinks that the bin has 10, and 2 of them are another order's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 10
        cls.policy = cls.env.ref("warehouse_exception.policy_pick_shortage")
        cls.shelf = cls.warehouse.lot_stock_id

    def setUp(self):
        super().setUp()
        self.stock(10)
        self.order = self._order(8, "EXT/OUT/SHORT")
        self.other = self._order(2, "EXT/OUT/OTHER")
        self.next_bin = self._bin("A-03-04", 14)

    def _bin(self, name, quantity=0, **values):
        new = self.bin.create({"name": name, "barcode": f"EXT-{name}", "location_id": self.shelf.id, **values})
        if quantity:
            self.stock(quantity, new)
        return new

    def _order(self, quantity, name):
        order = self.picking(quantity, name=name)
        order.action_confirm()
        order.action_assign()
        return order

    def _short(self, counted="5", **data):
        facts = {"document": {"code": self.order.name}, "bin": {"code": "EXT-A-03-02"}, **data}
        quantity = {"expected": "8", "counted": counted}
        case = self.opened(self.handheld.event("pick_shortage", item={"code": GTIN_13}, quantity=quantity, **facts))
        self.assertEqual(case.state, "open")
        return case

    def _reserved(self, order):
        return {line.location_id.name: line.quantity for line in order.move_line_ids}

    def _told(self, case):
        return [said for said in case.instructions or [] if said["code"] == "alternate_bin"]

    def _of_kind(self, case, kind):
        return case.action_ids.filtered(lambda action: action.kind == kind)

    def _approved(self, case):
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        self.assertEqual(case.state, "approved")

    # --- All the way ---------------------------------------------------------------------------------------------------

    def test_from_a_short_bin_to_an_order_that_ships_and_stock_that_is_right(self):
        self.assertEqual(self._reserved(self.order), {"A-03-02": 8})
        case = self._short()
        # Locked, not corrected; and the order has what it needs.
        self.assertEqual((self.on_hand(), case._active_holds().location_id), (10, self.bin))
        self.assertEqual(self._reserved(self.order), {"A-03-02": 5, "A-03-04": 3})
        self.assertEqual(self._reserved(self.other), {"A-03-02": 2})
        self.assertEqual((self.order.move_ids.state, self.other.move_ids.state), ("assigned", "assigned"))
        self.assertEqual(
            self._told(case),
            [
                {
                    "code": "alternate_bin",
                    "text": "A-03-04 has 14 Units, 3 for EXT/OUT/SHORT",
                    "bin": "EXT-A-03-04",
                    "quantity": "14",
                    "unit": "Units",
                    "reserved": "3",
                    "document": "EXT/OUT/SHORT",
                }
            ],
        )
        self.assertEqual((case.count_ids.state, case.amount_at_stake), ("asked", 30))
        # What was found is shipped, from the locked bin, too.
        self.order.button_validate()
        self.assertEqual((self.order.state, self.on_hand(), self.on_hand(self.next_bin)), ("done", 5, 11))
        # A second person counts, two people decide, and the bin is used again.
        count = case.count_ids.with_user(self.as_execute)
        count.quantity = 2
        count.action_counted()
        self.assertEqual(self._of_kind(case, "adjust").quantity, -3)
        self.assertEqual(case._live_actions().sorted("sequence").mapped("kind"), ["adjust", "release"])
        self._approved(case)
        self.assertEqual(self.on_hand(), 5)
        case.with_user(self.as_release).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 2))
        self.assertEqual(self._reserved(self.other), {"A-03-02": 2})
        self.assertFalse(case._active_holds())
        self.other.button_validate()
        self.assertEqual((self.other.state, self.on_hand()), ("done", 0))
        case.with_user(self.as_close).action_close()
        self.assertEqual(case.state, "closed")

    def test_a_count_that_finds_all_of_it_frees_the_bin_and_adjusts_nothing(self):
        case = self._short()
        count = case.count_ids.with_user(self.as_investigate)
        count.quantity = 10
        count.action_counted()
        self.assertEqual(case._live_actions().mapped("kind"), ["release"])
        self._approved(case)
        case.with_user(self.as_release).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 10))
        self.assertFalse(case._active_holds())

    def test_nobody_new_reserves_from_the_locked_bin(self):
        self._short("0")
        self.env["stock.quant"]._update_available_quantity(self.product, self.next_bin, -6)
        late = self._order(4, "EXT/OUT/LATE")
        self.assertEqual((self._reserved(late), late.move_ids.state), ({}, "confirmed"))

    # --- Reserved elsewhere ----------------------------------------------------------------------------------------------

    def test_what_no_other_bin_has_stays_reserved_where_it_is(self):
        self.stock(-13, self.next_bin)
        self._short()
        self.assertEqual(self._reserved(self.order), {"A-03-02": 7, "A-03-04": 1})
        self.assertEqual(self._reserved(self.other), {"A-03-02": 2})

    def test_an_order_that_was_short_in_the_system_too_gets_the_rest(self):
        self.order.do_unreserve()
        self.order.move_ids.move_line_ids.unlink()
        self.stock(-4)
        self.stock(-14, self.next_bin)
        self.order.action_assign()
        self.assertEqual(
            (self._reserved(self.order), self.order.move_ids.state), ({"A-03-02": 4}, "partially_available")
        )
        self.stock(14, self.next_bin)
        self._short("4")
        self.assertEqual(self._reserved(self.order), {"A-03-02": 4, "A-03-04": 4})
        self.assertEqual(self.order.move_ids.state, "assigned")

    def test_what_is_in_the_pickers_hands_stays(self):
        line = self.order.move_line_ids
        line.write({"quantity": 5, "picked": True})
        self._short()
        self.assertEqual(self._reserved(self.order), {"A-03-02": 5, "A-03-04": 3})
        self.assertEqual((line.picked, line.quantity), (True, 5))

    def test_where_policy_does_not_say_so_people_decide(self):
        self.policy.auto_reserve_elsewhere = False
        case = self._short()
        action = self._of_kind(case, "reserve_elsewhere")
        self.assertEqual((action.state, action.quantity, action.move_id), ("proposed", 3, self.order.move_ids))
        self.assertEqual(self._reserved(self.order), {"A-03-02": 8})
        self.assertEqual(self._told(case)[0]["text"], "A-03-04 has 14 Units")
        case.count_ids.with_user(self.as_investigate).action_withdraw()
        self._approved(case)
        with self.assertRaises(AccessError):
            case.with_user(self.as_investigate).action_execute()
        self.assertEqual(self._reserved(self.order), {"A-03-02": 8})
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state), (False, "resolved"))
        self.assertEqual(self._reserved(self.order), {"A-03-02": 5, "A-03-04": 3})
        self.assertEqual(self._reserved(self.other), {"A-03-02": 2})

    def test_a_lot_that_is_held_or_expired_is_reserved_by_nobody(self):
        product = self.env["product.product"].create(
            {
                "name": "Salmon",
                "default_code": "SALMON",
                "is_storable": True,
                "tracking": "lot",
                "use_expiration_date": True,
            }
        )
        self.product = product
        later = Datetime.now() + timedelta(days=30)
        for name, date in (
            ("SHORT", later),
            ("OLD", Datetime.now() - timedelta(days=1)),
            ("GOOD", later),
            ("HELD", later),
        ):
            lot = self.env["stock.lot"].create({"name": name, "product_id": product.id})
            lot.write({"expiration_date": date, "removal_date": date})
            self.stock(8, self.bin if name == "SHORT" else self._bin(f"B-{name}"), product, lot)
        self.env["warehouse.exception.hold"]._place(self.company, product, "quality", lot=lot)
        self.order = self.picking(8, name="EXT/OUT/LOTS")
        self.order.action_confirm()
        short = self.env["stock.lot"].search([("name", "=", "SHORT"), ("product_id", "=", product.id)])
        self.order.move_ids._update_reserved_quantity(8, self.bin, short)
        self.order.move_ids._recompute_state()
        event = self.handheld.event(
            "pick_shortage",
            item={"code": "SALMON", "lot": "SHORT"},
            bin={"code": "EXT-A-03-02"},
            document={"code": self.order.name},
            quantity={"expected": "8", "counted": "5"},
        )
        case = self.opened(event)
        self.assertEqual([said["bin"] for said in self._told(case)], ["EXT-B-GOOD"])
        self.assertEqual(self._reserved(self.order), {"A-03-02": 5, "B-GOOD": 3})

    # --- Instructions ----------------------------------------------------------------------------------------------------

    def test_the_five_bins_with_the_most_are_told(self):
        for place in range(6):
            self._bin(f"C-{place}", 20 + place)
        self.policy.auto_reserve_elsewhere = False
        case = self._short()
        self.assertEqual([said["bin"] for said in self._told(case)], [f"EXT-C-{place}" for place in (5, 4, 3, 2, 1)])

    def test_what_others_reserved_or_lies_in_quarantine_is_told_to_nobody(self):
        quarantine = self._bin("QUARANTINE", 50)
        self.policy.quarantine_location_id = quarantine
        taken = self._bin("D-1", 4)
        order = self.picking(4, name="EXT/OUT/TAKEN")
        order.action_confirm()
        order.do_unreserve()
        order.move_ids._update_reserved_quantity(4, taken)
        case = self._short()
        self.assertEqual([said["bin"] for said in self._told(case)], ["EXT-A-03-04"])
        self.assertEqual(self._reserved(order), {"D-1": 4})

    def test_a_response_that_runs_again_does_and_says_everything_once(self):
        case = self._short()
        before = (self._reserved(self.order), case.instructions, case.count_ids, case.action_ids, case.activity_ids)
        case._respond_later()
        self.respond()
        self.assertEqual(
            before, (self._reserved(self.order), case.instructions, case.count_ids, case.action_ids, case.activity_ids)
        )

    def test_another_picker_before_the_same_bin_is_helped_the_same_way(self):
        case = self._short()
        report = SimpleNamespace(
            picking_id=self.other, is_counted=True, quantity_counted=0, is_expected_known=True, quantity_expected=2
        )
        for _again in range(2):
            case._respond_again_pick_shortage(report)
        self.assertEqual(self._reserved(self.other), {"A-03-04": 2})
        self.assertEqual(self._reserved(self.order), {"A-03-02": 5, "A-03-04": 3})
        self.assertEqual([said.get("document") for said in self._told(case)], ["EXT/OUT/SHORT", "EXT/OUT/OTHER"])
        self.assertEqual((len(case.count_ids), len(case._active_holds())), (1, 1))

    def test_an_order_that_loses_its_reservation_gets_nothing_that_is_held(self):
        case = self._short("0")
        self.env["warehouse.exception.hold"]._place(self.company, self.product, "quality", location=self.next_bin)
        case.count_ids.with_user(self.as_execute).action_empty()
        self._approved(case)
        case.with_user(self.as_release).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 0))
        self.assertEqual((self._reserved(self.other), self.other.move_ids.state), ({}, "confirmed"))
        self.assertIn("are not there", str(self.other.message_ids.mapped("body")))

    def test_an_unknown_transfer_still_locks_the_bin_and_tells_others(self):
        event = self.handheld.event("pick_shortage", item={"code": GTIN_13}, bin={"code": "EXT-A-03-02"}, counted="5")
        case = self.opened(event)
        self.assertTrue(case._active_holds())
        self.assertEqual([said["bin"] for said in self._told(case)], ["EXT-A-03-04"])
        self.assertEqual(self._reserved(self.order), {"A-03-02": 8})

    def test_an_unknown_bin_locks_nothing_and_still_tells_others(self):
        event = self.handheld.event(
            "pick_shortage", item={"code": GTIN_13}, document={"code": self.order.name}, counted="5"
        )
        case = self.opened(event)
        self.assertFalse(case._active_holds() or case.count_ids)
        self.assertEqual({said["bin"] for said in self._told(case)}, {"EXT-A-03-04"})

    # --- Replenishment -----------------------------------------------------------------------------------------------------

    def _rule(self, **values):
        """The bin is filled from a reserve, by a transfer of its own."""
        reserve = self.bin.create({"name": "RESERVE", "location_id": self.warehouse.view_location_id.id})
        self.stock(100, reserve)
        pull = {
            "name": "Reserve to shelf",
            "action": "pull",
            "location_src_id": reserve.id,
            "location_dest_id": self.shelf.id,
            "picking_type_id": self.warehouse.int_type_id.id,
            "procure_method": "make_to_stock",
        }
        route = self.env["stock.route"].create({"name": "Refill", "rule_ids": [Command.create(pull)]})
        self.product.route_ids = route
        place = {"location_id": self.shelf.id, "warehouse_id": self.warehouse.id, "product_id": self.product.id}
        return self.env["stock.warehouse.orderpoint"].create(
            {**place, "product_min_qty": 0, "product_max_qty": 0, "route_id": route.id, "trigger": "manual", **values}
        )

    def _refills(self):
        return self.env["stock.move"].search(
            [("product_id", "=", self.product.id), ("location_dest_id", "=", self.shelf.id)]
        )

    def test_what_no_other_bin_has_is_proposed_for_replenishment(self):
        self.stock(-13, self.next_bin)
        self._rule()
        case = self._short()
        action = self._of_kind(case, "replenish")
        self.assertEqual((action.state, action.quantity, action.location_dest_id), ("proposed", 2, self.shelf))
        self.assertFalse(self._refills())
        case.count_ids.with_user(self.as_investigate).action_withdraw()
        self._approved(case)
        self.assertFalse(self._refills())
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state), (False, "resolved"))
        self.assertEqual((action.result, self._refills().product_uom_qty, self.on_hand()), (self._refills(), 2, 10))

    def test_replenishment_happens_at_once_if_policy_says_so(self):
        self.stock(-14, self.next_bin)
        self.policy.auto_replenish = True
        self._rule()
        case = self._short()
        self.assertEqual(self._of_kind(case, "replenish").state, "done")
        self.assertEqual(self._refills().product_uom_qty, 3)

    def test_what_the_reordering_rule_wants_anyway_is_proposed_as_well(self):
        self._rule(product_min_qty=200, product_max_qty=250)
        action = self._of_kind(self._short(), "replenish")
        self.assertGreater(action.quantity, 100)

    def test_enough_elsewhere_replenishes_nothing(self):
        self._rule()
        self.assertFalse(self._of_kind(self._short(), "replenish"))

    def test_a_replenishment_that_fails_leaves_the_rest_done_and_says_why(self):
        self.stock(-14, self.next_bin)
        self.policy.auto_replenish = True
        self._rule().route_id.rule_ids.active = False
        case = self._short()
        action = self._of_kind(case, "replenish")
        self.assertEqual((action.state, bool(action.failure)), ("proposed", True))
        self.assertTrue(case._active_holds() and case.count_ids)

    def test_stock_that_nothing_brings_is_somebodys_task(self):
        self.stock(-14, self.next_bin)
        self.policy.user_id = self.as_investigate
        case = self._short()
        todo = case.activity_ids.filtered(lambda todo: "nowhere else" in todo.summary)
        self.assertEqual(todo.user_id, self.as_investigate)
        self.assertEqual(self._reserved(self.order), {"A-03-02": 8})
