from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestCase(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.worker = cls.user("worker", "warehouse_exception.group_investigate")

    def _as_worker(self, jws):
        return self.case_of(jws).with_user(self.worker)

    def test_a_case_whose_codes_are_all_known_is_open(self):
        self.picking()
        jws = self.handheld.event(
            item={"code": GTIN_13}, bin={"code": "A-03-02"}, document={"code": "EXT/OUT/TEST"}, counted="5"
        )
        case = self.case_of(jws)
        self.assertEqual((case.state, case.unresolved), ("open", ""))

    def test_a_case_tells_how_exact_its_time_is(self):
        never = "(the device's clock was not checked since it was switched on)"
        for clock, shown, correction in (
            ({"offset_ms": -1200, "uncertainty_ms": 2300}, "\N{PLUS-MINUS SIGN} 3 s", "-1.2 s"),
            ({"offset_ms": 0, "uncertainty_ms": 0}, "\N{PLUS-MINUS SIGN} 0 ms", "+0 s"),
            (
                {"offset_ms": 10**12},
                "(the device corrected its clock and does not know how exact it is)",
                "+1,000,000,000 s",
            ),
            ({}, never, False),
            ({"offset_ms": None, "uncertainty_ms": None}, never, False),
        ):
            with self.subTest(clock):
                case = self._as_worker(self.handheld.event(clock={"boot_id": "b", "boot_ms": 1, **clock}))
                self.assertEqual(case.captured_precision, shown)
                self.assertEqual(case.event_ids.captured_precision, shown)
                self.assertEqual(case.event_ids.clock_correction, correction)

    def test_what_nobody_knows_waits_for_a_person_and_is_no_error(self):
        jws = self.handheld.event(item={"code": "?1"}, bin={"code": "?2"}, document={"code": "?3"})
        case = self.case_of(jws)
        self.assertEqual(case.state, "needs_mapping")
        self.assertEqual(case.unresolved, "item ?1; bin ?2; document ?3")
        self.assertEqual((case.product_code, case.bin_code, case.document_code), ("?1", "?2", "?3"))

    def test_a_lot_that_is_first_seen_at_the_dock_does_not_hold_up_its_case(self):
        case = self.case_of(self.handheld.event(item={"code": GTIN_13, "lot": "BRAND-NEW"}))
        self.assertEqual((case.state, case.lot_code, case.lot_id.id), ("open", "BRAND-NEW", False))

    def test_the_transfer_says_what_was_expected_when_the_device_does_not_know(self):
        self.picking(quantity=8)
        jws = self.handheld.event(item={"code": GTIN_13}, document={"code": "EXT/OUT/TEST"}, counted="5")
        case = self.case_of(jws)
        self.assertEqual((case.quantity_expected, case.expected_source), (8, "picking"))
        self.assertEqual(case.quantity_variance, -3)

    def test_what_the_device_expected_goes_before_what_the_transfer_says(self):
        self.picking(quantity=8)
        jws = self.handheld.event(
            item={"code": GTIN_13}, document={"code": "EXT/OUT/TEST"}, quantity={"expected": "6", "counted": "5"}
        )
        case = self.case_of(jws)
        self.assertEqual((case.quantity_expected, case.expected_source), (6, "event"))

    def test_the_expected_quantity_is_told_in_the_reported_unit(self):
        self.picking(quantity=24)
        jws = self.handheld.event(
            item={"code": GTIN_13}, document={"code": "EXT/OUT/TEST"}, quantity={"counted": "3", "unit": "Pack of 6"}
        )
        case = self.case_of(jws)
        self.assertEqual((case.quantity_expected, case.quantity_variance), (4, -1))

    def test_a_blind_count_has_no_variance(self):
        case = self.case_of(self.handheld.event("cycle_count_variance", counted="4"))
        self.assertEqual((case.expected_source, case.quantity_variance), ("unknown", 0))

    def test_decimal_quantities_have_no_binary_noise(self):
        case = self.case_of(self.handheld.event(quantity={"expected": "0.3", "counted": "0.1"}))
        self.assertEqual(case.quantity_variance, -0.2)

    def test_a_person_maps_a_case_and_opens_it(self):
        case = self._as_worker(self.handheld.event(item={"code": "?1"}, document={"code": "?3"}))
        with self.assertRaisesRegex(UserError, r"no product has the code \?1"):
            case.action_map()
        case.product_id = self.product
        case.action_map()
        self.assertEqual(case.state, "open")
        self.assertEqual(case.uom_id, self.product.uom_id)
        self.assertIn("document ?3", str(case.message_ids.mapped("body")))

    def test_mapping_looks_again_at_what_became_known(self):
        case = self._as_worker(self.handheld.event(item={"code": "NEW-1"}))
        self.product.barcode = "NEW-1"
        case.action_map()
        self.assertEqual((case.state, case.product_id), ("open", self.product))

    def test_no_context_opens_the_seal(self):
        case = self._as_worker(self.handheld.event(item={"code": GTIN_13}))
        for value in (True, 1, "x", object()):
            with self.assertRaises(AccessError):
                case.with_context(warehouse_exception_unsealed=value).write({"state": "closed"})

    def test_what_was_reported_cannot_be_edited_by_anybody(self):
        case = self.case_of(self.handheld.event(item={"code": GTIN_13}))
        for values in (
            {"quantity_counted": 8},
            {"quantity_variance": 0},
            {"note": "x"},
            {"company_id": self.company.id},
            {"state": "closed"},
            {"scan_ids": [(5, 0, 0)]},
        ):
            for editor in (case, case.sudo(), case.with_user(self.worker)):
                with self.assertRaises(AccessError):
                    editor.write(values)

    def test_a_case_with_every_kind_can_be_made(self):
        for kind, _label in self.env["warehouse.exception.case"]._fields["exception_type"].selection:
            self.assertEqual(self.case_of(self.handheld.event(kind)).exception_type, kind)
