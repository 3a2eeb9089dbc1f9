from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import GTIN_13, ExceptionCommon


class HoldCommon(ExceptionCommon):
    """Ten of a lot in a bin, and a quarantine. The handheld reports that lot in that bin."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.write({"tracking": "lot", "standard_price": 10})
        cls.lot = cls.env["stock.lot"].create({"name": "L-1", "product_id": cls.product.id})
        cls.stock(cls, 10, lot=cls.lot)
        cls.quarantine = cls.env["stock.location"].create(
            {"name": "Quarantine", "location_id": cls.warehouse.view_location_id.id}
        )
        cls.policy_of("blocked_stock").quarantine_location_id = cls.quarantine
        cls.actions = cls.env["warehouse.exception.action"]
        cls.holds = cls.env["warehouse.exception.hold"]

    @classmethod
    def policy_of(cls, kind):
        return cls.env["warehouse.exception.policy"].search([("exception_type", "=", kind)])

    def reported(self, kind="blocked_stock", lot="L-1", **data):
        item = {"code": GTIN_13, "lot": lot}
        event = self.handheld.event(kind, item=item, bin={"code": self.bin.barcode}, **data)
        return self.opened(event)

    def reserved(self, quantity=8, **values):
        """A customer's delivery that has its goods reserved."""
        picking = self.picking(quantity, **values)
        picking.action_confirm()
        picking.action_assign()
        return picking

    def reserved_of(self, lot=None, location=None):
        quants = self.env["stock.quant"].search([("lot_id", "=", (lot or self.lot).id)])
        return sum(quants.filtered(lambda quant: quant.location_id == (location or self.bin)).mapped("reserved_quantity"))

    def place(self, **scope):
        scope = {"lot": self.lot, **scope}
        return self.holds._place(self.company, self.product, scope.pop("reason", "blocked"), **scope)

    def decided(self, case):
        """Submitted by an investigator and approved by whoever has to."""
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        self.assertEqual(case.state, "approved")


@tagged("post_install", "-at_install")
class TestHold(HoldCommon):
    """The compliance register: what an entry does, and that nobody writes into it."""

    def test_a_hold_frees_what_was_reserved_and_tells_the_delivery(self):
        picking = self.reserved()
        self.assertEqual((picking.move_ids.state, self.reserved_of()), ("assigned", 8))
        hold = self.place()
        self.assertEqual((picking.move_ids.state, self.reserved_of(), self.on_hand(lot=self.lot)), ("confirmed", 0, 10))
        self.assertIn(hold.name, str(picking.message_ids[0].body))
        self.assertTrue(self.lot.exception_blocked)

    def test_what_is_picked_stays_in_the_hands_of_whoever_picked_it(self):
        picking = self.reserved()
        picking.move_line_ids.picked = True
        self.place()
        self.assertEqual((picking.move_ids.quantity, self.reserved_of()), (8, 8))
        self.assertIn("can't be validated", str(picking.message_ids[0].body))

    def test_the_same_stock_is_held_once_for_a_case_and_again_for_another(self):
        hold = self.place()
        self.assertEqual(self.place(), hold)
        first, second = self.reported("overage"), self.reported("overage")
        self.assertEqual(self.place(case=first), hold)
        self.assertEqual(hold.case_id, first)
        self.assertNotEqual(self.place(case=second), hold)

    def test_the_register_is_written_by_responses_only(self):
        hold = self.place()
        values = {"company_id": self.company.id, "product_id": self.product.id, "reason": "blocked"}
        for records in (hold, hold.with_user(self.as_release), hold.with_user(self.as_manager)):
            with self.assertRaises(AccessError):
                records.write({"state": "released"})
            with self.assertRaises(AccessError):
                records.unlink()
            with self.assertRaises(AccessError):
                records.create(values)
        self.assertEqual(hold.with_user(self.as_audit).read(["state"])[0]["state"], "active")

    def test_a_person_without_a_role_of_ours_sees_that_a_lot_is_blocked_and_not_the_register(self):
        plain = self.user("plain", "stock.group_stock_user")
        self.place()
        self.assertTrue(self.lot.with_user(plain).exception_blocked)
        self.assertIn(self.lot, self.env["stock.lot"].with_user(plain).search([("exception_blocked", "=", True)]))
        with self.assertRaises(AccessError):
            self.holds.with_user(plain).search([])

    def test_a_case_does_not_end_while_its_stock_is_locked(self):
        case = self.reported("overage")
        self.place(case=case)
        with self.assertRaisesRegex(UserError, "Stock is still locked"):
            case.with_user(self.as_investigate).action_cancel("a mistake")

    def test_a_bin_with_nothing_left_in_it_is_free_when_its_case_is_closed(self):
        case = self.reported("overage")
        hold = self.place(case=case, lot=None, location=self.bin)
        self.env["stock.quant"]._update_available_quantity(self.product, self.bin, -10, lot_id=self.lot)
        self.actions._propose(case, "accept")
        self.decided(case)
        case.with_user(self.as_execute).action_execute()
        case.with_user(self.as_close).action_close()
        self.assertEqual((hold.state, hold.released_by_id), ("released", self.as_close))

    def test_locking_is_a_response_that_policy_lets_happen_at_once(self):
        case = self.reported("overage")
        hold = case._hold_at_once()
        self.assertEqual((hold.lot_id, hold.location_id, hold.reason), (self.lot, self.bin, "suspect"))
        action = case.action_ids.filtered(lambda action: action.kind == "hold")
        self.assertEqual((action.state, action.is_automatic), ("done", True))

    def test_without_policy_or_without_lot_and_bin_locking_waits_for_people(self):
        self.policy_of("overage").auto_hold = False
        case = self.reported("overage")
        self.assertFalse(case._hold_at_once())
        self.assertEqual(case._live_actions().filtered(lambda action: action.kind == "hold").state, "proposed")
        self.policy_of("overage").auto_hold = True
        nowhere = self.opened(self.handheld.event("overage", item={"code": GTIN_13}))
        self.assertFalse(nowhere._hold_at_once())
