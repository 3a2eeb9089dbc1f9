import base64
import hashlib
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, tagged

from ..models.base.seal import unsealed
from ..models.event import added, retention
from .common import GTIN_13, ExceptionCommon, photo
from .test_evidence import jpeg

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@tagged("post_install", "-at_install")
class TestEvidenceKept(ExceptionCommon):
    """What people add, what policy asks for, and how long it is kept."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.evidence = cls.env["warehouse.exception.evidence"]
        cls.policy = cls.env["warehouse.exception.policy"].search([("exception_type", "=", "overage")])
        cls.policy.write({"cause_required": False, "immaterial": "same", "evidence_ids": [(5, 0, 0)]})

    def _event(self, **data):
        return self.handheld.event(
            "overage", item={"code": GTIN_13}, quantity={"expected": "8", "counted": "9"}, **data
        )

    def _add(self, case, data=PDF, kind="delivery_note", user=None, note=False):
        user = user or self.as_investigate
        wizard = self.env["warehouse.exception.add.evidence"].with_user(user)
        wizard.create(
            {"case_id": case.id, "kind": kind, "file": base64.b64encode(data), "file_name": "x.pdf", "note": note}
        ).action_add()
        return case.evidence_ids.filtered("added_by_id")[-1]

    # --- adding

    def test_an_investigator_adds_a_file_to_the_byte(self):
        case, data = self.opened(self._event()), jpeg(2400)
        added_picture = self._add(case, data, "inspection_record", note="seen at the dock")
        self.assertEqual(added_picture.attachment_id.raw, data)
        self.assertEqual(added_picture.sha256, hashlib.sha256(data).hexdigest())
        self.assertEqual(
            (added_picture.kind, added_picture.media_type, added_picture.added_by_id, added_picture.note),
            ("inspection_record", "image/jpeg", self.as_investigate, "seen at the dock"),
        )
        self.assertTrue(added_picture.added_at)
        self.assertEqual(self._add(case).media_type, "application/pdf")
        self.assertEqual((case.photo_count, case.photo_summary), (0, False))
        self.assertIn(added_picture.sha256, str(case.message_ids.mapped("body")))

    def test_the_others_add_nothing(self):
        case = self.opened(self._event())
        for role in (*self.ROLES, "user", "manager"):
            if role != "investigate":
                with self.subTest(role=role), self.assertRaises(AccessError):
                    self._add(case, user=getattr(self, f"as_{role}"))
        with self.assertRaises(AccessError):
            self.evidence.with_user(self.as_investigate).create({"case_id": case.id, "sha256": "x", "size": 1})
        self.assertFalse(case.evidence_ids)

    def test_what_was_added_is_as_unchangeable_as_what_a_device_sent(self):
        piece = self._add(self.opened(self._event()))
        for change in (
            lambda: piece.attachment_id.with_user(self.as_investigate).write({"raw": b"x"}),
            lambda: piece.attachment_id.sudo().write({"raw": b"x"}),
            lambda: piece.attachment_id.sudo().unlink(),
            lambda: piece.sudo().write({"note": "x"}),
            lambda: piece.sudo().unlink(),
        ):
            with self.assertRaises(AccessError):
                change()
        self.assertEqual(piece.attachment_id.raw, PDF)

    def test_only_pictures_and_pdfs_of_a_bounded_size_are_taken_and_each_once(self):
        case = self.opened(self._event())
        for data, why in (
            (b"<html><script>alert(1)</script></html>", "JPEG, PNG or WebP"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "JPEG, PNG or WebP|SVG"),
            (b"MZ\x90\x00", "JPEG, PNG or WebP"),
        ):
            with self.assertRaisesRegex(UserError, why):
                self._add(case, data)
        with patch.object(added, "MAX_BYTES", 20), self.assertRaisesRegex(UserError, "are the most"):
            self._add(case)
        self._add(case)
        with self.assertRaisesRegex(UserError, "with the case already"):
            self._add(case)
        with patch.object(added, "MAX_ADDED", 1), self.assertRaisesRegex(UserError, "pieces of evidence"):
            self._add(case, jpeg())
        self.assertEqual(len(case.evidence_ids), 1)

    def test_a_finished_case_takes_nothing_any_more(self):
        case = self.opened(self._event())
        case.with_user(self.as_investigate).action_cancel("a mistake")
        with self.assertRaisesRegex(UserError, "finished"):
            self._add(case)

    # --- required

    def test_what_policy_asks_for_must_be_there_before_a_decision(self):
        lines = [(0, 0, {"kind": "photo", "minimum": 2}), (0, 0, {"kind": "delivery_note", "minimum": 1})]
        self.policy.with_user(self.as_manager).write({"evidence_ids": lines})
        one, two = jpeg(), jpeg(65)
        case = self.opened(self._event(photos=[photo(one), photo(two)]))
        self.env["warehouse.exception.action"]._propose(case, "accept")
        self.evidence._receive(self.device, photo(one)["sha256"], 0, None, one)
        self.assertEqual(case.with_user(self.as_user).missing_evidence, "1 x Delivery note, 1 x Photo")
        with self.assertRaisesRegex(UserError, r"evidence is missing \(1 x Delivery note, 1 x Photo\)"):
            case.with_user(self.as_investigate).action_submit()
        self.evidence._receive(self.device, photo(two)["sha256"], 0, None, two)
        self._add(case)
        self.assertFalse(case.missing_evidence)
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.state, "pending_approval")

    def test_nothing_is_approved_by_policy_while_evidence_is_missing(self):
        self.policy.write(
            {"evidence_ids": [(0, 0, {"kind": "photo"})], "immaterial": "auto", "materiality_quantity": 100}
        )
        case = self.case_of(self._event())
        self.env["warehouse.exception.action"]._propose(case, "accept")
        self.respond()
        self.assertEqual(case.state, "open")

    def test_the_rule_is_set_aside_with_a_reason_only(self):
        self.policy.write({"evidence_ids": [(0, 0, {"kind": "photo"})]})
        case = self.opened(self._event())
        self.env["warehouse.exception.action"]._propose(case, "accept")
        case.with_user(self.as_override).action_override("the camera is broken")
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.state, "pending_approval")

    # --- kept and removed

    def _finished(self, days, data=None):
        data = data or jpeg()
        event = self._event(photos=[photo(data)])
        case = self.opened(event)
        self.evidence._receive(self.device, photo(data)["sha256"], 0, None, data)
        case.with_user(self.as_investigate).action_cancel("a mistake")
        unsealed(case).write({"state_since": fields.Datetime.now() - timedelta(days=days)})
        return case, event, data

    def retain(self, seconds=1):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: seconds):
            self.evidence._cron_retain()

    def test_a_picture_goes_when_its_time_is_over_and_what_it_was_stays(self):
        self.policy.retention_days = 30
        young, _event, _data = self._finished(29, jpeg(66))
        case, _event, data = self._finished(31)
        attachment = case.evidence_ids.attachment_id
        self.retain()
        piece = case.evidence_ids
        self.assertFalse(attachment.exists())
        self.assertEqual((piece.sha256, piece.size, piece.received), (photo(data)["sha256"], len(data), len(data)))
        self.assertEqual((piece.removed_by_id, piece.removed_why), (self.env.user, "Kept for 30 days, as policy says."))
        self.assertTrue(piece.removed_at)
        self.assertTrue(young.evidence_ids.attachment_id)
        self.assertEqual(case.photo_summary, "1 of 1 photos received")
        self.env["ir.attachment"]._gc_file_store_unsafe()
        self.assertFalse(self._stored_path(data).exists())

    def test_a_photo_that_was_removed_is_not_asked_for_again(self):
        self.policy.retention_days = 30
        case, event, data = self._finished(31)
        sha256 = photo(data)["sha256"]
        self.retain()
        self.assertEqual(self.evidence._progress(self.device, sha256), (len(data), len(data)))
        self.assertEqual(self.receive(event)[0]["missing_evidence"], [])
        outcome = self.evidence._receive(self.device, sha256, 0, None, data)
        self.assertEqual((outcome.name, outcome.received), ("complete", len(data)))
        self.assertFalse(case.evidence_ids.attachment_id)

    def test_another_report_with_the_same_photo_still_gets_it(self):
        self.policy.retention_days = 30
        _case, _event, data = self._finished(31)
        self.retain()
        again = self._event(photos=[photo(data)])
        case = self.case_of(again)
        self.assertEqual(self.receive(again)[0]["missing_evidence"], [photo(data)["sha256"]])
        self.assertEqual(self.evidence._progress(self.device, photo(data)["sha256"])[0], 0)
        self.evidence._receive(self.device, photo(data)["sha256"], 0, None, data)
        self.assertEqual(case.evidence_ids.attachment_id.raw, data)

    def test_a_legal_hold_keeps_everything_until_it_is_lifted(self):
        self.policy.retention_days = 30
        case, _event, data = self._finished(31)
        with self.assertRaisesRegex(UserError, "Say why"):
            case.with_user(self.as_override).action_hold()
        case.with_user(self.as_override).action_hold("a court asked")
        self.retain()
        self.assertEqual(case.evidence_ids.attachment_id.raw, data)
        with self.assertRaisesRegex(UserError, "legal hold"):
            case.evidence_ids.with_user(self.as_override).action_remove("a face")
        case.with_user(self.as_manager).action_lift_hold("the court is done")
        self.retain()
        self.assertFalse(case.evidence_ids.attachment_id)
        bodies = str(case.message_ids.mapped("body"))
        self.assertIn("Legal hold: a court asked", bodies)
        self.assertIn("Legal hold lifted: the court is done", bodies)

    def test_zero_days_is_for_ever(self):
        self.policy.retention_days = 0
        case, _event, data = self._finished(10_000)
        self.retain()
        self.assertEqual(case.evidence_ids.attachment_id.raw, data)

    def test_a_case_that_never_got_a_policy_is_kept_as_long_as_its_kinds_longest(self):
        case, _event, _data = self._finished(31)
        unsealed(case).write({"policy_id": False})
        self.policy.retention_days = 40
        self.retain()
        self.assertTrue(case.evidence_ids.attachment_id)
        self.policy.retention_days = 30
        self.retain()
        self.assertFalse(case.evidence_ids.attachment_id)

    def test_the_job_goes_in_batches_and_stops_when_its_time_is_over(self):
        self.policy.retention_days = 30
        cases = [self._finished(31, jpeg(70 + number))[0] for number in range(3)]
        with patch.object(retention, "AT_ONCE", 2):
            self.retain(0)
            self.assertEqual(sum(bool(case.evidence_ids.removed_at) for case in cases), 2)
            self.retain()
        self.assertTrue(all(case.evidence_ids.removed_at for case in cases))

    def test_a_picture_is_removed_by_hand_with_the_role_and_a_reason(self):
        case, _event, _data = self._finished(0)
        piece = case.evidence_ids
        for role in (*self.ROLES, "user", "manager"):
            if role != "override":
                with self.subTest(role=role), self.assertRaises(AccessError):
                    piece.with_user(getattr(self, f"as_{role}")).action_remove("a face")
        with self.assertRaisesRegex(UserError, "Say why"):
            piece.with_user(self.as_override).action_remove()
        piece.with_user(self.as_override).action_remove("a face")
        self.assertEqual((piece.removed_by_id, piece.removed_why), (self.as_override, "a face"))
        with self.assertRaisesRegex(UserError, "not here"):
            piece.with_user(self.as_override).action_remove("again")

    def test_a_hold_is_for_two_roles_only_and_not_a_field_to_edit(self):
        case = self.opened(self._event())
        for role in (*self.ROLES, "user"):
            if role != "override":
                with self.subTest(role=role), self.assertRaises(AccessError):
                    case.with_user(getattr(self, f"as_{role}")).action_hold("because")
        for user in (self.as_investigate, self.as_override):
            with self.assertRaises(AccessError):
                case.with_user(user).write({"legal_hold": True})

    def test_the_dialog_asks_for_the_reason_and_does_it(self):
        case, _event, _data = self._finished(0)
        dialogs = self.env["warehouse.exception.keep.evidence"].with_user(self.as_override)
        dialogs.create({"case_id": case.id, "mode": "hold", "why": "a court asked"}).action_do()
        self.assertTrue(case.legal_hold)
        dialogs.create({"case_id": case.id, "mode": "lift", "why": "done"}).action_do()
        pieces = [(6, 0, case.evidence_ids.ids)]
        dialogs.create({"case_id": case.id, "mode": "remove", "why": "a face", "evidence_ids": pieces}).action_do()
        self.assertTrue(case.evidence_ids.removed_at)
        with self.assertRaises(AccessError):
            dialogs.with_user(self.as_investigate).create({"case_id": case.id, "mode": "hold", "why": "x"})


@tagged("post_install", "-at_install")
class TestEvidenceDefaults(TransactionCase):
    def test_damage_and_returns_are_decided_with_a_picture_in_sight(self):
        required = self.env["warehouse.exception.policy.evidence"].search([])
        kinds = {(line.policy_id.exception_type, line.kind, line.minimum) for line in required}
        self.assertLessEqual({("damaged", "photo", 1), ("return_discrepancy", "photo", 1)}, kinds)
