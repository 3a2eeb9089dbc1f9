from odoo.tests import tagged

from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestResolver(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.resolver = cls.env["warehouse.exception.resolver"]

    def _product(self, code=None, gtin=None):
        return self.resolver._product(self.company, code, gtin)

    def test_a_gtin_finds_its_product_however_many_zeros_the_master_data_has(self):
        for stored in (GTIN_13, "0" + GTIN_13):
            self.product.barcode = stored
            for code in (GTIN_13, "0" + GTIN_13):
                self.assertEqual(self._product(code=code), self.product)
                self.assertEqual(self._product(code="]C101" + code, gtin=code), self.product)

    def test_a_product_is_found_under_each_width_that_its_number_may_be_stored_in(self):
        for stored, canonical in (
            ("10614141007346", "10614141007346"),
            ("036000291452", "00036000291452"),
            ("96385074", "00000096385074"),
            ("01234565", "00012345000065"),
            ("01234565", "00000001234565"),
            ("04252614", "00042100005264"),
        ):
            self.product.barcode = stored
            with self.subTest(stored=stored, canonical=canonical):
                self.assertEqual(self._product(code=canonical, gtin=canonical), self.product)
                self.assertEqual(self._product(code=stored), self.product)

    def test_a_barcode_in_full_goes_before_another_products_short_form(self):
        self.product.barcode = "01234565"
        other = self.env["product.product"].create({"name": "Other", "barcode": "012345000065"})
        self.assertEqual(self._product(gtin="00012345000065"), other)
        self.assertEqual(self._product(gtin="00000001234565"), self.product)

    def test_the_short_form_of_a_packaging_goes_before_an_internal_reference(self):
        self.env["product.product"].create({"name": "Other", "default_code": "00012345000065"})
        dozen = self.env.ref("uom.product_uom_dozen")
        self.env["product.uom"].create({"product_id": self.product.id, "uom_id": dozen.id, "barcode": "01234565"})
        self.assertEqual(self._product(code="00012345000065"), self.product)

    def test_a_barcode_that_is_no_gtin_is_taken_as_it_is(self):
        self.product.barcode = "SHELF-42"
        self.assertEqual(self._product(code="SHELF-42"), self.product)

    def test_the_barcode_of_a_packaging_finds_its_product(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.env["product.uom"].create({"product_id": self.product.id, "uom_id": dozen.id, "barcode": "10614141007346"})
        self.assertEqual(self._product(code="10614141007346"), self.product)

    def test_a_barcode_goes_before_an_internal_reference(self):
        other = self.env["product.product"].create({"name": "Other", "default_code": GTIN_13})
        self.assertEqual(self._product(code=GTIN_13), self.product)
        self.product.barcode = False
        self.assertEqual(self._product(code=GTIN_13), other)

    def test_two_candidates_are_as_good_as_none(self):
        self.env["product.product"].create(
            [{"name": "One", "default_code": "TWIN"}, {"name": "Two", "default_code": "TWIN"}]
        )
        self.assertFalse(self._product(code="TWIN"))
        self.assertFalse(self._product(code="nobody knows"))
        self.assertFalse(self._product())

    def test_a_product_of_another_company_is_not_found(self):
        self.product.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertFalse(self._product(code=GTIN_13))

    def test_a_bin_is_found_by_barcode_full_name_and_name(self):
        for code in ("EXT-A-03-02", self.bin.complete_name, "A-03-02"):
            self.assertEqual(self.resolver._location(self.warehouse, code), self.bin)

    def test_the_devices_own_warehouse_decides_between_bins_of_one_name(self):
        elsewhere = self.env["stock.warehouse"].create({"name": "Elsewhere", "code": "ELS"})
        twin = self.env["stock.location"].create({"name": "A-03-02", "location_id": elsewhere.lot_stock_id.id})
        self.assertEqual(self.resolver._location(self.warehouse, "A-03-02"), self.bin)
        self.assertEqual(self.resolver._location(elsewhere, "A-03-02"), twin)
        third = self.env["stock.warehouse"].create({"name": "Third", "code": "THR"})
        self.assertFalse(self.resolver._location(third, "A-03-02"))

    def test_a_transfer_is_found_by_its_name(self):
        picking = self.picking(origin="EXT-SO-1")
        self.assertEqual(self.resolver._picking(self.company, "EXT/OUT/TEST", self.product), picking)

    def test_of_the_transfers_with_one_source_the_open_one_is_meant(self):
        done = self.picking(name="EXT/OUT/1", origin="EXT-SO-1")
        done.action_cancel()
        backorder = self.picking(name="EXT/OUT/2", origin="EXT-SO-1")
        self.assertEqual(self.resolver._picking(self.company, "EXT-SO-1", self.product), backorder)

    def test_of_several_open_transfers_the_one_that_moves_the_product_is_meant(self):
        other = self.env["product.product"].create({"name": "Other", "is_storable": True})
        ours = self.picking(name="EXT/OUT/1", origin="EXT-SO-1")
        theirs = self.picking(name="EXT/OUT/2", origin="EXT-SO-1")
        theirs.move_ids.product_id = other
        self.assertEqual(self.resolver._picking(self.company, "EXT-SO-1", self.product), ours)
        self.assertFalse(self.resolver._picking(self.company, "EXT-SO-1", self.env["product.product"]))

    def test_a_lot_belongs_to_its_product(self):
        self.product.tracking = "lot"
        other = self.env["product.product"].create({"name": "Other", "is_storable": True, "tracking": "lot"})
        lot, stranger = self.env["stock.lot"].create(
            [{"name": "L42", "product_id": product.id} for product in (self.product, other)]
        )
        self.assertEqual(self.resolver._lot(self.company, self.product, "L42", None), lot)
        self.assertEqual(self.resolver._lot(self.company, other, "L42", None), stranger)
        self.assertFalse(self.resolver._lot(self.company, self.env["product.product"], "L42", None))

    def test_a_serial_goes_before_a_lot_where_the_product_has_serials(self):
        self.product.tracking = "serial"
        serial = self.env["stock.lot"].create({"name": "S1", "product_id": self.product.id})
        self.env["stock.lot"].create({"name": "L42", "product_id": self.product.id})
        self.assertEqual(self.resolver._lot(self.company, self.product, "L42", "S1"), serial)

    def test_a_unit_must_convert_to_the_products_own(self):
        units, kg = self.env.ref("uom.product_uom_unit"), "kg"
        self.assertEqual(self.resolver._uom(self.product, None), units)
        self.assertEqual(self.resolver._uom(self.product, "units"), units)
        self.assertFalse(self.resolver._uom(self.product, kg))
        self.assertTrue(self.resolver._uom(self.env["product.product"], kg))
