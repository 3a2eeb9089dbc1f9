from odoo.tests import tagged

from .dock import DockCommon


@tagged("post_install", "-at_install")
class TestOverage(DockCommon):
    def test_a_surplus_in_a_bin_is_told_and_the_books_are_not_touched(self):
        self.stock(5)
        event = self.handheld.event(
            "overage",
            item={"code": "COD"},
            bin={"code": "EXT-A-03-02"},
            quantity={"expected": "5", "counted": "7"},
        )
        case = self.opened(event)
        self.assertEqual(case.activity_ids.user_id, self.lead)
        self.assertEqual(case.instructions[0]["code"], "leave_surplus")
        self.assertEqual(self.on_hand(), 5)
        actions = self.env["warehouse.exception.action"]
        self.assertEqual(case._live_actions().mapped("kind"), ["adjust"] if actions._has_kind("adjust") else [])

    def test_a_surplus_in_a_pick_is_told_to_the_transfer(self):
        delivery = self.picking(5)
        case = self.reported(delivery, "7", kind="overage")
        self.assertEqual((case.move_id, delivery.exception_case_count), (delivery.move_ids, 1))
        self.assertIn("7 counted, 5 expected", str(delivery.message_ids[0].body))
        # What is done with a receipt is not offered for a pick.
        self.assertFalse({"backorder", "receive_over"} & self.env["warehouse.exception.action"]._kinds_for(case))
