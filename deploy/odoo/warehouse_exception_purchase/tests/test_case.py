from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestCasePurchase(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        vendor = cls.env["res.partner"].create({"name": "Vendor"})
        cls.order = cls.env["purchase.order"].create(
            {
                "partner_id": vendor.id,
                "picking_type_id": cls.warehouse.in_type_id.id,
                "order_line": [Command.create({"product_id": cls.product.id, "product_qty": 10, "price_unit": 1})],
            }
        )

    def _event(self):
        return self.handheld.event(
            "receiving_discrepancy", item={"code": GTIN_13}, document={"code": self.order.name}, counted="8"
        )

    def test_the_name_of_an_order_leads_to_its_receipt_and_line(self):
        self.order.button_confirm()
        case = self.case_of(self._event())
        self.assertEqual((case.purchase_order_id, case.purchase_line_id), (self.order, self.order.order_line))
        self.assertEqual(case.picking_id, self.order.picking_ids)
        self.assertEqual((case.quantity_expected, case.quantity_variance, case.state), (10, -2, "open"))

    def test_an_order_without_a_receipt_is_a_known_document(self):
        case = self.case_of(self._event())
        self.assertEqual((case.purchase_order_id, case.picking_id.id, case.state), (self.order, False, "open"))

    def test_the_receipt_itself_leads_to_the_order(self):
        self.order.button_confirm()
        document = {"code": self.order.picking_ids.name}
        case = self.case_of(self.handheld.event(item={"code": GTIN_13}, document=document))
        self.assertEqual(case.purchase_line_id, self.order.order_line)

    def test_who_may_not_read_purchases_can_still_read_and_map_the_case(self):
        worker = self.user("worker", "warehouse_exception.group_investigate")
        case = self.case_of(self.handheld.event(item={"code": "?"}, document={"code": self.order.name}))
        case = case.with_user(worker)
        case.product_id = self.product
        case.action_map()
        self.assertEqual(case.sudo().purchase_line_id, self.order.order_line)
        self.assertTrue(case.web_read({"purchase_order_id": {"fields": {"display_name": {}}}}))
