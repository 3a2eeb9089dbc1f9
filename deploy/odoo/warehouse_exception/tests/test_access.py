from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import GTIN_13, ExceptionCommon, Handheld, photo

READABLE = ("case", "scan", "event", "evidence", "incident", "device", "device.key")


@tagged("post_install", "-at_install")
class TestAccess(ExceptionCommon):
    """What people may do, by the calls that an RPC client can make."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.worker = cls.user("worker", "warehouse_exception.group_user")
        cls.investigator = cls.user("investigator", "warehouse_exception.group_investigate")
        cls.manager = cls.user("chief", "warehouse_exception.group_manager")
        cls.system = cls.user("system", "warehouse_exception.group_manager", "base.group_system")
        scan = {
            "role": "item",
            "source": "page",
            "at": "2026-11-23T06:12:31.004Z",
            "raw": "QQ",
            "text": "A",
            "kind": "plain",
            "flaws": [],
        }
        jws = cls.handheld.event(item={"code": GTIN_13}, scans=[scan], photos=[photo(b"photo")])
        cls.ingest._receive(cls.device, [jws, "junk"])

    def _records(self, name, user):
        return self.env[f"warehouse.exception.{name}"].with_user(user).search([])

    def test_a_worker_reads_everything_that_was_reported(self):
        for name in READABLE:
            self.assertTrue(self._records(name, self.worker).read(), name)

    def test_nobody_deletes_anything(self):
        for name in READABLE:
            for user in (self.worker, self.manager, self.system):
                with self.assertRaises(AccessError):
                    self._records(name, user).unlink()

    def test_not_even_a_superuser_deletes_evidence(self):
        for name in set(READABLE) - {"device"}:
            with self.assertRaises(AccessError):
                self._records(name, self.env.user).sudo().unlink()

    def test_nobody_makes_cases_or_evidence_by_hand(self):
        for name in READABLE:
            for user in (self.worker, self.manager, self.system):
                with self.assertRaises(AccessError):
                    self.env[f"warehouse.exception.{name}"].with_user(user).create({})

    def test_what_was_received_cannot_be_written(self):
        changes = {"event": "jws", "scan": "text", "evidence": "sha256", "incident": "message", "device.key": "x"}
        for name, field in changes.items():
            for user in (self.worker, self.manager, self.system):
                with self.assertRaises(AccessError):
                    self._records(name, user).write({field: "x"})
            with self.assertRaises(AccessError):
                self._records(name, self.env.user).sudo().write({field: "x"})

    def test_an_investigator_writes_only_what_people_add_to_a_case(self):
        case = self._records("case", self.investigator).filtered(lambda case: case.device_id == self.device)
        case.write({"user_id": self.worker.id, "product_id": self.product.id})
        with self.assertRaises(AccessError):
            case.write({"state": "closed"})

    def test_nobody_adds_a_photo_by_hand(self):
        evidence = self._records("evidence", self.manager)[:1]
        with self.assertRaises(AccessError):
            self.env["ir.attachment"].with_user(self.system).create(
                {"name": "forged.jpg", "res_model": evidence._name, "res_id": evidence.id, "raw": b"x"}
            )

    def test_only_a_manager_revokes_and_reviews(self):
        device = self.device.with_user(self.worker)
        for call in (device.action_revoke, device.key_ids.action_revoke, device.incident_ids.action_review):
            with self.assertRaises(AccessError):
                call()
        self.device.incident_ids.with_user(self.manager).action_review()
        self.assertEqual(self.device.incident_ids.reviewed_by_id, self.manager)
        self.device.with_user(self.manager).action_revoke()
        self.assertEqual((self.device.state, self.device.key_ids.state), ("revoked", "revoked"))

    def test_a_devices_identity_is_not_edited(self):
        device = self.device.with_user(self.manager)
        device.write({"name": "DOCK-02"})
        for values in ({"state": "revoked"}, {"uuid": "x"}):
            with self.assertRaises(AccessError):
                device.write(values)

    def test_a_device_that_has_reported_stays_with_its_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        theirs = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        self.manager.company_ids |= company
        with self.assertRaisesRegex(UserError, "enrol the machine anew"):
            self.device.with_user(self.manager).with_context(allowed_company_ids=[self.company.id, company.id]).write(
                {"warehouse_id": theirs.id}
            )
        self.assertEqual(self.device.case_ids.event_ids.company_id, self.company)
        ours = self.env["stock.warehouse"].create({"name": "Another hall", "code": "EXU"})
        self.device.with_user(self.manager).write({"warehouse_id": ours.id})
        self.assertEqual(self.device.warehouse_id, ours)
        refused_only, silent = Handheld("refused only"), Handheld("silent")
        devices = self.enrolled(refused_only), self.enrolled(silent)
        self.ingest._receive(devices[0], ["junk"])
        with self.assertRaises(UserError):
            devices[0].write({"warehouse_id": theirs.id})
        devices[1].write({"warehouse_id": theirs.id})
        self.assertEqual(devices[1].company_id, company)

    def test_another_companys_devices_and_cases_are_not_seen(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        other = Handheld("elsewhere")
        device = self.enrolled(other, warehouse)
        event = other.event(photos=[photo(b"p")])
        self.ingest._receive(device.with_company(company), [event, "junk elsewhere"])
        self.assertEqual(device.case_ids.company_id, company)
        for name in set(READABLE) - {"scan"}:
            self.assertFalse(self._records(name, self.worker).filtered(lambda r: r.company_id == company), name)

    def test_a_stock_user_without_the_role_sees_no_case(self):
        stranger = new_test_user(self.env, "stranger", "stock.group_stock_user")
        with self.assertRaises(AccessError):
            self._records("case", stranger)
