from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import GTIN_13, ExceptionCommon


class DamagedCommon(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 10
        cls.actions = cls.env["warehouse.exception.action"]
        cls.vendor = cls.env["res.partner"].create({"name": "Fish & Co"})
        cls.product.seller_ids = [(0, 0, {"partner_id": cls.vendor.id})]

    def damaged(self, counted="3", **data):
        facts = {"item": {"code": GTIN_13}, "bin": {"code": self.bin.barcode}, "reason": "crushed", **data}
        case = self.opened(self.handheld.event("damaged", counted=counted, quantity={"counted": counted}, **facts))
        self.assertEqual(case.state, "open")
        case.with_user(self.as_investigate).cause_id = self.env.ref(
            "warehouse_exception.cause_damaged_in_the_warehouse"
        )
        return case

    def approved(self, case):
        case.with_user(self.as_investigate).action_submit()
        self.steps = self.decide_all(case)
        self.assertEqual(case.state, "approved")
        return case

    def executed(self, case, role=None):
        case.with_user(role or self.as_execute).action_execute()
        self.assertEqual((case.state, case.failure), ("resolved", False))
        return case

    def quarantined(self, counted="3", **data):
        return self.executed(self.approved(self.damaged(counted, **data)))

    def planned(self, case, kind, **values):
        """The second plan, from the first one's end."""
        case.with_user(self.as_investigate).action_plan_next()
        return self.actions.with_user(self.as_investigate)._propose(case, kind, **values)

    @property
    def quarantine(self):
        return self.warehouse.exception_quarantine_location_id

    @property
    def available(self):
        self.product.invalidate_recordset()
        return self.product.with_context(warehouse_id=self.warehouse.id).qty_available

    def delivery(self, quantity, name="EXT/OUT/CUSTOMER"):
        """A customer's order, reserved as far as there is stock."""
        picking = self.picking(quantity, name=name)
        picking.action_confirm()
        picking.action_assign()
        return picking


@tagged("post_install", "-at_install")
class TestDamaged(DamagedCommon):
    """From a signed event to the last state, with the stock after each step."""

    def setUp(self):
        super().setUp()
        self.stock(10)
        self.customer = self.delivery(6)

    def assert_stock(self, bin_, quarantine, available, reserved=6):
        found = (self.on_hand(), self.on_hand(self.quarantine) if self.quarantine else 0, self.available)
        self.assertEqual(found, (bin_, quarantine, available))
        self.assertEqual(self.customer.move_ids.quantity, reserved, "the customer's reservation")

    def test_what_is_reported_is_told_to_people_and_moves_nothing(self):
        case = self.damaged()
        [action] = case.action_ids
        self.assertEqual((action.kind, action.state, action.quantity), ("quarantine", "proposed", 3))
        self.assertEqual((action.location_id, action.location_dest_id), (self.bin, self.quarantine))
        self.assertEqual(case.instructions[0]["code"], "set_aside")
        self.assertEqual((case.instructions[0]["bin"], case.instructions[0]["quantity"]), ("EXT-A-03-02", "3"))
        self.assert_stock(10, 0, 10)

    def test_somebody_is_asked_to_inspect_it(self):
        policy = self.env["warehouse.exception.policy"].search([("exception_type", "=", "damaged")])
        policy.user_id = self.as_investigate
        todo = self.damaged().activity_ids
        self.assertEqual((todo.user_id, todo.summary), (self.as_investigate, "Inspect what is damaged"))

    def test_what_a_document_speaks_of_is_not_what_is_damaged(self):
        case = self.damaged("2", document={"code": self.customer.name})
        self.assertEqual((case.picking_id, case.quantity_at_stake, case.amount_at_stake), (self.customer, 2, 20))

    def test_quarantine_leaves_what_can_be_sold_and_keeps_the_customers_reservation(self):
        case = self.approved(self.damaged())
        self.assertEqual(self.steps, ["operational"])
        self.assert_stock(10, 0, 10)
        self.executed(case)
        self.assert_stock(7, 3, 7)
        self.assertEqual((case.quarantine_open, bool(case.quarantine_since)), (3, True))
        picking = case.action_ids.result
        self.assertEqual((picking.state, picking.origin), ("done", case.name))
        self.assertFalse(self.quarantine.warehouse_id, "a quarantine in the warehouse's view would still be for sale")

    def test_the_supervisor_is_asked_what_becomes_of_it(self):
        self.warehouse.exception_lead_id = self.as_approve
        case = self.quarantined()
        todo = case.activity_ids.filtered(lambda todo: todo.summary == "Decide about what is in quarantine")
        self.assertEqual(todo.user_id, self.as_approve)

    def test_it_is_scrapped_after_an_operational_and_a_financial_decision(self):
        case = self.quarantined()
        action = self.planned(case, "scrap")
        self.assertEqual((action.location_id, action.quantity, action.amount), (self.quarantine, 3, 30))
        self.approved(case)
        self.assertEqual(self.steps, ["operational", "financial"])
        self.assert_stock(7, 3, 7)
        self.executed(case)
        self.assert_stock(7, 0, 7)
        scrap = action.result
        self.assertEqual((scrap._name, scrap.state, scrap.scrap_qty), ("stock.scrap", "done", 3))
        self.assertEqual((scrap.exception_case_id, scrap.move_ids.exception_case_id), (case, case))
        self.assertEqual(self.on_hand(scrap.scrap_location_id), 3)
        self.assertEqual((case.quarantine_open, case.quarantine_since), (0, False))
        case.with_user(self.as_close).action_close()
        self.assertEqual(case.state, "closed")

    def test_it_is_returned_to_the_supplier_when_the_lorry_has_left(self):
        case = self.quarantined()
        action = self.planned(case, "return_supplier")
        self.approved(case)
        self.assertEqual(self.steps, ["operational", "financial"])
        self.executed(case)
        picking = action.result
        self.assertEqual((picking.state, picking.partner_id, picking.origin), ("assigned", self.vendor, case.name))
        self.assertEqual(picking.location_dest_id.usage, "supplier")
        self.assert_stock(7, 3, 7)
        self.assertEqual(case.quarantine_open, 3)
        with self.assertRaisesRegex(UserError, "a return counts when it has left"):
            case.with_user(self.as_close).action_close()
        picking.with_user(self.as_user).button_validate()
        self.assertEqual(picking.state, "done")
        self.assert_stock(7, 0, 7)
        self.assertEqual(self.on_hand(picking.location_dest_id), 3)
        self.assertEqual(case.quarantine_open, 0)
        case.with_user(self.as_close).action_close()

    def test_a_return_that_is_cancelled_is_planned_anew(self):
        case = self.quarantined()
        action = self.planned(case, "return_supplier")
        self.executed(self.approved(case))
        self.planned(case, "scrap")
        self.approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertRegex(case.failure, rf"reserved for {action.result.name} \(3\)")
        action.result.action_cancel()
        self.executed(case)
        self.assert_stock(7, 0, 7)

    def test_it_is_released_by_who_has_that_role_and_nobody_else(self):
        case = self.quarantined()
        action = self.planned(case, "release_quarantine")
        self.assertEqual((action.location_id, action.location_dest_id), (self.quarantine, self.bin))
        self.approved(case)
        self.assertEqual(self.steps, ["operational"])
        with self.assertRaises(AccessError):
            case.with_user(self.as_execute).action_execute()
        self.assert_stock(7, 3, 7)
        self.executed(case, self.as_release)
        self.assert_stock(10, 0, 10)
        case.with_user(self.as_close).action_close()

    def test_some_is_released_and_the_rest_is_scrapped(self):
        case = self.quarantined()
        self.planned(case, "release_quarantine", quantity=1)
        self.executed(self.approved(case), self.as_release)
        self.assert_stock(8, 2, 8)
        self.assertEqual(self.planned(case, "scrap").quantity, 2)
        self.executed(self.approved(case))
        self.assert_stock(8, 0, 8)

    def test_a_case_does_not_end_while_something_is_in_quarantine(self):
        case = self.quarantined()
        with self.assertRaisesRegex(UserError, "still has 3 Units"):
            case.with_user(self.as_close).action_close()
        case.with_user(self.as_investigate).action_plan_next()
        with self.assertRaisesRegex(UserError, "still has 3 Units"):
            case.with_user(self.as_investigate).action_cancel("forget it")
        self.actions._propose(case, "accept")
        case.with_user(self.as_investigate).action_submit()
        waiting = case.approval_ids.filtered(lambda approval: approval.state == "waiting")
        with self.assertRaises(UserError) as refusal:
            waiting.with_user(self.as_approve).action_refuse("no")
        self.assertRegex(str(refusal.exception), "still has 3 Units")
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual(case.state, "resolved")
        with self.assertRaisesRegex(UserError, "still has 3 Units"):
            case.with_user(self.as_close).action_close()
        case.with_user(self.as_override).action_override("the insurer keeps it here")
        case.with_user(self.as_close).action_close()
        self.assertEqual((case.state, case.quarantine_open), ("closed", 3))
        self.assertIn(case, case.search([("quarantine_open", ">", 0)]))

    def test_an_override_of_something_else_does_not_cover_the_quarantine(self):
        case = self.damaged()
        case.with_user(self.as_override).action_override("no photo, the lens is broken")
        self.executed(self.approved(case))
        with self.assertRaisesRegex(UserError, "still has 3 Units"):
            case.with_user(self.as_close).action_close()

    def test_only_who_investigates_plans_on_and_only_while_something_is_in_quarantine(self):
        case = self.quarantined()
        for role in (*self.ROLES, "user", "manager"):
            if role != "investigate":
                with self.subTest(role=role), self.assertRaises(AccessError):
                    case.with_user(getattr(self, f"as_{role}")).action_plan_next()
        self.planned(case, "release_quarantine")
        self.executed(self.approved(case), self.as_release)
        with self.assertRaisesRegex(UserError, "nothing to plan"):
            case.with_user(self.as_investigate).action_plan_next()

    def test_what_is_in_quarantine_is_counted_and_not_written(self):
        case = self.quarantined()
        for user in (self.as_investigate, self.as_override, self.as_manager):
            with self.assertRaises(AccessError):
                case.with_user(user).write({"quarantine_open": 0})
        with self.assertRaises(AccessError):
            case.with_user(self.as_investigate).write({"quarantine_waived": 3})
        with self.assertRaises(AccessError):
            case.stock_move_ids.with_user(self.as_audit).write({"exception_case_id": False})

    def test_a_case_takes_no_more_out_of_quarantine_than_it_brought(self):
        first, second = self.quarantined("3"), self.quarantined("1")
        self.assert_stock(6, 4, 6)
        self.planned(second, "scrap", quantity=4)
        self.approved(second)
        second.with_user(self.as_execute).action_execute()
        self.assertRegex(second.failure, "has 1 Units in quarantine, not 4")
        self.assert_stock(6, 4, 6)
        self.assertEqual((first.quarantine_open, second.quarantine_open), (3, 1))

    def test_the_policys_quarantine_goes_before_the_warehouses(self):
        cage = self.env["stock.location"].create({"name": "Cage", "company_id": self.company.id})
        policy = self.env["warehouse.exception.policy"].search([("exception_type", "=", "damaged")])
        policy.quarantine_location_id = cage
        case = self.quarantined()
        self.assertEqual((self.on_hand(cage), case.quarantine_open), (3, 3))
        self.assertTrue(cage.exception_quarantine)
        self.assertFalse(self.quarantine)

    def test_a_quarantine_within_the_stock_is_counted_as_what_can_be_sold_and_still_as_quarantine(self):
        inside = self.env["stock.location"].create({"name": "Cage", "location_id": self.warehouse.lot_stock_id.id})
        self.warehouse.exception_quarantine_location_id = inside
        stock = self.warehouse.lot_stock_id
        first = self.quarantined("3", bin={"code": stock.complete_name})
        self.assert_stock(7, 3, 10)
        second = self.approved(self.damaged("2", bin={"code": stock.complete_name}))
        second.with_user(self.as_execute).action_execute()
        self.assertRegex(second.failure, r"1 of 2 Units are free. The rest is reserved for EXT/OUT/CUSTOMER \(6\)")
        self.assertEqual((first.quarantine_open, second.quarantine_open), (3, 0))
        self.assert_stock(7, 3, 10)

    def test_a_shelf_is_no_quarantine(self):
        case = self.damaged()
        shelf = self.bin.copy({"name": "B-01"})
        case.action_ids.with_user(self.as_investigate).location_dest_id = shelf
        self.approved(case)
        case.with_user(self.as_execute).action_execute()
        self.assertRegex(case.failure, "is not a quarantine location. Nothing was moved")
        self.assert_stock(10, 0, 10)

    def test_without_a_bin_it_is_asked_for_before_anybody_decides(self):
        case = self.opened(self.handheld.event("damaged", item={"code": GTIN_13}, quantity={"counted": "1"}))
        case.with_user(self.as_investigate).cause_id = self.env.ref("warehouse_exception.cause_unknown")
        with self.assertRaisesRegex(UserError, "from where"):
            case.with_user(self.as_investigate).action_submit()
        case.action_ids.with_user(self.as_investigate).location_id = self.bin
        self.executed(self.approved(case))
        self.assert_stock(9, 1, 9)

    def test_what_was_proposed_and_approved_is_undone_before_it_is_done(self):
        case = self.approved(self.damaged())
        case.with_user(self.as_investigate).action_withdraw("it is only the wrapping")
        case.action_ids.with_user(self.as_investigate).action_withdraw()
        self.assertEqual((case.state, case.action_ids.state), ("investigating", "withdrawn"))
        self.assert_stock(10, 0, 10)

    def test_each_role_alone_can_not_move_anything(self):
        case = self.approved(self.damaged())
        for role in ("report", "investigate", "approve", "approve_finance", "override", "close", "audit", "release"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                case.with_user(getattr(self, f"as_{role}")).action_execute()
        self.assert_stock(10, 0, 10)

    def test_what_is_locked_goes_to_quarantine_all_the_same(self):
        self.customer.do_unreserve()
        self.env["warehouse.exception.hold"]._place(self.company, self.product, "quality", location=self.bin)
        self.quarantined()
        self.assert_stock(7, 3, 7, reserved=0)

    def test_each_company_keeps_to_its_own_quarantine(self):
        company = self.env["res.company"].create({"name": "Elsewhere Ltd"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        shelf = warehouse.lot_stock_id.copy(
            {"name": "E-01", "barcode": "ELS-E-01", "location_id": warehouse.lot_stock_id.id}
        )
        self.env["stock.quant"]._update_available_quantity(self.product, shelf, 5)
        self.env["res.users"].browse(
            [user.id for user in (self.as_investigate, self.as_approve, self.as_execute)]
        ).write({"company_ids": [(4, company.id)]})
        handheld = type(self.handheld)("elsewhere")
        self.device = self.enrolled(handheld, warehouse)
        self.handheld = handheld
        case = self.damaged(bin={"code": "ELS-E-01"})
        for user in (self.as_investigate, self.as_approve, self.as_execute):
            user.company_id = company
        self.executed(self.approved(case))
        place = warehouse.exception_quarantine_location_id
        self.assertEqual((place.company_id, case.action_ids.result.company_id), (company, company))
        self.assertEqual((self.on_hand(shelf), self.on_hand(place), case.quarantine_open), (2, 3, 3))
        self.assert_stock(10, 0, 10)

    def test_a_lot_is_chosen_by_people_and_only_that_lot_is_moved(self):
        self.product.tracking = "lot"
        lots = self.env["stock.lot"].create([{"name": name, "product_id": self.product.id} for name in ("L1", "L2")])
        fresh = self.env["stock.location"].create(
            {"name": "A-04", "barcode": "EXT-A-04", "location_id": self.warehouse.lot_stock_id.id}
        )
        for lot in lots:
            self.stock(5, fresh, lot=lot)
        case = self.damaged("2", bin={"code": "EXT-A-04"})
        with self.assertRaisesRegex(UserError, "which lot or serial number"):
            case.with_user(self.as_investigate).action_submit()
        case.action_ids.with_user(self.as_investigate).lot_id = lots[1]
        self.executed(self.approved(case))
        self.assertEqual([self.on_hand(fresh, lot=lot) for lot in lots], [5, 3])
        self.assertEqual(self.on_hand(self.quarantine, lot=lots[1]), 2)
