from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.dock import DockCommon


@tagged("post_install", "-at_install")
class TestCreditPurchase(DockCommon):
    """The vendor's draft credit note and the order. Purchases bring Invoicing, so the bridge to that is there, too."""

    def test_a_credit_note_is_tied_to_the_line_that_was_billed(self):
        self.product.purchase_method = "purchase"
        self.product.supplier_taxes_id = False
        order = self.env["purchase.order"].create(
            {
                "partner_id": self.vendor.id,
                "picking_type_id": self.warehouse.in_type_id.id,
                "order_line": [Command.create({"product_id": self.product.id, "product_qty": 10, "price_unit": 7})],
            }
        )
        order.button_confirm()
        order.action_create_invoice()
        order.invoice_ids.invoice_date = "2026-11-25"
        order.invoice_ids.action_post()
        self.assertEqual(order.order_line.qty_invoiced, 10)
        case = self.reported(order, "8")
        self.plan(case, "short_close")
        for kind in ("claim", "credit_vendor"):
            self.env["warehouse.exception.action"]._propose(case, kind)
        self.carried_out(case)
        note = case.claim_ids.credit_note_ids
        self.assertEqual(
            (note.state, note.amount_untaxed, note.invoice_line_ids.purchase_line_id), ("draft", 14, order.order_line)
        )
        self.assertEqual((order.order_line.qty_invoiced, order.order_line.qty_received, self.shelved()), (8, 8, 8))
