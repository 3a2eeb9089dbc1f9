from odoo.tests import tagged

from .common import GTIN_13
from .test_damaged import DamagedCommon


@tagged("post_install", "-at_install")
class TestLocationMismatch(DamagedCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.found = cls.env["stock.location"].create(
            {"name": "B-01", "barcode": "EXT-B-01", "location_id": cls.warehouse.lot_stock_id.id}
        )

    def _case(self, counted="4", **data):
        facts = {"item": {"code": GTIN_13}, "bin": {"code": "EXT-B-01"}, **data}
        quantity = {"quantity": {"counted": counted} if counted else {}}
        return self.opened(self.handheld.event("location_mismatch", **quantity, **facts))

    def test_the_record_follows_the_goods(self):
        self.stock(10)
        customer = self.delivery(5)
        case = self._case()
        [action] = case.action_ids
        self.assertEqual((action.kind, action.location_id, action.location_dest_id), ("relocate", self.bin, self.found))
        self.assertEqual((action.quantity, case.instructions[0]["bin"]), (4, "EXT-A-03-02"))
        self.assertEqual((self.on_hand(), self.on_hand(self.found)), (10, 0))
        self.executed(self.approved(case))
        self.assertEqual((self.on_hand(), self.on_hand(self.found), self.available), (6, 4, 10))
        self.assertEqual(customer.move_ids.quantity, 5)
        case.with_user(self.as_close).action_close()
        self.assertEqual(case.state, "closed")

    def test_what_a_customer_waits_for_is_not_moved_away(self):
        self.stock(10)
        customer = self.delivery(8)
        case = self.approved(self._case())
        case.with_user(self.as_execute).action_execute()
        self.assertRegex(case.failure, r"2 of 4 Units are free. The rest is reserved for EXT/OUT/CUSTOMER \(8\)")
        self.assertEqual((self.on_hand(), self.on_hand(self.found), customer.move_ids.quantity), (10, 0, 8))

    def test_people_may_send_it_to_a_third_bin(self):
        right = self.bin.copy({"name": "C-01"})
        self.stock(10)
        case = self._case()
        case.action_ids.with_user(self.as_investigate).location_dest_id = right
        self.executed(self.approved(case))
        self.assertEqual((self.on_hand(), self.on_hand(self.found), self.on_hand(right)), (6, 0, 4))

    def test_what_was_not_counted_is_all_that_the_one_bin_holds(self):
        self.stock(7)
        self.assertEqual(self._case(counted=None).action_ids.quantity, 7)

    def test_several_bins_that_it_could_be_from_are_counted(self):
        self.warehouse.exception_lead_id = self.as_investigate
        self.stock(10)
        self.stock(10, self.bin.copy({"name": "C-01"}))
        case = self._case()
        self.assertFalse(case.action_ids)
        self.assertEqual(case.instructions[0]["code"], "recount")
        self.assertRegex(str(case.activity_ids.note), r"A-03-02 \(10\).*C-01 \(10\)")

    def test_what_is_on_record_nowhere_is_counted(self):
        self.warehouse.exception_lead_id = self.as_investigate
        self.stock(3)
        case = self._case()
        self.assertFalse(case.action_ids)
        self.assertRegex(str(case.activity_ids.note), "no other bin")

    def test_what_is_on_record_here_goes_where_put_away_rules_want_it(self):
        self.stock(4, self.found)
        self.env["stock.putaway.rule"].create(
            {
                "product_id": self.product.id,
                "location_in_id": self.warehouse.lot_stock_id.id,
                "location_out_id": self.bin.id,
                "company_id": self.company.id,
            }
        )
        case = self._case()
        self.assertEqual((case.action_ids.location_id, case.action_ids.location_dest_id), (self.found, self.bin))
        self.executed(self.approved(case))
        self.assertEqual((self.on_hand(), self.on_hand(self.found)), (4, 0))
