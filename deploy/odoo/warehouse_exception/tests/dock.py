from odoo.fields import Command

from .common import GTIN_13, ExceptionCommon


class DockCommon(ExceptionCommon):
    """What the tests of receipts and returns share: a vendor, a lead, a quarantine, and a receipt of two products."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 100
        cls.other = cls.env["product.product"].create(
            {"name": "Haddock", "default_code": "HAD", "is_storable": True, "standard_price": 10}
        )
        cls.vendor = cls.env["res.partner"].create({"name": "Vendor"})
        cls.lead = cls.user("lead", "warehouse_exception.group_investigate")
        cls.warehouse.exception_lead_id = cls.lead
        cls.shelf = cls.warehouse.lot_stock_id
        # Beside the warehouse and not below it: what is in there is not offered to customers.
        cls.quarantine = cls.env["stock.location"].create({"name": "Quarantine", "company_id": cls.company.id})
        policies = cls.env["warehouse.exception.policy"].search([])
        policies.write({"quarantine_location_id": cls.quarantine.id})

    @classmethod
    def receipt(cls, *lines, source=None, **values):
        """A receipt that is ready, of (product, quantity)."""
        places = {
            "location_id": (source or cls.env.ref("stock.stock_location_suppliers")).id,
            "location_dest_id": cls.shelf.id,
        }
        moves = [
            Command.create({"product_id": product.id, "product_uom_qty": quantity, **places})
            for product, quantity in lines
        ]
        values = {
            "picking_type_id": cls.warehouse.in_type_id.id,
            "partner_id": cls.vendor.id,
            "move_ids": moves,
            **places,
            **values,
        }
        receipt = cls.env["stock.picking"].create(values)
        receipt.action_confirm()
        return receipt

    def reported(self, document, counted, code=GTIN_13, kind="receiving_discrepancy", **data):
        said = {"item": {"code": code}, "document": {"code": document.name}, **data}
        return self.opened(self.handheld.event(kind, counted=counted, **said))

    def plan(self, case, kind, **values):
        """Put another response in the place of what was proposed."""
        for action in case._live_actions():
            action.with_user(self.as_investigate).action_withdraw()
        return self.env["warehouse.exception.action"]._propose(case, kind, **values)

    def carried_out(self, case):
        """From here to resolved, each step by somebody who has that role and no other."""
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        self.assertEqual(case.state, "approved")
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, case.failure), ("resolved", False))

    def finish(self, case):
        self.carried_out(case)
        case.with_user(self.as_close).action_close()
        self.assertEqual(case.state, "closed")

    def shelved(self, product=None):
        return self.on_hand(self.shelf, product)

    def quarantined(self, product=None, owner=None):
        """What is in quarantine, of ours or of `owner`."""
        quants = self.env["stock.quant"].search(
            [("location_id", "=", self.quarantine.id), ("product_id", "=", (product or self.product).id)]
        )
        return sum(
            quants.filtered(lambda quant: quant.owner_id == (owner or quant.owner_id.browse())).mapped("quantity")
        )
