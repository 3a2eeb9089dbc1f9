from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models.base.seal import is_acting
from .common import GTIN_13
from .test_damaged import DamagedCommon


@tagged("post_install", "-at_install")
class TestReserved(DamagedCommon):
    """A customer's reservation is never taken without a word."""

    def setUp(self):
        super().setUp()
        self.stock(8)
        self.customer = self.delivery(6)

    def _failing(self, case):
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(case.state, "executing")
        return case.failure

    def _assert_untouched(self):
        self.assertEqual((self.on_hand(), self.available), (8, 8))
        self.assertEqual((self.customer.move_ids.quantity, self.customer.state), (6, "assigned"))

    def test_it_is_refused_with_the_names_of_who_holds_it(self):
        case = self.approved(self.damaged("3"))
        self.assertEqual(case.action_ids.reserved_for, "EXT/OUT/CUSTOMER (6)")
        failure = self._failing(case)
        self.assertRegex(failure, r"2 of 3 Units are free. The rest is reserved for EXT/OUT/CUSTOMER \(6\)")
        self._assert_untouched()
        self.assertEqual(case.quarantine_open, 0)

    def test_only_what_is_free_is_moved_if_people_say_so(self):
        case = self.damaged("3")
        case.action_ids.with_user(self.as_investigate).free_only = True
        self.executed(self.approved(case))
        self.assertEqual((self.on_hand(), self.on_hand(self.quarantine), self.available), (6, 2, 6))
        self.assertEqual((self.customer.move_ids.quantity, self.customer.state), (6, "assigned"))
        self.assertEqual((case.action_ids.quantity, case.action_ids.quantity_done, case.quarantine_open), (3, 2, 2))
        self.assertIn("2 of 3 Units", str(case.message_ids.mapped("body")))

    def test_nothing_is_moved_where_nothing_is_free(self):
        self.delivery(2, "EXT/OUT/SECOND")
        case = self.damaged("3")
        case.action_ids.with_user(self.as_investigate).free_only = True
        self.assertRegex(self._failing(self.approved(case)), "0 of 3 Units are free")
        self._assert_untouched()

    def test_a_named_reservation_is_released_as_far_as_needed_and_the_transfer_is_told(self):
        case = self.damaged("3")
        case.action_ids.with_user(self.as_investigate).release_reserved = True
        self.approved(case)
        self.assertEqual(case.action_ids.release_move_ids, self.customer.move_ids)
        self.assertRegex(case.with_user(self.as_approve).reservation_notice, r"releases.*EXT/OUT/CUSTOMER \(6\)")
        self._assert_untouched()
        self.executed(case)
        self.assertEqual((self.on_hand(), self.on_hand(self.quarantine), self.available), (5, 3, 5))
        self.assertEqual((self.customer.move_ids.quantity, self.customer.move_ids.state), (5, "partially_available"))
        self.assertRegex(str(self.customer.message_ids.mapped("body")), f"{case.name}: 1 Units.*Reserved are 5 of 6")

    def test_who_loses_a_reservation_gets_stock_from_another_bin(self):
        other = self.bin.copy({"name": "A-09"})
        self.stock(4, other)
        case = self.damaged("3")
        case.action_ids.with_user(self.as_investigate).release_reserved = True
        self.executed(self.approved(case))
        self.assertEqual((self.customer.move_ids.quantity, self.customer.move_ids.state), (6, "assigned"))
        self.assertEqual((self.on_hand(), self.on_hand(other), self.on_hand(self.quarantine)), (5, 4, 3))

    def test_who_loses_a_reservation_reserves_anew_without_the_rights_of_the_response(self):
        seen = {}
        moves = type(self.env["stock.move"])
        assign = moves._action_assign

        def watched(records, *args, **kwargs):
            seen.update(dict.fromkeys(records, is_acting(records.env)))
            return assign(records, *args, **kwargs)

        self.patch(moves, "_action_assign", watched)
        case = self.damaged("3")
        case.action_ids.with_user(self.as_investigate).release_reserved = True
        self.executed(self.approved(case))
        self.assertEqual(seen, {case.stock_move_ids: True, self.customer.move_ids: False})

    def test_who_reserved_after_the_decision_was_asked_for_loses_nothing(self):
        self.stock(2)
        case = self.damaged("5")
        case.action_ids.with_user(self.as_investigate).release_reserved = True
        case.with_user(self.as_investigate).action_submit()
        self.customer.do_unreserve()
        later = self.delivery(10, "EXT/OUT/LATER")
        self.decide_all(case)
        self.assertRegex(self._failing(case), r"reserved for EXT/OUT/LATER \(10\)")
        self.assertEqual(later.move_ids.quantity, 10)

    def test_what_is_picked_already_is_not_released(self):
        self.customer.move_ids.picked = True
        case = self.damaged("3")
        case.action_ids.with_user(self.as_investigate).release_reserved = True
        self.assertRegex(self._failing(self.approved(case)), "not of what is picked already")
        self._assert_untouched()

    def test_the_choice_is_made_before_anybody_decides(self):
        case = self.damaged("3")
        for sealed in ({"release_move_ids": [(6, 0, self.customer.move_ids.ids)]}, {"quantity_done": 3}):
            with self.assertRaises(AccessError):
                case.action_ids.with_user(self.as_investigate).write(sealed)
        case.with_user(self.as_investigate).action_submit()
        for choice in ("release_reserved", "free_only"):
            with self.assertRaisesRegex(UserError, "Take the case back"):
                case.action_ids.with_user(self.as_investigate).write({choice: True})

    def test_who_investigates_is_shown_what_to_choose_about(self):
        case = self.damaged("3").with_user(self.as_investigate)
        shown = case.action_reservations()
        found = self.actions.with_user(self.as_investigate).search(shown["domain"])
        self.assertEqual(found, case.action_ids)
        arch = self.actions.with_user(self.as_investigate).get_views(shown["views"])["views"]["list"]["arch"]
        self.assertIn("release_reserved", arch)
        self.assertIn("EXT/OUT/CUSTOMER (6)", case.reservation_notice)

    def test_the_pickers_own_transfer_gives_first(self):
        self.stock(6)
        self.delivery(8, "EXT/OUT/OTHER")
        case = self.damaged("2", document={"code": self.customer.name})
        case.action_ids.with_user(self.as_investigate).release_reserved = True
        self.executed(self.approved(case))
        self.assertEqual(self.customer.move_ids.quantity, 4)

    def test_more_than_is_on_record_is_refused_as_such(self):
        self.customer.do_unreserve()
        failure = self._failing(self.approved(self.damaged("9")))
        self.assertRegex(failure, "holds only 8 of 9 Units")
        self.assertEqual(self.on_hand(), 8)

    def test_a_scrap_from_the_bin_takes_no_reservation_either(self):
        case = self.damaged("3")
        case.action_ids.with_user(self.as_investigate).action_withdraw()
        self.actions.with_user(self.as_investigate)._propose(case, "scrap")
        self.assertRegex(self._failing(self.approved(case)), r"reserved for EXT/OUT/CUSTOMER \(6\)")
        self._assert_untouched()
        case.with_user(self.as_investigate).action_replan("less")
        case._live_actions().with_user(self.as_investigate).quantity = 2
        self.executed(self.approved(case))
        self.assertEqual((self.on_hand(), self.customer.move_ids.quantity), (6, 6))

    def test_a_reservation_in_another_unit_is_given_back_whole_and_reserved_anew(self):
        self.customer.do_unreserve()
        self.customer.action_cancel()
        dozen = self.env.ref("uom.product_uom_dozen")
        self.stock(6)
        picking = self.picking(1, name="EXT/OUT/DOZEN")
        picking.move_ids.product_uom = dozen
        picking.action_confirm()
        picking.action_assign()
        self.assertEqual(picking.move_ids.quantity, 1)
        case = self.damaged("3", item={"code": GTIN_13})
        case.action_ids.with_user(self.as_investigate).release_reserved = True
        self.executed(self.approved(case))
        self.assertEqual((self.on_hand(), self.on_hand(self.quarantine)), (11, 3))
        reserved = sum(self.env["stock.quant"]._gather(self.product, self.bin).mapped("reserved_quantity"))
        self.assertLessEqual(reserved, 11)
