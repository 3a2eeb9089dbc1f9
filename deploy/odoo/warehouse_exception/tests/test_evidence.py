import errno
import hashlib
import io
import tempfile
from pathlib import Path
from unittest.mock import patch

from PIL import Image

from odoo.exceptions import AccessError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..lib import filestore
from ..models.event.evidence import NotStored
from .common import ExceptionCommon, Handheld, full_disk, photo

MODELS = "odoo.addons.warehouse_exception.models"


def jpeg(width=64, colour=(90, 120, 160)):
    data = io.BytesIO()
    Image.new("RGB", (width, width), colour).save(data, "JPEG")
    return data.getvalue()


@tagged("post_install", "-at_install")
class TestEvidence(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.evidence = cls.env["warehouse.exception.evidence"]
        cls.data = jpeg()
        cls.named = photo(cls.data)

    def setUp(self):
        super().setUp()
        self.lose(self.data)  # files outlive the transactions of the tests before

    def _put(self, data, offset=0, length=None, sha256=None):
        outcome = self.evidence._receive(self.device, sha256 or self.named["sha256"], offset, length, data)
        return outcome.name, outcome.received

    def test_a_photo_arrives_in_one_piece(self):
        case = self.case_of(self.handheld.event(photos=[self.named]))
        self.assertEqual(case.photo_summary, "0 of 1 photos received")
        self.assertEqual(self._put(self.data), ("complete", len(self.data)))
        self.assertEqual(case.photo_summary, "1 of 1 photos received")
        self.assertEqual(case.evidence_ids.attachment_id.raw, self.data)
        self.assertEqual(case.evidence_ids.attachment_id.mimetype, "image/jpeg")

    def test_a_large_photo_keeps_its_exact_bytes(self):
        data = jpeg(2400)
        case = self.case_of(self.handheld.event(photos=[photo(data)]))
        self._put(data, sha256=photo(data)["sha256"])
        self.assertEqual(case.evidence_ids.attachment_id.raw, data)

    def test_a_photo_goes_on_where_it_stopped(self):
        self.receive(self.handheld.event(photos=[self.named]))
        size = len(self.data)
        self.assertEqual(self._put(self.data[:100], 0, size), ("partial", 100))
        self.assertEqual(self.evidence._progress(self.device, self.named["sha256"]), (100, size))
        self.assertEqual(self._put(self.data[200:], 200, size), ("offset_mismatch", 100))
        self.assertEqual(self._put(self.data[100:], 100, size), ("complete", size))

    def test_bytes_that_do_not_hash_to_the_name_are_thrown_away(self):
        case = self.case_of(self.handheld.event(photos=[self.named]))
        self.assertEqual(self._put(b"x" * len(self.data)), ("hash_mismatch", 0))
        self.assertFalse(case.evidence_ids.complete)
        self.assertEqual(self._put(self.data), ("complete", len(self.data)))

    def test_more_bytes_than_the_event_said_are_not_taken(self):
        self.receive(self.handheld.event(photos=[self.named]))
        self.assertEqual(self._put(self.data + b"x")[0], "wrong_length")
        self.assertEqual(self._put(self.data[:9], 0, len(self.data) + 1)[0], "wrong_length")

    def test_a_photo_that_no_event_names_is_not_taken(self):
        self.assertEqual(self._put(self.data)[0], "unknown")

    def test_a_photo_of_another_device_is_unknown_to_this_one(self):
        other = Handheld("other")
        self.ingest._receive(self.enrolled(other), [other.event(photos=[self.named])])
        self.assertEqual(self._put(self.data)[0], "unknown")

    def test_a_receipt_says_which_photos_are_still_missing(self):
        jws = self.handheld.event(photos=[self.named])
        self.assertEqual(self.receive(jws)[0]["missing_evidence"], [self.named["sha256"]])
        self._put(self.data)
        self.assertEqual(self.receive(jws)[0]["missing_evidence"], [])

    def test_one_photo_for_two_reports_is_sent_once(self):
        before = self.case_of(self.handheld.event(photos=[self.named]))
        meanwhile = self.case_of(self.handheld.event(photos=[self.named]))
        self._put(self.data[:100])
        self._put(self.data[100:], 100)
        [late] = self.receive(self.handheld.event(photos=[self.named]))
        self.assertEqual(late["missing_evidence"], [])
        for case in before | meanwhile:
            self.assertEqual(case.evidence_ids.attachment_id.raw, self.data)

    def test_what_is_complete_stays_as_it_is(self):
        case = self.case_of(self.handheld.event(photos=[self.named]))
        self._put(self.data)
        self.assertEqual(self._put(b"something else"), ("complete", len(self.data)))
        attachment = case.evidence_ids.attachment_id
        for change in (
            lambda: attachment.write({"raw": b"x"}),
            lambda: attachment.sudo().unlink(),
            lambda: case.evidence_ids.write({"complete": False}),
            lambda: case.evidence_ids.unlink(),
        ):
            with self.assertRaises(AccessError):
                change()
        self.assertEqual(attachment.raw, self.data)

    # --- what is here is what can be read

    def test_a_photo_whose_bytes_are_gone_or_damaged_is_asked_for_again(self):
        before = self.handheld.event(photos=[self.named])
        self.receive(before)
        self._put(self.data)
        zeros = bytes(len(self.data))
        for left in (None, b"", self.data[:100], zeros):
            if left is None:
                self.lose(self.data)
            else:
                self.tear(self.data, left)
            [again, late] = self.receive(before, self.handheld.event(photos=[self.named]))
            for receipt in (again, late):
                self.assertEqual(receipt["missing_evidence"], [self.named["sha256"]])
            self.assertEqual(self.evidence._progress(self.device, self.named["sha256"]), (0, len(self.data)))
            self.assertEqual(self._put(self.data[9:], 9), ("offset_mismatch", 0))
            with mute_logger(f"{MODELS}.base.ir_attachment"):
                self.assertEqual(self._put(self.data), ("complete", len(self.data)))
            self.assertEqual(self._stored_path(self.data).read_bytes(), self.data)
            self.assertEqual([receipt["missing_evidence"] for receipt in self.receive(before)], [[]])

    def test_bytes_that_are_back_by_themselves_need_not_be_sent_again(self):
        before = self.handheld.event(photos=[self.named])
        self.receive(before)
        self._put(self.data)
        path = self._stored_path(self.data)
        away = path.rename(path.with_suffix(".away"))
        self.assertEqual(self.receive(before)[0]["missing_evidence"], [self.named["sha256"]])
        away.rename(path)
        self.assertEqual(self.receive(before)[0]["missing_evidence"], [])

    def test_pieces_that_are_gone_start_at_0(self):
        self.receive(self.handheld.event(photos=[self.named]))
        self._put(self.data[:100])
        self.lose(self.data[:100])
        self.assertEqual(self.evidence._progress(self.device, self.named["sha256"]), (0, len(self.data)))
        self.assertEqual(self._put(self.data[100:], 100), ("offset_mismatch", 0))
        self.assertEqual(self._put(self.data), ("complete", len(self.data)))

    def test_a_torn_file_under_the_photos_name_is_made_whole(self):
        case = self.case_of(self.handheld.event(photos=[self.named]))
        self.tear(self.data[:100], b"x")
        self.tear(self.data, self.data[:50])
        with self.assertLogs(f"{MODELS}.base.ir_attachment", "WARNING") as logged:
            self.assertEqual(self._put(self.data[:100]), ("partial", 100))
            self.assertEqual(self._put(self.data[100:], 100), ("complete", len(self.data)))
        self.assertIn(str(self._stored_path(self.data)), logged.output[1])
        self.assertEqual(self._stored_path(self.data).read_bytes(), self.data)
        self.assertEqual(case.photo_summary, "1 of 1 photos received")

    def test_a_full_filestore_takes_the_photo_when_it_has_room_again(self):
        case = self.case_of(self.handheld.event(photos=[self.named]))
        self._put(self.data[:100])
        with full_disk(), mute_logger(f"{MODELS}.event.evidence"), self.assertRaisesRegex(NotStored, "No space left"):
            self._put(self.data[100:], 100)
        self.assertFalse(self._stored_path(self.data).exists())
        self.assertFalse(case.evidence_ids.complete)
        self.assertEqual(self._put(self.data[100:], 100), ("complete", len(self.data)))

    def test_a_report_is_stored_though_its_known_photo_can_not_be(self):
        self.receive(self.handheld.event(photos=[self.named]))
        self._put(self.data)
        attachments = self.env.registry["ir.attachment"]
        for error in (OSError(errno.EIO, "Input/output error"), ZeroDivisionError()):
            with patch.object(attachments, "_lay_down", side_effect=error), mute_logger(f"{MODELS}.event.evidence"):
                [receipt] = self.receive(self.handheld.event(photos=[self.named]))
            self.assertEqual((receipt["status"], receipt["missing_evidence"]), ("created", [self.named["sha256"]]))

    def test_photos_in_the_database_need_no_file(self):
        self.env["ir.config_parameter"].set_param("ir_attachment.location", "db")
        data = jpeg(65)
        self.receive(self.handheld.event(photos=[photo(data)]))
        with full_disk():
            self._put(data[:100], sha256=photo(data)["sha256"])
            outcome = self._put(data[100:], 100, sha256=photo(data)["sha256"])
        self.assertEqual(outcome, ("complete", len(data)))
        self.assertFalse(self._stored_path(data).exists())
        [late] = self.receive(self.handheld.event(photos=[photo(data)]))
        self.assertEqual(late["missing_evidence"], [])


@tagged("post_install", "-at_install")
class TestFilestore(BaseCase):
    """Files alone. No database."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = b"0123456789"
        self.path = Path(folder.name) / "87" / hashlib.sha1(self.data).hexdigest()

    def test_a_file_is_made_or_found_or_mended(self):
        for durable in (False, True):
            self.assertEqual(filestore.lay(str(self.path), self.data, durable), "new")
            self.assertIsNone(filestore.lay(str(self.path), self.data, durable))
            self.path.write_bytes(self.data[:4])
            self.assertEqual(filestore.lay(str(self.path), self.data, durable), "mended")
            self.assertEqual(self.path.read_bytes(), self.data)
            self.assertEqual(list(self.path.parent.iterdir()), [self.path])
            self.path.unlink()

    def test_a_content_that_has_its_name_is_never_replaced(self):
        filestore.lay(str(self.path), self.data, False)
        self.assertIsNone(filestore.lay(str(self.path), b"as if it had the same hash", False))
        self.assertEqual(self.path.read_bytes(), self.data)

    def test_a_full_disk_leaves_what_was_there(self):
        for before in (None, b"012"):
            if before is not None:
                self.path.write_bytes(before)
            with full_disk(), self.assertRaises(OSError):
                filestore.lay(str(self.path), self.data, True)
            self.assertEqual([path.read_bytes() for path in self.path.parent.iterdir()], [before] if before else [])
