from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestMaintenance(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.env["stock.quant"]._update_available_quantity(cls.product, cls.bin, 10)

    def _case(self, reason, kind="damaged"):
        facts = {"item": {"code": GTIN_13}, "bin": {"code": self.bin.barcode}, "reason": reason}
        return self.opened(self.handheld.event(kind, quantity={"counted": "2"}, note="bent upright", **facts))

    def test_damage_by_equipment_asks_for_maintenance_by_itself(self):
        case = self._case("forklift_hit")
        [request] = case.maintenance_request_ids
        self.assertEqual((request.exception_case_id, request.company_id), (case, self.company))
        self.assertIn("forklift_hit", request.name)
        self.assertIn("bent upright", str(request.description))
        self.assertEqual((case.action_ids.mapped("kind"), case.maintenance_count), (["quarantine", "maintenance"], 1))
        self.assertEqual(case.action_ids[1].result, request)
        self.assertEqual(case.action_ids[1].state, "done")
        self.assertEqual(self.on_hand(), 10)

    def test_each_of_the_usual_words_names_equipment_and_others_do_not(self):
        for reason in ("rack", "shelf_broken", "conveyor", "pallet_jack"):
            self.assertTrue(self._case(reason).maintenance_request_ids, reason)
        for reason in ("crushed", "tracked", "wet"):
            self.assertFalse(self._case(reason).maintenance_request_ids, reason)
        self.assertFalse(self._case("rack", kind="overage").maintenance_request_ids)

    def test_where_policy_says_no_people_ask_for_it_once(self):
        policy = self.env["warehouse.exception.policy"].search([("exception_type", "=", "damaged")])
        policy.auto_maintenance = False
        case = self._case("forklift")
        self.assertFalse(case.maintenance_request_ids)
        opened = case.with_user(self.as_investigate).action_request_maintenance()
        self.assertEqual(opened["res_id"], case.maintenance_request_ids.id)
        self.assertEqual(case.action_ids.filtered(lambda a: a.kind == "maintenance").done_by_id, self.as_investigate)
        with self.assertRaisesRegex(UserError, "already"):
            case.with_user(self.as_investigate).action_request_maintenance()

    def test_who_does_not_investigate_asks_for_nothing(self):
        case = self._case("crushed")
        for role in (*self.ROLES, "user", "manager"):
            if role != "investigate":
                with self.subTest(role=role), self.assertRaises(AccessError):
                    case.with_user(getattr(self, f"as_{role}")).action_request_maintenance()
        self.assertFalse(case.maintenance_request_ids)

    def test_who_maintains_and_knows_nothing_of_exceptions_still_works_with_the_request(self):
        request = self._case("rack").maintenance_request_ids
        technician = self.user("technician", "base.group_user")
        request.user_id = technician
        request.with_user(technician).write({"priority": "3"})
        self.assertEqual(request.priority, "3")
        with self.assertRaises(AccessError):
            request.with_user(technician).read(["exception_case_id"])

    def test_who_is_responsible_reads_the_request_and_others_are_told_of_it(self):
        policy = self.env["warehouse.exception.policy"].search([("exception_type", "=", "damaged")])
        policy.user_id = self.as_investigate
        case = self._case("rack")
        [read] = case.maintenance_request_ids.with_user(self.as_investigate).read(["exception_case_id"])
        self.assertEqual(read["exception_case_id"][0], case.id)
        self.assertEqual(case.with_user(self.as_investigate).action_open_maintenance()["res_id"], read["id"])
        self.assertIn("rack at", case.with_user(self.as_approve).maintenance_summary)
        with self.assertRaisesRegex(UserError, "Ask its technician"):
            case.with_user(self.as_approve).action_open_maintenance()
