from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.common import GTIN_13
from odoo.addons.warehouse_exception.tests.dock import DockCommon


@tagged("post_install", "-at_install")
class TestCreditSale(DockCommon):
    """What the order says about a credit. Sales bring Invoicing, so the bridge to that is there, too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.invoice_policy = "order"
        cls.product.taxes_id = False
        cls.customer = cls.env["res.partner"].create({"name": "Customer"})
        line = {"product_id": cls.product.id, "product_uom_qty": 8, "price_unit": 50, "discount": 10}
        cls.order = cls.env["sale.order"].create(
            {"partner_id": cls.customer.id, "warehouse_id": cls.warehouse.id, "order_line": [Command.create(line)]}
        )
        cls.env["stock.quant"]._update_available_quantity(cls.product, cls.shelf, 5)
        cls.order.action_confirm()

    def _shortage(self):
        document = {"code": self.order.picking_ids.name}
        case = self.opened(self.handheld.event(item={"code": GTIN_13}, document=document, counted="5"))
        return case, self.plan(case, "credit_customer")

    def test_what_was_invoiced_and_is_missing_is_credited_at_the_orders_price(self):
        self.order._create_invoices().action_post()
        case, action = self._shortage()
        self.assertEqual((action.quantity, action.amount), (3, 135))
        self.carried_out(case)
        note = action.result
        self.assertEqual((note.state, note.partner_id, note.amount_untaxed), ("draft", self.customer, 135))
        self.assertEqual((note.invoice_line_ids.sale_line_ids, self.shelved()), (self.order.order_line, 5))

    def test_what_was_never_invoiced_is_not_credited(self):
        case, action = self._shortage()
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, action.state, action.result), ("executing", "failed", None))
        self.assertIn("No more than 0", case.failure)
