from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..models.response import cycle_count
from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestCycleCount(ExceptionCommon):
    """From a count on the floor to stock that is right, each step by somebody with that role and no other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 100
        cls.policy = cls.env.ref("warehouse_exception.policy_cycle_count_variance")
        cls.actions = cls.env["warehouse.exception.action"]

    def setUp(self):
        super().setUp()
        self.stock(10)

    def _case(self, counted="7", product=GTIN_13, expected="10", unit=None, state="open", **data):
        quantity = (
            {"counted": counted} | ({"expected": expected} if expected else {}) | ({"unit": unit} if unit else {})
        )
        item = {"code": product, **data.pop("item", {})}
        event = self.handheld.event(
            "cycle_count_variance", item=item, bin={"code": "EXT-A-03-02"}, quantity=quantity, **data
        )
        case = self.opened(event)
        self.assertEqual(case.state, state)
        return case

    def _adjust(self, case):
        return case.action_ids.filtered(lambda action: action.kind == "adjust")

    def _recount(self, case, quantity, by=None):
        count = case.count_ids.filtered(lambda count: count.state == "asked").with_user(by or self.as_execute)
        count.ensure_one()
        if quantity:
            count.quantity = quantity
            count.action_counted()
        else:
            count.action_empty()
        return count

    def _approved(self, case):
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        self.assertEqual(case.state, "approved")

    def _ship(self, quantity, **values):
        """An ordinary delivery, while the case is being worked on."""
        picking = self.picking(quantity, name=f"EXT/OUT/{quantity}", **values)
        picking.action_confirm()
        picking.action_assign()
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        return picking

    def _inventory_moves(self):
        return self.env["stock.move"].search([("product_id", "=", self.product.id), ("is_inventory", "=", True)])

    # --- All the way ---------------------------------------------------------------------------------------------------

    def test_from_a_count_to_stock_that_is_right(self):
        case = self._case("7")
        adjust = self._adjust(case)
        self.assertEqual((adjust.quantity, adjust.book_quantity, adjust.counted_quantity), (-3, 10, 7))
        self.assertEqual((adjust.amount, case.amount_at_stake, adjust.is_financial), (300, 300, True))
        self.assertEqual((case.count_ids.state, case.count_ids.location_id), ("asked", self.bin))
        with self.assertRaisesRegex(UserError, "recount of .* is not there yet"):
            case.with_user(self.as_investigate).action_submit()
        self._recount(case, 6)
        self.assertEqual((adjust.quantity, adjust.amount), (-4, 400))
        self.assertEqual(self.on_hand(), 10)
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(self.decide_all(case), ["operational", "financial"])
        self.assertEqual(self.on_hand(), 10)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state), (False, "resolved"))
        self.assertEqual(self.on_hand(), 6)
        self.assertEqual(adjust.result, self._inventory_moves())
        self.assertEqual(adjust.result.move_line_ids.mapped("reference"), [case.name])
        self.assertEqual((adjust.result.quantity, adjust.done_by_id), (4, self.as_execute))
        case.with_user(self.as_close).action_close()
        self.assertEqual(self.on_hand(), 6)

    def test_more_than_the_system_has_is_adjusted_upwards(self):
        case = self._case("12")
        self._recount(case, 12)
        self.assertEqual((self._adjust(case).quantity, self._adjust(case).amount), (2, 200))
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, self.on_hand()), ("resolved", 12))

    def test_an_empty_bin_where_something_should_be(self):
        case = self._case("0")
        with self.assertRaisesRegex(UserError, "The bin is empty"):
            case.count_ids.with_user(self.as_execute).action_counted()
        self._recount(case, 0)
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, self.on_hand()), ("resolved", 0))

    def test_something_where_the_system_has_nothing(self):
        self.stock(-10)
        case = self._case("4", expected="0")
        self._recount(case, 4)
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 4))

    def test_a_blind_count_is_compared_with_what_the_system_had_then(self):
        case = self._case("9", expected=None)
        self.assertEqual((case.expected_source, case.quantity_expected, case.quantity_variance), ("stock", 10, -1))
        self.assertEqual(case.amount_at_stake, 100)

    def test_a_count_in_another_unit(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.active = True
        case = self._case("1", expected=None, unit=dozen.name)
        self.assertEqual(self._adjust(case).quantity, 2)

    def test_what_left_the_bin_after_the_count_is_no_difference(self):
        """The device was offline: stock moved between the count and its arrival here."""
        self._ship(4)
        case = self._case("10", expected="6")
        self.assertEqual((self.on_hand(), case.quantity_variance), (6, 4))
        self.assertEqual(case._live_actions().kind, "accept")
        self.assertIn("exactly what was counted", case._live_actions().note)

    def test_a_count_that_agrees_with_the_system_needs_no_adjustment(self):
        case = self._case("10", expected="8")
        self.assertEqual(case._live_actions().mapped("kind"), ["accept"])
        self.assertFalse(case.count_ids)

    # --- The recount ---------------------------------------------------------------------------------------------------

    def test_who_reported_does_not_count_again(self):
        case = self._case("7")
        self.patch(type(case), "_reporters", lambda case: self.as_execute)
        count = case.count_ids.with_user(self.as_execute)
        for attempt in (lambda: count.write({"quantity": 7}), count.action_empty):
            with self.assertRaisesRegex(AccessError, "another person counts"):
                attempt()
        count.sudo().with_user(self.as_investigate).quantity = 7
        with self.assertRaisesRegex(AccessError, "another person counts"):
            count.action_counted()
        self.assertEqual(count.state, "asked")
        self._recount(case, 7, by=self.as_investigate)
        self.assertEqual(case.count_ids.counted_by_id, self.as_investigate)

    def test_who_reported_is_not_asked_to_count(self):
        team = self.env["warehouse.exception.team"].create(
            {"name": "Counting", "member_ids": [(6, 0, [self.as_execute.id, self.as_investigate.id, self.as_audit.id])]}
        )
        self.policy.team_id = team
        self.patch(type(self.env["warehouse.exception.case"]), "_reporters", lambda case: self.as_execute)
        case = self._case("7")
        self.assertEqual(case.count_ids.user_id, self.as_investigate)
        todo = case.activity_ids.filtered(lambda todo: todo.summary == case.count_ids.display_name)
        self.assertEqual(todo.user_id, self.as_investigate)

    def test_who_has_another_role_does_not_count(self):
        count = self._case("7").count_ids
        for role in set(self.ROLES) - {"investigate", "execute"}:
            for work in (lambda c: c.write({"quantity": 1}), lambda c: c.action_empty(), lambda c: c.action_withdraw()):
                with self.subTest(role=role), self.assertRaises(AccessError):
                    work(count.with_user(getattr(self, f"as_{role}")))
        with self.assertRaises(AccessError):
            count.with_user(self.as_execute).action_withdraw()
        self.assertEqual(count.state, "asked")

    def test_a_count_is_asked_for_and_answered_by_methods_only(self):
        case = self._case("7")
        count = case.count_ids
        for user in (self.as_execute, self.as_investigate, self.as_manager):
            with self.assertRaises(AccessError):
                count.with_user(user).create({"case_id": case.id})
            for values in ({"state": "counted"}, {"counted_by_id": user.id}, {"book_quantity": 3}, {"case_id": 1}):
                with self.assertRaises(AccessError):
                    count.with_user(user).write(values)
            with self.assertRaises(AccessError):
                count.with_user(user).unlink()
        self._recount(case, 7)
        with self.assertRaisesRegex(UserError, "finished or withdrawn"):
            count.with_user(self.as_execute).write({"quantity": 9})
        with self.assertRaises(AccessError):
            count.sudo().unlink()

    def test_who_counted_does_not_approve(self):
        both = self.user("both", "warehouse_exception.group_execute", "warehouse_exception.group_approve")
        case = self._case("7")
        self._recount(case, 7, by=both)
        case.with_user(self.as_investigate).action_submit()
        with self.assertRaisesRegex(AccessError, "who counted does not approve"):
            case.approval_ids[0].with_user(both).action_approve()

    def test_who_changed_what_policy_proposed_does_not_approve(self):
        both = self.user("both", "warehouse_exception.group_investigate", "warehouse_exception.group_approve")
        case = self._case("7")
        self._recount(case, 7)
        self._adjust(case).with_user(both).quantity = -9
        case.with_user(self.as_investigate).action_submit()
        with self.assertRaisesRegex(AccessError, "who proposed a response does not approve it"):
            case.approval_ids[0].with_user(both).action_approve()
        self.assertEqual(case.approval_ids[0].amount, 900)

    def test_a_recount_that_agrees_with_the_system_leaves_nothing_to_adjust(self):
        case = self._case("7")
        self._recount(case, 10)
        self.assertEqual((self._adjust(case).state, case._live_actions().kind), ("withdrawn", "accept"))
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, self.on_hand(), len(self._inventory_moves())), ("resolved", 10, 0))

    def test_another_result_while_the_decision_is_pending_asks_for_it_anew(self):
        case = self._case("7")
        self._recount(case, 7)
        case.with_user(self.as_investigate).action_submit()
        case.with_user(self.as_investigate).action_ask_recount()
        self._recount(case, 5)
        self.assertEqual((case.state, set(case.approval_ids.mapped("state"))), ("investigating", {"void"}))
        self.assertEqual(self._adjust(case).quantity, -5)

    def test_without_a_second_person_a_rule_is_set_aside_with_a_reason(self):
        case = self._case("7")
        case.with_user(self.as_override).action_override("the night shift is one man")
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, self.on_hand(), case.count_ids.state), ("resolved", 7, "withdrawn"))

    # --- Moves since -----------------------------------------------------------------------------------------------------

    def test_an_adjustment_after_a_move_since_is_refused_and_a_recount_makes_it_right(self):
        case = self._case("7")
        self._recount(case, 7)
        self._approved(case)
        self._ship(2)
        self.assertEqual(self.on_hand(), 8)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, self._adjust(case).state), ("executing", "failed"))
        self.assertRegex(case.failure, "moved since it was counted.*Nothing was adjusted")
        self.assertEqual((self.on_hand(), len(self._inventory_moves())), (8, 0))
        self._recount(case, 5)
        self.assertEqual((case.state, self._adjust(case).quantity), ("executing", -3))
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 5))

    def test_a_recount_with_another_difference_is_decided_anew(self):
        case = self._case("7")
        self._recount(case, 7)
        self._approved(case)
        self._ship(2)
        case.with_user(self.as_execute).action_execute()
        self._recount(case, 8)
        self.assertEqual((case.state, self._adjust(case).state), ("investigating", "withdrawn"))
        case.with_user(self.as_investigate).action_ask_recount()
        self._recount(case, 4)
        self.assertEqual(case._live_actions().mapped("kind"), ["adjust"])
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 4))

    def test_moves_that_cancel_each_other_out_still_make_a_recount_necessary(self):
        case = self._case("7")
        self._recount(case, 7)
        self._approved(case)
        self._ship(2)
        self.stock(2)
        self.assertEqual(self.on_hand(), 10)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(self._adjust(case).state, "failed")
        self.assertEqual(self.on_hand(), 10)

    def test_a_count_that_is_older_than_the_last_moves_is_done_again(self):
        """Even a small difference, which policy would approve."""
        self.product.standard_price = 1
        self._ship(4)
        case = self._case("9")
        self.assertEqual((self._adjust(case).quantity, self._adjust(case).book_quantity, self.on_hand()), (-1, 10, 6))
        self.assertEqual((case.state, case.count_ids.state), ("open", "asked"))
        self._recount(case, 5)
        self.assertEqual((case.state, self.on_hand()), ("approved", 6))
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 5))

    def test_odoos_own_count_that_waits_there_is_not_overwritten(self):
        case = self._case("7")
        self._recount(case, 7)
        self._approved(case)
        quant = self.env["stock.quant"]._gather(self.product, self.bin)
        quant.with_context(inventory_mode=True).inventory_quantity = 3
        case.with_user(self.as_execute).action_execute()
        self.assertRegex(case.failure, "has not applied it")
        self.assertEqual((quant.inventory_quantity, self.on_hand()), (3, 10))

    def test_reservations_that_can_not_be_kept_are_told(self):
        picking = self.picking(9)
        picking.action_confirm()
        picking.action_assign()
        case = self._case("7")
        self._recount(case, 7)
        self._approved(case)
        self.assertEqual(picking.move_ids.quantity, 9)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, self.on_hand(), picking.move_ids.quantity), (False, 7, 7))
        self.assertIn("are not there", str(picking.message_ids.mapped("body")))
        self.assertIn(case.name, str(picking.message_ids.mapped("body")))

    # --- Below the threshold ---------------------------------------------------------------------------------------------

    def test_a_small_difference_is_approved_by_policy_and_done_by_who_may(self):
        self.product.standard_price = 1
        case = self._case("7", state="approved")
        self.assertEqual((case.state, case.approval_ids.ids, case.count_ids.ids), ("approved", [], []))
        self.assertEqual(self.on_hand(), 10)
        with self.assertRaises(AccessError):
            case.with_user(self.as_investigate).action_execute()
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 7))

    def test_a_small_difference_is_done_at_once_if_policy_says_so(self):
        self.product.standard_price = 1
        self.policy.execute_automatically = True
        case = self._case("7", state="approved")
        self.assertEqual((case.state, self.on_hand()), ("approved", 10))
        self.respond()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 7))
        self.assertEqual(self._adjust(case).done_by_id, self.env.user)

    def test_what_policy_would_do_is_undone_before_it_is_done(self):
        self.product.standard_price = 1
        case = self._case("7", state="approved")
        case.with_user(self.as_investigate).action_withdraw("wait for the morning")
        self.assertEqual((case.state, self._adjust(case).state, self.on_hand()), ("investigating", "proposed", 10))

    # --- Investigation -----------------------------------------------------------------------------------------------------

    def test_who_investigates_sees_the_moves_of_that_bin_and_product(self):
        picking = self._ship(4)
        case = self._case("5", expected="6").with_user(self.as_investigate)
        self.assertEqual(case.prior_move_line_ids, picking.move_line_ids)
        shown = case.action_open_prior_moves()
        self.assertEqual(self.env[shown["res_model"]].search(shown["domain"]), picking.move_line_ids)
        self.assertEqual(Form(case).record.prior_move_line_ids, picking.move_line_ids)

    def test_what_is_shown_of_the_moves_is_bounded(self):
        for quantity in (1, 2, 3):
            self._ship(quantity)
        case = self._case("7")
        with patch.object(cycle_count, "PRIOR_MOVES", 2):
            case.invalidate_recordset(["prior_move_line_ids"])
            self.assertEqual(len(case.prior_move_line_ids), 2)

    def test_the_form_of_a_count_shows_no_figure_before_it_is_entered(self):
        case = self._case("7")
        form = Form(case.count_ids.with_user(self.as_execute))
        self.assertTrue(form._get_modifier("book_quantity", "invisible"))
        self.assertTrue(form._get_modifier("difference", "invisible"))

    def test_whoever_investigates_changes_the_place_and_gets_that_places_figures(self):
        other = self.bin.create({"name": "A-03-09", "location_id": self.warehouse.lot_stock_id.id})
        self.stock(2, other)
        case = self._case("7")
        adjust = self._adjust(case).with_user(self.as_investigate)
        adjust.location_id = other
        self.assertEqual(adjust.book_quantity, 2)

    # --- Lots ----------------------------------------------------------------------------------------------------------

    def _tracked(self):
        product = self.env["product.product"].create(
            {"name": "Salmon", "default_code": "SALMON", "is_storable": True, "tracking": "lot", "standard_price": 100}
        )
        lots = self.env["stock.lot"].create([{"name": name, "product_id": product.id} for name in ("L1", "L2")])
        for lot in lots:
            self.stock(5, product=product, lot=lot)
        return product, lots

    def test_one_lot_is_adjusted_and_the_others_stay(self):
        product, (first, second) = self._tracked()
        case = self._case("3", product="SALMON", expected="5", item={"lot": "L1"})
        self.assertEqual((self._adjust(case).lot_id, self._adjust(case).quantity), (first, -2))
        self._recount(case, 3)
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(case.failure, False)
        self.assertEqual((self.on_hand(product=product, lot=first), self.on_hand(product=product, lot=second)), (3, 5))

    def test_without_a_lot_nobody_decides_about_a_tracked_product(self):
        product, (first, second) = self._tracked()
        case = self._case("8", product="SALMON", expected="10")
        self._recount(case, 8)
        with self.assertRaisesRegex(UserError, "which lot or serial number"):
            case.with_user(self.as_investigate).action_submit()
        self._adjust(case).with_user(self.as_investigate).write({"lot_id": second.id, "quantity": -2})
        self._approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(case.failure, False)
        self.assertEqual((self.on_hand(product=product, lot=first), self.on_hand(product=product, lot=second)), (5, 3))
