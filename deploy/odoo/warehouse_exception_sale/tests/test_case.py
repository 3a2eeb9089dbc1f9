from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestCaseSale(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        customer = cls.env["res.partner"].create({"name": "Customer"})
        cls.order = cls.env["sale.order"].create(
            {
                "partner_id": customer.id,
                "warehouse_id": cls.warehouse.id,
                "order_line": [Command.create({"product_id": cls.product.id, "product_uom_qty": 8})],
            }
        )

    def test_a_delivery_leads_to_the_order_and_its_line(self):
        self.order.action_confirm()
        document = {"code": self.order.picking_ids.name}
        case = self.case_of(self.handheld.event(item={"code": GTIN_13}, document=document, counted="5"))
        self.assertEqual((case.sale_order_id, case.sale_line_id), (self.order, self.order.order_line))
        self.assertEqual(case.quantity_variance, -3)

    def test_the_name_of_an_order_leads_to_its_delivery(self):
        self.order.action_confirm()
        case = self.case_of(self.handheld.event(item={"code": GTIN_13}, document={"code": self.order.name}))
        self.assertEqual((case.picking_id, case.sale_order_id), (self.order.picking_ids, self.order))

    def test_two_lines_of_one_product_are_not_guessed_between(self):
        self.order.order_line = [Command.create({"product_id": self.product.id, "product_uom_qty": 2})]
        self.order.action_confirm()
        document = {"code": self.order.picking_ids.name}
        case = self.case_of(self.handheld.event(item={"code": GTIN_13}, document=document))
        self.assertEqual((case.sale_order_id, case.sale_line_id.id), (self.order, False))
