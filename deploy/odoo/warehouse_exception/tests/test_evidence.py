import io

from PIL import Image

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ExceptionCommon, Handheld, photo


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
