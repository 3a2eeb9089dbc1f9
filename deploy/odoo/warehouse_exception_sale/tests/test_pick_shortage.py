from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestPickShortageSale(ExceptionCommon):
    """Who promised the goods hears of it where they look, and needs no role of the warehouse for that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.salesperson = cls.user("promised it", "sales_team.group_sale_salesman")
        cls.customer = cls.env["res.partner"].create({"name": "Customer"})

    def setUp(self):
        super().setUp()
        self.stock(10)
        self.order = self._sold(8)
        self.next_bin = self.bin.create({"name": "A-03-04", "location_id": self.warehouse.lot_stock_id.id})

    def _sold(self, quantity, **values):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "warehouse_id": self.warehouse.id,
                "user_id": self.salesperson.id,
                "order_line": [Command.create({"product_id": self.product.id, "product_uom_qty": quantity})],
                **values,
            }
        )
        order.action_confirm()
        return order

    def _short(self, document=None):
        event = self.handheld.event(
            "pick_shortage",
            item={"code": GTIN_13},
            bin={"code": "EXT-A-03-02"},
            document={"code": document or self.order.picking_ids.name},
            quantity={"expected": "8", "counted": "5"},
        )
        return self.opened(event)

    def _todo(self, order=None):
        return (order or self.order).activity_ids.filtered(lambda todo: "Short in the warehouse" in todo.summary)

    def test_the_salesperson_is_told_on_the_order_and_sees_it_flagged(self):
        self.assertFalse(self.order.exception_state)
        case = self._short()
        todo = self._todo()
        self.assertEqual((todo.user_id, todo.res_model), (self.salesperson, "sale.order"))
        self.assertIn("3 Units of [COD] Cod fillet", str(todo.note))
        self.assertIn("Nothing is reserved in other bins", str(todo.note))
        mine = self.order.with_user(self.salesperson)
        self.assertEqual((mine.exception_state, mine.exception_count), ("open", 1))
        self.assertEqual(
            mine.activity_ids.filtered("summary").mapped("summary"), [f"Short in the warehouse: {case.name}"]
        )
        with self.assertRaises(AccessError):
            case.with_user(self.salesperson).read(["state"])
        Form(mine)

    def test_an_order_that_gets_all_from_another_bin_is_told_so(self):
        self.stock(14, self.next_bin)
        self._short()
        self.assertEqual(self.order.picking_ids.move_ids.state, "assigned")
        self.assertIn("the customer need not be told", str(self._todo().note))

    def test_the_flag_follows_the_case_and_goes_with_it(self):
        case = self._short()
        case.count_ids.with_user(self.as_execute).action_empty()
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(self.order.exception_state, "deciding")
        self.decide_all(case)
        self.assertEqual(self.order.exception_state, "doing")
        case.with_user(self.as_release).action_execute()
        self.assertEqual((case.failure, case.state, self.on_hand()), (False, "resolved", 0))
        self.assertEqual((self.order.exception_state, self.order.exception_count), (False, 1))
        self.assertIn("are not there", str(self.order.picking_ids.message_ids.mapped("body")))

    def test_orders_are_found_by_their_flag(self):
        other = self._sold(1)
        self._short()
        orders = self.env["sale.order"].with_user(self.salesperson)
        both = [("id", "in", (self.order | other).ids)]
        self.assertEqual(orders.search([*both, ("exception_state", "!=", False)]), self.order)
        self.assertEqual(orders.search([*both, ("exception_state", "=", "open")]), self.order)
        self.assertEqual(orders.search([*both, ("exception_state", "=", False)]), other)
        self.assertFalse(orders.search([*both, ("exception_state", "=", "doing")]))

    def test_the_flag_of_many_orders_costs_no_query_each(self):
        orders = self.order
        for _order in range(5):
            orders |= self._sold(1)
        self._short()
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(3):
            orders.sudo().mapped("exception_state")

    def test_it_is_told_once_however_often_the_response_runs(self):
        case = self._short()
        case._respond_later()
        self.respond()
        self.assertEqual(len(self._todo()), 1)

    def test_an_order_without_a_salesperson_is_flagged_all_the_same(self):
        self.order.user_id = False
        self._short()
        self.assertEqual((self.order.exception_state, self._todo().ids), ("open", []))

    def test_another_orders_salesperson_hears_nothing_and_keeps_the_goods(self):
        other = self._sold(2)
        self._short()
        self.assertFalse(self._todo(other) or other.exception_state)
        self.assertEqual(other.picking_ids.move_line_ids.mapped("quantity"), [2])

    def test_the_end_is_told_on_the_order(self):
        case = self._short()
        case.count_ids.with_user(self.as_investigate).quantity = 10
        case.count_ids.with_user(self.as_investigate).action_counted()
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        case.with_user(self.as_release).action_execute()
        self.assertEqual((case.failure, case.state, self.order.exception_state), (False, "resolved", False))
        self.assertIn(f"{case.name}: Resolved.", str(self.order.message_ids.mapped("body")))

    def test_who_may_read_cases_opens_them_from_the_order(self):
        case = self._short()
        action = self.order.with_user(
            self.user("both", "sales_team.group_sale_salesman_all_leads", "warehouse_exception.group_user")
        )
        shown = action.action_view_exceptions()
        self.assertEqual(self.env[shown["res_model"]].search(shown["domain"]), case)
