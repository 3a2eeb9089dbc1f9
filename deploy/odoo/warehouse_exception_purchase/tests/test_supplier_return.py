from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.test_damaged import DamagedCommon


@tagged("post_install", "-at_install")
class TestSupplierReturn(DamagedCommon):
    def test_a_return_counts_on_the_order_that_it_came_with(self):
        other = self.env["res.partner"].create({"name": "Who delivered it"})
        order = self.env["purchase.order"].create(
            {
                "partner_id": other.id,
                "picking_type_id": self.warehouse.in_type_id.id,
                "order_line": [Command.create({"product_id": self.product.id, "product_qty": 10, "price_unit": 10})],
            }
        )
        order.button_confirm()
        order.picking_ids.move_ids.quantity = 10
        order.picking_ids.button_validate()
        stock = self.warehouse.lot_stock_id
        case = self.quarantined(document={"code": order.name}, bin={"code": stock.complete_name})
        self.assertEqual((case.purchase_order_id, case.location_id), (order, stock))
        self.assertEqual((order.order_line.qty_received, self.on_hand(stock), case.quarantine_open), (10, 7, 3))
        action = self.planned(case, "return_supplier")
        self.executed(self.approved(case))
        self.assertEqual((action.result.partner_id, action.result.state), (other, "assigned"))
        self.assertEqual(order.order_line.qty_received, 10)
        action.result.with_user(self.as_user).button_validate()
        self.assertEqual((order.order_line.qty_received, case.quarantine_open), (7, 0))
        self.assertEqual(self.on_hand(action.result.location_dest_id), 3 - 10, "ten came from there")
