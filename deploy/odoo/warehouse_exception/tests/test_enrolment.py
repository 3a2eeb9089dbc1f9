from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ..lib import enrolment as protocol
from ..models.device.device import Revoked
from ..models.device.enrolment import CodeInvalid
from ..models.base.seal import unsealed
from .common import ExceptionCommon, Handheld


@tagged("post_install", "-at_install")
class TestEnrolment(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enrolments = cls.env["warehouse.exception.enrolment"]
        cls.newcomer = Handheld("newcomer")
        issued = cls.enrolments.issue_code("DOCK-07", cls.warehouse.id)
        cls.code = issued["code"]
        cls.record = cls.enrolments.browse(issued["id"])

    def _redeem(self, handheld=None, code=None):
        message = (handheld or self.newcomer).enrolment(self.code if code is None else code)
        return self.enrolments._redeem(protocol.read(message))

    def test_a_code_lets_one_device_in(self):
        key = self._redeem()
        self.assertEqual(key.kid, self.newcomer.kid)
        self.assertEqual((key.device_id.name, key.device_id.warehouse_id), ("DOCK-07", self.warehouse))
        self.assertEqual((key.device_id.agent_version, key.device_id.hardware_model), ("0.1.0", "Rugged 10"))
        self.assertEqual((self.record.state, self.record.device_id), ("used", key.device_id))

    def test_the_same_key_may_ask_again_even_after_the_code_expired(self):
        first = self._redeem()
        unsealed(self.record).write({"expires_at": fields.Datetime.now() - timedelta(days=1)})
        self.assertEqual(self._redeem(), first)
        self.assertEqual(self.env["warehouse.exception.device"].search_count([("name", "=", "DOCK-07")]), 1)

    def test_another_key_is_not_let_in_with_a_used_code(self):
        self._redeem()
        with self.assertRaises(CodeInvalid):
            self._redeem(Handheld("thief"))

    def test_a_code_for_a_device_gives_it_another_key_and_leaves_it_the_same(self):
        device = self._redeem().device_id
        issued = self.enrolments.issue_code("ignored", None, device_id=device.id)
        successor = Handheld("successor")
        key = self._redeem(successor, issued["code"])
        self.assertEqual((key.device_id, key.kid), (device, successor.kid))
        self.assertEqual(device.key_ids.mapped("state"), ["active", "active"], "what the old one signed is still taken")
        self.assertEqual(self.enrolments.browse(issued["id"]).device_name, "DOCK-07")
        self.assertIn(successor.kid, device.message_ids[0].body)

    def test_a_device_that_kept_its_key_gets_its_identity_again(self):
        key = self._redeem()
        issued = self.enrolments.issue_code("ignored", None, device_id=key.device_id.id)
        self.assertEqual(self._redeem(code=issued["code"]), key)

    def test_a_code_for_a_device_lets_no_other_devices_key_in(self):
        device = self._redeem().device_id
        other = Handheld("other")
        self._redeem(other, self.enrolments.issue_code("DOCK-08", self.warehouse.id)["code"])
        issued = self.enrolments.issue_code("ignored", None, device_id=device.id)
        with self.assertRaises(CodeInvalid):
            self._redeem(other, issued["code"])

    def test_neither_a_revoked_device_nor_a_revoked_key_comes_back_by_a_code(self):
        key = self._redeem()
        issued = self.enrolments.issue_code("ignored", None, device_id=key.device_id.id)
        key.action_revoke()
        with self.assertRaises(Revoked):
            self._redeem(code=issued["code"])
        key.device_id.action_revoke()
        with self.assertRaises(Revoked):
            self._redeem(Handheld("successor"), issued["code"])
        with self.assertRaises(UserError):
            self.enrolments.issue_code("ignored", None, device_id=key.device_id.id)

    def test_an_expired_code_lets_nobody_in(self):
        self.record.action_expire()
        with self.assertRaises(CodeInvalid):
            self._redeem()

    def test_an_unknown_code_lets_nobody_in(self):
        for code in ("00000-00000-00000-00000", "nonsense", ""):
            with self.assertRaises(CodeInvalid):
                self._redeem(code=code)

    def test_a_revoked_device_is_not_let_in_by_its_old_code(self):
        self._redeem().device_id.action_revoke()
        with self.assertRaises(Revoked):
            self._redeem()

    def test_a_key_belongs_to_one_device(self):
        self._redeem()
        second = self.enrolments.issue_code("DOCK-08", self.warehouse.id)
        with self.assertRaises(CodeInvalid):
            self._redeem(code=second["code"])

    def test_a_nul_in_what_a_newcomer_tells_is_shown_as_unreadable(self):
        header = {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": self.newcomer.x}, "typ": "enroll+jws"}
        hardware = dict.fromkeys(("machine_id_hash", "model", "hostname"), "a\0")
        message = self.newcomer.sign(header, {"code": self.code, "agent": "a\0", "hardware": hardware})
        device = self.enrolments._redeem(protocol.read(message)).device_id
        for told in (device.agent_version, device.hardware_model, device.hostname, device.machine_id_hash):
            self.assertEqual(told, "a\N{REPLACEMENT CHARACTER}")
        with self.assertRaises(CodeInvalid):
            self._redeem(Handheld("another"), code=self.code + "\0")

    def test_the_code_itself_is_stored_nowhere(self):
        self.assertEqual(self.record.code_hash, protocol.code_hash(protocol.canonical_code(self.code)))
        self.assertNotIn(self.code, str(self.record.read()))
        action = self.env["warehouse.exception.issue.code"].create({"device_name": "DOCK-09"}).action_issue()
        shown = action["context"]["default_code"]
        self.assertTrue(protocol.canonical_code(shown))
        self.assertFalse(self.env["warehouse.exception.issue.code"].search([]).mapped("code")[0])

    def test_a_code_cannot_be_prolonged(self):
        with self.assertRaises(UserError):
            self.record.write({"expires_at": fields.Datetime.now() + timedelta(days=1)})
        with self.assertRaises(ValidationError):
            self.enrolments.issue_code("DOCK-10", self.warehouse.id, hours=24 * 365)

    def test_only_a_manager_issues_codes(self):
        user = self.user("floor", "warehouse_exception.group_user")
        with self.assertRaises(AccessError):
            self.enrolments.with_user(user).issue_code("DOCK-11", self.warehouse.id)
        manager = self.user("chief", "warehouse_exception.group_manager")
        self.assertTrue(self.enrolments.with_user(manager).issue_code("DOCK-11", self.warehouse.id)["code"])
