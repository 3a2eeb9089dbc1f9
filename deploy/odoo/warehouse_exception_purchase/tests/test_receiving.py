from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.dock import DockCommon


@tagged("post_install", "-at_install")
class TestReceivingPurchase(DockCommon):
    """What comes of a report at the dock for the order: what was received, who is told, and what is claimed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.user("buyer", "purchase.group_purchase_user")

    def _order(self, order=None, **line):
        values = {"product_id": self.product.id, "product_qty": 10, "price_unit": 7, **line}
        order = self.env["purchase.order"].create(
            {
                "partner_id": self.vendor.id,
                "partner_ref": "SO-4711",
                "user_id": self.buyer.id,
                "picking_type_id": self.warehouse.in_type_id.id,
                "order_line": [Command.create(values)],
                **(order or {}),
            }
        )
        order.button_confirm()
        return order

    def test_the_buyer_and_the_lead_are_asked_and_the_order_leads_to_the_case(self):
        order = self._order()
        case = self.reported(order, "8")
        self.assertEqual((case.activity_ids.user_id, order.activity_ids.user_id), (self.lead, self.buyer))
        self.assertIn("8 counted, 10 expected", order.activity_ids.note)
        self.assertEqual((case.purchase_line_id, case.move_id), (order.order_line, order.picking_ids.move_ids))
        self.assertIn(f'data-oe-id="{case.id}"', str(order.message_ids[0].body))
        self.assertEqual(order.with_user(self.buyer).exception_case_count, 1)
        self.assertEqual(order.with_user(self.as_user).sudo().action_exception_cases()["res_id"], case.id)

    def test_a_short_receipt_and_its_backorder_are_what_the_order_received(self):
        order = self._order()
        case = self.reported(order, "8")
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        self.assertEqual((self.shelved(), order.order_line.qty_received), (0, 0))
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((self.shelved(), order.order_line.qty_received, case.state), (8, 8, "resolved"))
        backorder = case.action_ids.result
        self.assertEqual(backorder.purchase_id, order)
        case.with_user(self.as_close).action_close()
        backorder.button_validate()
        self.assertEqual((self.shelved(), order.order_line.qty_received), (10, 10))

    def test_what_is_given_up_is_never_received(self):
        order = self._order()
        case = self.reported(order, "8")
        self.plan(case, "short_close")
        self.finish(case)
        self.assertEqual((self.shelved(), order.order_line.qty_received), (8, 8))
        self.assertFalse(order.picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel")))

    def test_a_surplus_is_received_on_the_order_before_and_after_the_receipt(self):
        before, after = self._order(), self._order()
        after.picking_ids.button_validate()
        self.assertEqual((self.shelved(), after.order_line.qty_received), (10, 10))
        case = self.reported(before, "12")
        self.assertEqual((self.shelved(), before.order_line.qty_received), (10, 0))
        self.finish(case)
        self.assertEqual((self.shelved(), before.order_line.qty_received), (22, 12))
        case = self.reported(after.picking_ids, "12", quantity={"expected": "10", "counted": "12"})
        self.finish(case)
        self.assertEqual((self.shelved(), after.order_line.qty_received), (24, 12))
        self.assertEqual((before.order_line.product_qty, len(after.order_line)), (10, 1))
        self.assertIn("The surplus was accepted", str(before.message_ids.mapped("body")))

    def test_a_wrong_item_is_not_received_on_the_order(self):
        order = self._order()
        case = self.reported(order, "3", code="HAD", reason="wrong_item")
        self.assertEqual((case.purchase_order_id, case.purchase_line_id.id), (order, False))
        self.carried_out(case)
        self.assertEqual(self.quarantined(self.other, self.vendor), 3)
        self.assertEqual((len(order.order_line), order.order_line.qty_received, self.shelved()), (1, 0, 0))

    def test_an_order_with_the_product_twice_is_not_guessed_about(self):
        order = self._order()
        order.order_line = [Command.create({"product_id": self.product.id, "product_qty": 5, "price_unit": 9})]
        case = self.reported(order, "12")
        self.assertEqual((case._live_actions().quantity, case.purchase_line_id.id), (3, False))
        self.finish(case)
        self.assertEqual((self.shelved(), sum(order.order_line.mapped("qty_received"))), (12, 12))

    def test_a_claim_is_about_the_orders_price_and_belongs_to_the_buyer(self):
        order = self._order(discount=10)
        case = self.reported(order, "8")
        self.plan(case, "short_close")
        action = self.env["warehouse.exception.action"]._propose(case, "claim")
        self.assertAlmostEqual(action.amount, 12.6)
        self.carried_out(case)
        claim = case.claim_ids
        self.assertAlmostEqual(claim.amount, 12.6)
        self.assertEqual((claim.partner_id, claim.user_id, claim.purchase_order_id), (self.vendor, self.buyer, order))
        self.assertEqual((order.exception_claim_count, self.shelved(), order.order_line.qty_received), (1, 8, 8))
        self.assertEqual(claim.activity_ids.user_id, self.buyer)
        self.assertIn(claim, claim.with_user(self.buyer).search(order.action_exception_claims()["domain"]))
        with self.assertRaises(AccessError):
            claim.with_user(self.buyer).action_send()
        html = (
            self.env["ir.actions.report"]
            .with_user(self.buyer)
            ._render_qweb_html("warehouse_exception.report_claim", claim.ids)[0]
            .decode()
        )
        for text in (order.name, "SO-4711", self.buyer.name, "12.60"):
            self.assertIn(text, html)

    def test_an_order_in_boxes_and_in_another_currency_is_claimed_in_pieces_and_compared_in_our_money(self):
        box = self.env["uom.uom"].create(
            {"name": "Box", "relative_uom_id": self.product.uom_id.id, "relative_factor": 12}
        )
        foreign = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("id", "!=", self.company.currency_id.id)], limit=1)
        )
        foreign.active = True
        foreign.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"name": "2020-01-01", "currency_id": foreign.id, "company_id": self.company.id, "rate": 2}
        )
        order = self._order(order={"currency_id": foreign.id}, product_qty=1, product_uom_id=box.id, price_unit=24)
        case = self.reported(order, "9")
        self.plan(case, "claim", quantity=3)
        self.assertEqual(case._live_actions().amount, 3)
        self.carried_out(case)
        claim = case.claim_ids
        self.assertEqual((claim.currency_id, claim.amount, claim.amount_company), (foreign, 6, 3))
