from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import photo
from .dock import DockCommon


@tagged("post_install", "-at_install")
class TestReceiving(DockCommon):
    """From a signed report at the dock to the last state, with the stock looked at after each step."""

    def test_a_short_receipt_is_received_as_counted_and_the_rest_is_awaited(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "8", photos=[photo(b"x")])
        action = case._live_actions()
        self.assertEqual((action.kind, action.quantity, action.amount), ("backorder", 2, 200))
        self.assertEqual((action.move_id, case.move_id), (receipt.move_ids, receipt.move_ids))
        self.assertEqual((receipt.state, self.shelved()), ("assigned", 0))
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual((receipt.state, self.shelved()), ("assigned", 0))
        self.decide_all(case)
        self.assertEqual((receipt.state, self.shelved()), ("assigned", 0))
        case.with_user(self.as_execute).action_execute()
        backorder = action.result
        self.assertEqual((case.state, receipt.state, self.shelved()), ("resolved", "done", 8))
        self.assertEqual((backorder.backorder_id, backorder.move_ids.product_uom_qty), (receipt, 2))
        self.assertEqual(backorder.state, "assigned")
        case.with_user(self.as_close).action_close()
        backorder.button_validate()
        self.assertEqual(self.shelved(), 10)

    def test_the_lead_is_asked_and_the_receipt_leads_to_the_case_and_its_photos(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "8", photos=[photo(b"x"), photo(b"y")])
        self.assertEqual(case.activity_ids.user_id, self.lead)
        self.assertIn("8 counted, 10 expected", case.activity_ids.note)
        note = str(receipt.message_ids[0].body)
        self.assertIn(f'data-oe-id="{case.id}"', note)
        self.assertEqual((receipt.exception_case_count, receipt.exception_photo_count), (1, 2))
        as_user = receipt.with_user(self.as_user)
        self.assertEqual(as_user.action_exception_cases()["res_id"], case.id)
        domain = as_user.action_exception_photos()["domain"]
        self.assertEqual(self.env["warehouse.exception.evidence"].search(domain), case.evidence_ids)
        self.assertEqual(case.instructions[0]["code"], "receive_counted")

    def test_a_receipt_that_others_still_count_is_not_validated_for_them(self):
        receipt = self.receipt((self.product, 10), (self.other, 5))
        case = self.reported(receipt, "8")
        self.carried_out(case)
        cod, haddock = receipt.move_ids
        self.assertEqual((receipt.state, self.shelved(), self.shelved(self.other)), ("assigned", 0, 0))
        self.assertEqual((cod.product_uom_qty, cod.quantity, cod.picked), (8, 8, True))
        self.assertEqual((haddock.product_uom_qty, haddock.picked), (5, False))
        self.assertIn("Haddock still to be counted", str(receipt.message_ids[0].body))
        haddock.picked = True
        self.assertIs(receipt.with_user(self.as_user).button_validate(), True)
        self.assertEqual((receipt.state, self.shelved(), self.shelved(self.other)), ("done", 8, 5))
        self.assertEqual(receipt.backorder_ids.move_ids.mapped("product_uom_qty"), [2])

    def test_two_short_lines_of_one_receipt_share_a_backorder_and_the_last_validates(self):
        receipt = self.receipt((self.product, 10), (self.other, 5))
        first, second = self.reported(receipt, "8"), self.reported(receipt, "4", code="HAD")
        self.carried_out(first)
        self.assertEqual((receipt.state, self.shelved()), ("assigned", 0))
        self.carried_out(second)
        self.assertEqual((receipt.state, self.shelved(), self.shelved(self.other)), ("done", 8, 4))
        self.assertEqual(first.action_ids.result, second.action_ids.result)
        self.assertEqual(sorted(first.action_ids.result.move_ids.mapped("product_uom_qty")), [1, 2])

    def test_the_rest_can_be_given_up(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "8")
        self.plan(case, "short_close")
        self.assertEqual(self.shelved(), 0)
        self.finish(case)
        self.assertEqual((receipt.state, self.shelved(), receipt.backorder_ids.ids), ("done", 8, []))

    def test_nothing_came_at_all(self):
        awaited, given_up = self.receipt((self.product, 10)), self.receipt((self.other, 10))
        case = self.reported(awaited, "0")
        self.finish(case)
        self.assertEqual((awaited.state, awaited.move_ids.product_uom_qty, self.shelved()), ("assigned", 10, 0))
        case = self.reported(given_up, "0", code="HAD")
        self.plan(case, "short_close")
        self.finish(case)
        self.assertEqual((given_up.state, self.shelved(self.other)), ("cancel", 0))

    def test_a_surplus_is_received_only_when_money_was_asked_too(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "12")
        action = case._live_actions()
        self.assertEqual((action.kind, action.quantity, action.is_financial), ("receive_over", 2, True))
        self.assertEqual(case.instructions[0]["code"], "set_aside")
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.approval_ids.mapped("step"), ["operational", "financial"])
        case.approval_ids[0].with_user(self.as_approve).action_approve()
        with self.assertRaises(UserError):
            case.with_user(self.as_execute).action_execute()
        self.assertEqual((receipt.state, self.shelved()), ("assigned", 0))
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, receipt.state, self.shelved()), ("resolved", "done", 12))
        told = " ".join(str(body) for body in receipt.message_ids.mapped("body"))
        self.assertIn("Cod fillet, 12 instead of 10", told)
        self.assertIn("The surplus was accepted", told)

    def test_a_surplus_after_the_receipt_is_a_receipt_of_its_own(self):
        receipt = self.receipt((self.product, 10))
        receipt.button_validate()
        case = self.reported(receipt, "12", quantity={"expected": "10", "counted": "12"})
        self.carried_out(case)
        self.assertEqual((case.action_ids.result.origin, self.shelved()), (case.name, 12))

    def test_more_than_expected_is_told_even_without_a_case(self):
        receipt = self.receipt((self.product, 10))
        receipt.move_ids.quantity = 11
        receipt.with_user(self.as_user).button_validate()
        self.assertIn("11 instead of 10", " ".join(str(body) for body in receipt.message_ids.mapped("body")))

    def test_an_item_that_nobody_ordered_goes_into_quarantine_and_stays_the_vendors(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "3", code="HAD", reason="wrong_item")
        action = case._live_actions()
        self.assertEqual((action.kind, action.quantity), ("receive_quarantine", 3))
        self.carried_out(case)
        self.assertEqual((self.quarantined(self.other, self.vendor), self.shelved(self.other)), (3, 0))
        self.assertEqual(self.quarantined(self.other), 0)
        self.assertEqual(self.other.with_context(warehouse_id=self.warehouse.id).qty_available, 0)
        self.assertEqual((receipt.state, receipt.move_ids.product_uom_qty), ("assigned", 10))
        with self.assertRaisesRegex(UserError, "still has 3"):
            case.with_user(self.as_close).action_close()
        case.with_user(self.as_investigate).action_plan_next()
        self.plan(case, "return_supplier")
        self.carried_out(case)
        back = case.stock_move_ids.picking_id.filtered(lambda picking: picking.state == "assigned")
        self.assertEqual((back.partner_id, self.quarantined(self.other, self.vendor)), (self.vendor, 3))
        back.button_validate()
        self.assertEqual((back.state, self.quarantined(self.other, self.vendor)), ("done", 0))
        case.with_user(self.as_close).action_close()

    def test_an_item_that_nobody_ordered_can_be_handed_back(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "3", code="HAD", reason="wrong_item")
        self.plan(case, "hand_back")
        self.finish(case)
        self.assertEqual((self.quarantined(self.other, self.vendor), self.shelved(self.other)), (0, 0))
        self.assertIn("handed back", str(receipt.message_ids[0].body))

    def test_the_wrong_goods_under_the_right_label_are_received_into_quarantine(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "10", reason="wrong_item")
        self.assertEqual(case._live_actions().kind, "receive_quarantine")
        self.carried_out(case)
        self.assertEqual((receipt.state, self.quarantined(), self.shelved()), ("done", 10, 0))

    def test_without_a_quarantine_of_the_policy_the_warehouses_own_is_taken_and_without_any_nothing_is_received(self):
        self.env["warehouse.exception.policy"].search([]).write({"quarantine_location_id": False})
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "3", code="HAD")
        self.assertEqual(case._live_actions().location_dest_id, self.warehouse.exception_quarantine_location_id)
        case._live_actions().with_user(self.as_investigate).location_dest_id = False
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(case.state, "executing")
        self.assertIn("Nobody said where the quarantine is", case.failure)
        self.assertEqual(self.shelved(self.other), 0)
        case.with_user(self.as_investigate).action_replan("choose one")
        case._live_actions().with_user(self.as_investigate).location_dest_id = self.quarantine
        self.carried_out(case)
        self.assertEqual(self.quarantined(self.other, self.vendor), 3)

    def test_a_receipt_that_changed_since_is_left_alone(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "8")
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        receipt.move_ids.product_uom_qty = 20
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(case.state, "executing")
        self.assertIn("expects 20 now and expected 10", case.failure)
        self.assertEqual((receipt.state, receipt.move_ids.product_uom_qty, self.shelved()), ("assigned", 20, 0))

    def test_a_receipt_that_was_validated_by_hand_as_counted_is_taken_as_it_is(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "8")
        receipt.move_ids.quantity = 8
        receipt.with_context(skip_backorder=True).button_validate()
        self.assertEqual(self.shelved(), 8)
        self.carried_out(case)
        self.assertEqual((case.action_ids.result, self.shelved()), (receipt.backorder_ids, 8))
        other = self.receipt((self.other, 10))
        case = self.reported(other, "8", code="HAD")
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        other.button_validate()
        case.with_user(self.as_execute).action_execute()
        self.assertIn("which is not what was approved", case.failure)
        self.assertEqual(self.shelved(self.other), 10)

    def test_a_box_is_counted_in_boxes_and_received_in_pieces(self):
        pieces = self.product.uom_id
        dozen = self.env["uom.uom"].create({"name": "Box", "relative_uom_id": pieces.id, "relative_factor": 12})
        receipt = self.receipt((self.product, 48))
        quantity = {"expected": "4", "counted": "3", "unit": dozen.name}
        case = self.reported(receipt, "3", quantity=quantity)
        self.assertEqual((case.state, case.uom_id, case._live_actions().quantity), ("open", dozen, 12))
        self.finish(case)
        self.assertEqual((self.shelved(), receipt.backorder_ids.move_ids.product_uom_qty), (36, 12))

    def test_a_lot_that_was_read_is_received_and_an_unknown_one_is_left_to_the_receiver(self):
        self.product.tracking = "lot"
        item = {"code": "COD", "lot": "L-7"}
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "8", item=item)
        self.finish(case)
        lot = receipt.move_line_ids.lot_id
        self.assertEqual((lot.name, self.on_hand(self.shelf, lot=lot)), ("L-7", 8))
        receipt = self.receipt((self.product, 5))
        case = self.reported(receipt, "4")
        self.finish(case)
        self.assertEqual((receipt.state, receipt.move_ids.quantity, receipt.move_ids.picked), ("assigned", 4, False))
        self.assertIn("to get a lot", str(receipt.message_ids[0].body))

    def test_two_lines_of_one_product_are_counted_together(self):
        receipt = self.receipt((self.product, 6))
        receipt.move_ids.copy({"product_uom_qty": 4})._action_confirm(merge=False)
        case = self.reported(receipt, "5")
        self.assertEqual((len(receipt.move_ids), case.move_id.id, case._live_actions().quantity), (2, False, 5))
        self.finish(case)
        self.assertEqual((receipt.state, self.shelved()), ("done", 5))
        self.assertEqual(sum(receipt.backorder_ids.move_ids.mapped("product_uom_qty")), 5)

    def test_a_count_that_agrees_proposes_nothing(self):
        case = self.reported(self.receipt((self.product, 10)), "10")
        self.assertFalse(case._live_actions())

    def test_who_may_not_is_refused_at_each_step(self):
        receipt = self.receipt((self.product, 10))
        case = self.reported(receipt, "12")
        action = case._live_actions()
        for role in ("user", "report", "approve", "execute", "manager", "audit"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                action.with_user(getattr(self, f"as_{role}")).quantity = 1
        for field in ("quantity_demand", "move_id"):
            with self.assertRaises(AccessError):
                action.with_user(self.as_investigate).write({field: False})
        with self.assertRaises(AccessError):
            case.with_user(self.as_investigate).action_execute()
        self.assertEqual((receipt.state, self.shelved()), ("assigned", 0))
