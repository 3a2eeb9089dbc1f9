from odoo.exceptions import UserError
from odoo.tests import tagged

from .dock import DockCommon


@tagged("post_install", "-at_install")
class TestReturns(DockCommon):
    """A customer's return that is not what it says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.env["res.partner"].create({"name": "Customer"})
        cls.customers = cls.env.ref("stock.stock_location_customers")

    def setUp(self):
        super().setUp()
        self.stock(10, self.shelf)
        delivery = self.picking(10, name="EXT/OUT/SENT", partner_id=self.customer.id)
        delivery.action_confirm()
        delivery.action_assign()
        delivery.button_validate()
        self.assertEqual(self.shelved(), 0)
        wizard = self.env["stock.return.picking"].with_context(active_id=delivery.id, active_model="stock.picking")
        wizard = wizard.create({"picking_id": delivery.id})
        wizard.product_return_moves.quantity = 6
        self.back = delivery.browse(wizard.action_create_returns()["res_id"])

    def _returned(self, counted, **data):
        case = self.reported(self.back, counted, kind="return_discrepancy", **data)
        self.assertEqual((case.picking_id, case.quantity_expected), (self.back, 6))
        self.assertEqual(case.activity_ids.user_id, self.lead)
        self.assertEqual(self.shelved(), 0)
        return case

    def test_less_came_back_and_no_more_is_expected(self):
        case = self._returned("4")
        self.assertEqual((case._live_actions().kind, case._live_actions().quantity), ("short_close", 2))
        self.finish(case)
        self.assertEqual((self.back.state, self.shelved(), self.back.backorder_ids.ids), ("done", 4, []))
        self.assertEqual(
            self.back.move_ids.filtered(lambda move: move.state == "done").origin_returned_move_id.quantity, 10
        )

    def test_the_rest_can_be_awaited(self):
        case = self._returned("4")
        self.plan(case, "backorder")
        self.finish(case)
        self.assertEqual((self.shelved(), self.back.backorder_ids.move_ids.product_uom_qty), (4, 2))

    def test_more_came_back(self):
        case = self._returned("7")
        self.assertEqual(case._live_actions().kind, "receive_over")
        self.finish(case)
        self.assertEqual(self.shelved(), 7)

    def test_something_else_came_back_and_goes_into_quarantine(self):
        case = self.reported(self.back, "2", code="HAD", kind="return_discrepancy", reason="wrong_item")
        self.assertEqual(case._live_actions().kind, "receive_quarantine")
        self.carried_out(case)
        self.assertEqual((self.quarantined(self.other, self.customer), self.shelved()), (2, 0))
        with self.assertRaisesRegex(UserError, "still has 2"):
            case.with_user(self.as_close).action_close()
