import base64
import errno
import hashlib
import io
import json
import tarfile
from pathlib import Path
from unittest.mock import Mock, patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..lib import bundle, jose
from ..models.event import bundle as importing
from .common import VECTORS, ExceptionCommon, Handheld, full_disk, photo

TAR = (Path(__file__).parent / "bundle_v1.tar").read_bytes()
IMPORTING = "odoo.addons.warehouse_exception.models.event.bundle"
EVIDENCE = "odoo.addons.warehouse_exception.models.event.evidence"
FILESTORE = "odoo.addons.warehouse_exception.models.base.ir_attachment"
WIZARD = "odoo.addons.warehouse_exception.wizard.import_bundle"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tar(members, **header):
    """A ustar file. `members` are (name, data)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in header.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def export(handheld, audience, texts, photos=(), sign=None, **changes):
    """The members of a bundle, as a device writes them."""
    lines = "".join(text + "\n" for text in texts).encode()
    numbers = [json.loads(jose.b64decode(text.split(".")[1]))["sequence"] for text in texts if text.count(".") == 2]
    payload = {
        "version": 1,
        "device": handheld.uuid,
        "audience": audience,
        "created": "2026-11-23T07:00:00.000Z",
        "agent": "0.1.0",
        "events": {"count": len(texts), "size": len(lines), "sha256": sha256(lines)},
        "first": numbers[0] if numbers else None,
        "last": numbers[-1] if numbers else None,
        "photos": [photo(data) for data in photos],
        **changes,
    }
    manifest = (sign or handheld).sign({"kid": handheld.kid, "typ": "bundle+jws"}, payload)
    return [
        ("events.jws", lines),
        *((f"photos/{sha256(data)}", data) for data in photos),
        ("manifest.jws", manifest.encode()),
    ]


@tagged("post_install", "-at_install")
class TestBundleFile(BaseCase):
    """The file alone, by the vector that the Rust side reads, too. No database."""

    def _open(self, data):
        vector_key = next(key for key in VECTORS["keys"] if key["name"] == "rfc8037")
        sealed = bundle.read(data)
        opened = bundle.unseal(sealed, vector_key["x"])
        opened.check()
        return opened

    def test_the_vector_opens_as_it_is_described(self):
        described = VECTORS["bundle"]
        self.assertEqual(sha256(TAR), described["sha256"])
        opened = self._open(TAR)
        self.assertEqual(opened.sealed.manifest_text, described["manifest"])
        self.assertEqual(
            (opened.manifest.device, opened.manifest.audience), (described["device"], described["audience"])
        )
        self.assertEqual([jose.digest(text) for text, _next in opened.texts()], described["events"])
        for named in described["photos"]:
            self.assertEqual(sha256(opened.photo(named["sha256"])), named["sha256"])

    def test_reading_goes_on_at_every_line(self):
        opened = self._open(TAR)
        rows = list(opened.texts())
        for number, (_text, next_byte) in enumerate(rows, start=1):
            self.assertEqual(list(opened.texts(next_byte)), rows[number:])
        self.assertEqual(rows[-1][1], opened.sealed.events.size)

    def test_a_file_that_is_cut_off_anywhere_is_refused(self):
        end = TAR.index(VECTORS["bundle"]["manifest"].encode()) + len(VECTORS["bundle"]["manifest"])
        for length in (0, 1, 511):
            with self.assertRaises(bundle.NotABundle):
                self._open(TAR[:length])
        for length in {*range(512, end, 97), *range(512, end, 512), end - 1}:
            with self.assertRaises(bundle.CutOff, msg=f"at byte {length}"):
                self._open(TAR[:length])
        self._open(TAR[:end])

    def test_no_byte_can_be_changed_but_in_how_a_check_sum_is_spelled(self):
        # Header's bytes 148 to 155; tar's own sum is looser than what is signed, and means nothing here.
        with tarfile.open(fileobj=io.BytesIO(TAR)) as archive:
            members = archive.getmembers()
        loose = {byte for member in members for byte in range(member.offset + 148, member.offset + 156)}
        for position in set(range(0, len(TAR), 11)) - loose:
            changed = bytearray(TAR)
            changed[position] ^= 1
            with self.assertRaises(bundle.BundleError, msg=f"byte {position}"):
                self._open(bytes(changed))

    def test_something_else_is_no_bundle(self):
        outside = tar([("../../etc/passwd", b"x"), ("manifest.jws", b"x")])
        for data in (b"", b"\0" * 1024, b"PK\3\4" * 500, TAR[512:], outside, tar([("manifest.jws", b"x")])):
            with self.assertRaises(bundle.NotABundle):
                self._open(data)


@tagged("post_install", "-at_install")
class TestBundle(ExceptionCommon):
    def setUp(self):
        super().setUp()
        self.handheld = Handheld("handheld")
        self.manager = self.user("chief", "warehouse_exception.group_manager")
        self.audience = self.device._audience()

    def _export(self, texts, photos=(), **changes):
        return tar(export(self.handheld, self.audience, texts, photos, **changes))

    def _wizard(self, data, user=None):
        return (
            self.env["warehouse.exception.import.bundle"]
            .with_user(user or self.manager)
            .create({"file": base64.b64encode(data), "file_name": "dock.tar"})
        )

    def _import(self, data, user=None):
        action = self._wizard(data, user).action_import()
        return self.env["warehouse.exception.bundle"].browse(action["res_id"])

    def _look(self, data):
        wizard = self._wizard(data)
        wizard.action_look()
        return wizard

    def _cases(self):
        return self.env["warehouse.exception.case"].search([("device_id", "=", self.device.id)])

    def _assert_refused(self, words, data):
        for call in ("action_look", "action_import"):
            with self.assertRaisesRegex(UserError, words):
                getattr(self._wizard(data), call)()
        self.assertFalse(self._cases())
        self.assertFalse(self.env["warehouse.exception.bundle"].search([("device_id", "=", self.device.id)]))

    # --- what is in it becomes what it would have become online

    def test_reports_and_photos_become_cases_with_evidence(self):
        texts = [self.handheld.event(photos=[photo(b"front"), photo(b"back")]), self.handheld.event()]
        made = self._import(self._export(texts, [b"front", b"back"]))
        self.assertEqual(
            (made.state, made.event_count, made.created_count, made.photo_created_count), ("done", 2, 2, 2)
        )
        self.assertEqual(made.user_id, self.manager)
        self.assertEqual(self._cases().event_ids.sorted("sequence").mapped("jws"), texts)
        self.assertEqual(self._cases().event_ids.bundle_id, made)
        self.assertEqual(self._cases().filtered("evidence_ids").photo_summary, "2 of 2 photos received")
        self.assertEqual(self.env["warehouse.exception.case"].search(made.action_open_cases()["domain"]), self._cases())
        self.assertEqual(self.device.chain_state, "whole")
        self.assertFalse(made.attachment_id)

    def test_a_nul_in_the_manifest_is_shown_as_unreadable(self):
        made = self._import(self._export(["a\0b"], agent="0.1\0"))
        self.assertEqual((made.agent_version, made.rejected_count), ("0.1\N{REPLACEMENT CHARACTER}", 1))

    def test_a_later_delivery_of_the_same_reports_is_a_duplicate(self):
        texts = [self.handheld.event(), self.handheld.event()]
        self._import(self._export(texts))
        self.assertEqual([result["status"] for result in self.receive(*texts)], ["duplicate", "duplicate"])
        self.assertEqual(len(self._cases()), 2)

    def test_what_was_delivered_before_is_a_duplicate_in_the_bundle(self):
        texts = [self.handheld.event(photos=[photo(b"front")]), self.handheld.event(photos=[photo(b"back")])]
        self.receive(texts[0])
        evidence = self.env["warehouse.exception.evidence"]
        evidence._receive(self.device, sha256(b"front"), 0, None, b"front")
        data = self._export(texts, [b"front", b"back"])
        wizard = self._look(data)
        self.assertEqual((wizard.new_count, wizard.duplicate_count, wizard.photo_new_count), (1, 1, 1))
        made = self._import(data)
        self.assertEqual((made.created_count, made.duplicate_count), (1, 1))
        self.assertEqual((made.photo_created_count, made.photo_duplicate_count), (1, 1))
        self.assertEqual(set(self._cases().mapped("photo_summary")), {"1 of 1 photos received"})

    def test_a_bundle_that_is_imported_twice_changes_nothing(self):
        data = self._export([self.handheld.event(photos=[photo(b"front")])], [b"front"])
        first = self._import(data)
        wizard = self._look(data)
        self.assertEqual(wizard.before_ids, first)
        self.assertEqual((wizard.new_count, wizard.duplicate_count, wizard.photo_new_count), (0, 1, 0))
        second = self._import(data)
        self.assertEqual((second.created_count, second.duplicate_count, second.photo_duplicate_count), (0, 1, 1))
        self.assertEqual(len(self._cases()), 1)
        self.assertEqual(self._cases().event_ids.bundle_id, first)

    def test_the_vector_is_imported_by_the_database_that_it_is_for(self):
        described = VECTORS["bundle"]
        self.env["ir.config_parameter"].set_param("database.uuid", described["audience"].removeprefix("urn:uuid:"))
        device = self.env["warehouse.exception.device"].create(
            {"name": "vector", "uuid": described["device"], "warehouse_id": self.warehouse.id}
        )
        key = next(key for key in VECTORS["keys"] if key["name"] == "rfc8037")
        self.env["warehouse.exception.device.key"].create({"device_id": device.id, "kid": key["kid"], "x": key["x"]})
        made = self._import(TAR)
        self.assertEqual((made.device_id, made.state), (device, "done"))
        self.assertEqual((made.created_count, made.photo_created_count), (len(described["events"]), 1))
        self.assertEqual(device.chain_state, "whole")

    def test_looking_inside_imports_nothing(self):
        wizard = self._look(self._export([self.handheld.event(), self.handheld.event()]))
        self.assertEqual((wizard.state, wizard.device_id, wizard.event_count), ("look", self.device, 2))
        self.assertEqual((wizard.new_count, wizard.numbers), (2, "(number 1 to 2)"))
        self.assertEqual(str(wizard.written_at), "2026-11-23 07:00:00")
        self.assertFalse(self._cases())

    def test_one_bad_report_never_fails_the_others(self):
        same = "0193570e-7c2a-7b3c-9d4e-5f60718293a4"
        self.receive(self.handheld.event(event_id=same))
        texts = [
            self.handheld.event(),
            "junk",
            self.handheld.event(event_id=same, counted="6"),
            self.handheld.event(counted="x"),
            self.handheld.event("spill"),
            self.handheld.event(),
        ]
        data = self._export(texts)
        self.assertEqual((self._look(data).new_count, self._look(data).conflict_count), (5, 1))
        made = self._import(data)
        self.assertEqual((made.created_count, made.conflict_count), (2, 1))
        self.assertEqual((made.rejected_count, made.retry_count, made.incident_count), (2, 1, 4))
        self.assertEqual(
            set(self.device.incident_ids.mapped("code")), {"bad_jws", "conflict", "bad_event", "unknown_type"}
        )
        again = self._look(data)
        self.assertEqual(
            (again.new_count, again.duplicate_count, again.refused_count, again.conflict_count), (1, 2, 2, 1)
        )

    def test_a_photo_goes_on_where_the_device_had_stopped(self):
        data = b"0123456789"
        text = self.handheld.event(photos=[photo(data)])
        self.receive(text)
        evidence = self.env["warehouse.exception.evidence"]
        for sent in (data[:4], b"wrong"):
            evidence._receive(self.device, sha256(data), evidence._progress(self.device, sha256(data))[0], None, sent)
        self.assertEqual(self._import(self._export([text], [data])).photo_created_count, 1)
        self.assertEqual(self._cases().evidence_ids.attachment_id.raw, data)

    def test_a_photo_that_no_report_here_names_is_counted_and_not_kept(self):
        made = self._import(self._export([self.handheld.event(counted="x", photos=[photo(b"lost")])], [b"lost"]))
        self.assertEqual((made.state, made.photo_refused_count), ("done", 1))

    def test_an_empty_bundle_is_one(self):
        made = self._import(self._export([]))
        self.assertEqual((made.state, made.created_count), ("done", 0))

    def test_events_of_an_older_key_are_taken_while_it_is_trusted(self):
        old = self.handheld.event()
        successor = Handheld("the next key")
        successor.uuid = self.handheld.uuid
        self.env["warehouse.exception.device.key"].create(
            {"device_id": self.device.id, "kid": successor.kid, "x": successor.x}
        )
        made = self._import(tar(export(successor, self.audience, [old])))
        self.assertEqual(made.created_count, 1)

    # --- large ones

    def _cron(self):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1):
            self.env["warehouse.exception.bundle"]._cron_import()

    def _import_slowly(self, data):
        with patch.object(importing, "SECONDS_AT_ONCE", 0):
            return self._import(data)

    def test_a_large_bundle_goes_on_in_the_background(self):
        texts = [self.handheld.event(photos=[photo(b"front")]), *(self.handheld.event() for _number in range(4))]
        made = self._import_slowly(self._export(texts, [b"front"]))
        self.assertEqual((made.state, made.created_count), ("importing", 0))
        with patch.object(importing, "EVENTS_AT_ONCE", 2):
            self._cron()
        self.assertEqual((made.state, made.created_count, made.photo_created_count), ("done", 5, 1))
        self.assertFalse(made.attachment_id)

    def test_an_import_that_stops_between_two_runs_goes_on_where_it_was(self):
        made = self._import_slowly(self._export([self.handheld.event() for _number in range(5)]))
        with (
            patch.object(importing, "EVENTS_AT_ONCE", 2),
            patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 0),
        ):
            self.env["warehouse.exception.bundle"]._cron_import()
        self.assertEqual((made.state, made.created_count), ("importing", 2))
        self._cron()
        self.assertEqual((made.state, made.created_count, made.duplicate_count), ("done", 5, 0))

    def test_an_import_that_the_server_fails_on_stops_visibly_and_holds_up_no_other(self):
        bad = self._import_slowly(self._export([self.handheld.event(photos=[photo(b"p")])], [b"p"]))
        good = self._import_slowly(self._export([self.handheld.event()]))
        bundles = self.env.registry["warehouse.exception.bundle"]
        # A test's transaction can't be rolled back; here nothing was written before the failure.
        with (
            patch.object(bundles, "_import_photo", side_effect=ZeroDivisionError),
            patch.object(self.env.cr, "rollback", lambda: None),
            mute_logger(IMPORTING),
        ):
            self._cron()
        self.assertEqual((bad.state, bad.created_count, good.state), ("stopped", 1, "done"))
        self.assertEqual(bad.trouble, "The server failed (ZeroDivisionError) and logged why.")

    def test_an_import_whose_kept_file_is_gone_stops_and_says_so(self):
        data = self._export([self.handheld.event()])
        made = self._import_slowly(data)
        self.lose(data)
        with patch.object(self.env.cr, "rollback", lambda: None), mute_logger(IMPORTING):
            self._cron()
        self.assertEqual((made.state, made.created_count), ("stopped", 0))
        self.assertIn("damaged or gone", made.trouble)
        self.assertEqual(self._import(data).created_count, 1)

    # --- a filestore that fails

    def _with_a_large_photo(self):
        """Two reports and three photos, of which the second one is large."""
        self.large = b"0123456789" * 20
        texts = [self.handheld.event(photos=[photo(b"front"), photo(self.large)]), self.handheld.event()]
        texts.append(self.handheld.event(photos=[photo(b"back")]))
        data = self._export(texts, [b"front", self.large, b"back"])
        wizard = self._wizard(data)
        self.lose(self.large)
        return wizard, data

    def _assert_all_but_the_large_photo(self, made):
        self.assertEqual((made.state, made.created_count, made.incident_count), ("done", 3, 0))
        self.assertEqual((made.photo_created_count, made.photo_refused_count, made.photo_failed_count), (2, 0, 1))
        here = self._cases().evidence_ids.filtered("complete").sorted("id")
        self.assertEqual([evidence.attachment_id.raw for evidence in here], [b"front", b"back"])

    def _assert_importing_again_helps(self, data):
        again = self._import(data)
        self.assertEqual((again.duplicate_count, again.photo_created_count, again.photo_failed_count), (3, 1, 0))
        self.assertEqual((again.photo_duplicate_count, again.trouble), (2, False))
        self.assertEqual(self._stored_path(self.large).read_bytes(), self.large)

    def _action_import(self, wizard):
        return self.env["warehouse.exception.bundle"].browse(wizard.action_import()["res_id"])

    def test_a_photo_without_room_holds_up_nothing_and_is_told(self):
        wizard, data = self._with_a_large_photo()
        with full_disk(room=100), mute_logger(EVIDENCE):
            made = self._action_import(wizard)
        self._assert_all_but_the_large_photo(made)
        told = made.with_user(self.user("reader", "warehouse_exception.group_user")).trouble
        self.assertRegex(told, f"Photo {sha256(self.large)[:12]}: .*No space left on device")
        self._assert_importing_again_helps(data)

    def test_a_photo_without_room_holds_up_nothing_in_the_background(self):
        wizard, data = self._with_a_large_photo()
        with full_disk(room=100), mute_logger(EVIDENCE):
            with patch.object(importing, "SECONDS_AT_ONCE", 0):
                made = self._action_import(wizard)
            self.assertEqual((made.state, made.created_count), ("importing", 0))
            self._cron()
        self._assert_all_but_the_large_photo(made)
        self.assertIn("No space left on device", made.trouble)
        self._assert_importing_again_helps(data)

    def test_a_photo_that_the_server_fails_on_holds_up_nothing(self):
        wizard, data = self._with_a_large_photo()
        lay_down = self.env.registry["ir.attachment"]._lay_down

        def fail_on_the_large_one(attachments, content, durable=False):
            if content == self.large:
                raise ZeroDivisionError
            lay_down(attachments, content, durable)

        with (
            patch.object(self.env.registry["ir.attachment"], "_lay_down", fail_on_the_large_one),
            mute_logger(IMPORTING),
        ):
            made = self._action_import(wizard)
        self._assert_all_but_the_large_photo(made)
        self.assertIn("failed on it (ZeroDivisionError)", made.trouble)
        self._assert_importing_again_helps(data)

    def test_a_torn_file_under_a_photos_name_is_made_whole(self):
        wizard, _data = self._with_a_large_photo()
        self.tear(self.large, self.large[:7])
        with mute_logger(FILESTORE):
            made = self._action_import(wizard)
        self.assertEqual((made.state, made.photo_created_count, made.photo_failed_count), ("done", 3, 0))
        self.assertEqual(self._stored_path(self.large).read_bytes(), self.large)

    def test_a_photo_that_only_the_rows_know_is_new_and_is_stored(self):
        data = self._export([self.handheld.event(photos=[photo(b"front")])], [b"front"])
        self._import(data)
        self.lose(b"front")
        self.assertEqual(self._look(data).photo_new_count, 1)
        self.assertEqual(self._import(data).photo_created_count, 1)
        self.assertEqual(self._stored_path(b"front").read_bytes(), b"front")

    def test_of_many_photos_without_room_some_are_told_and_all_counted(self):
        photos = [b"%d much too large" % number for number in range(importing.TOLD_PHOTOS + 2)]
        wizard = self._wizard(self._export([self.handheld.event(photos=[photo(data) for data in photos])], photos))
        with full_disk(), mute_logger(EVIDENCE):
            made = self._action_import(wizard)
        self.assertEqual((made.created_count, made.photo_failed_count), (1, len(photos)))
        self.assertEqual(len(made.trouble.splitlines()), importing.TOLD_PHOTOS)

    def test_a_file_that_the_server_has_no_room_for_can_be_uploaded_when_it_has(self):
        data = self._export([self.handheld.event()])
        chosen = self._wizard(self._export([]))
        for upload in (lambda: self._wizard(data), lambda: chosen.write({"file": base64.b64encode(data)})):
            self.lose(data)
            with full_disk(), mute_logger(WIZARD), self.assertRaisesRegex(UserError, "No space left .* nothing was im"):
                upload()
        self.tear(data, data[:100])
        with mute_logger(FILESTORE):
            self.assertEqual(self._import(data).created_count, 1)

    def test_reports_that_are_in_stay_when_the_rest_can_not_be_kept(self):
        data = self._export([self.handheld.event(), self.handheld.event()])
        wizard = self._wizard(data)
        full = OSError(errno.ENOSPC, "No space left on device")
        with (
            patch.object(importing, "EVENTS_AT_ONCE", 1),
            patch.object(importing, "time", Mock(monotonic=Mock(side_effect=[0, 0, 99]))),
            patch.object(self.env.registry["ir.attachment"], "_lay_down", side_effect=full),
            mute_logger(IMPORTING),
        ):
            made = self._action_import(wizard)
        self.assertEqual((made.state, made.created_count), ("stopped", 1))
        self.assertIn("No space left on device", made.trouble)
        self.assertEqual(self._import(data).created_count, 1)

    # --- what is refused, in words

    def test_another_file_is_no_bundle(self):
        self._assert_refused("not a bundle", b"%PDF-1.7 and so on")

    def test_a_file_that_was_cut_off_is_told_from_one_that_was_changed(self):
        data = self._export([self.handheld.event()])
        self._assert_refused("cut off", data[:1500])
        self._assert_refused("changed after the device signed it", data.replace(b"manifest.jws", b"manifest.jwt"))

    def test_what_was_changed_after_signing_is_refused(self):
        texts = [self.handheld.event(photos=[photo(b"front")]), self.handheld.event()]
        members = export(self.handheld, self.audience, texts, [b"front"])
        manifest = members[-1]
        for changed in (
            [("events.jws", members[0][1][:-1]), *members[1:]],
            [("events.jws", (texts[0] + "\n").encode()), *members[1:]],
            [members[0], (members[1][0], b"other"), manifest],
            [members[0], members[1], (f"photos/{sha256(b'more')}", b"more"), manifest],
            [members[0], members[1], members[1], manifest],
            [*members, ("events.jws", b"")],
            [members[0], members[1], ("photos/../x", b"x"), manifest],
            [members[0], members[1], (manifest[0], manifest[1] + b"A")],
            export(self.handheld, self.audience, texts, [b"front"], sign=Handheld("somebody else")),
            export(self.handheld, self.audience, texts, [b"front"], device=Handheld("other").uuid),
            export(
                self.handheld,
                self.audience,
                texts,
                events={"count": 3, "size": len(members[0][1]), "sha256": sha256(members[0][1])},
            ),
        ):
            self._assert_refused("changed after the device signed it", tar(changed))
        self._assert_refused("changed after the device signed it", tar(members) + b"x" * 512)
        nul_kid = self.handheld.sign({"kid": "a\0b", "typ": "bundle+jws"}, {})
        unreadable = tar([members[0], ("manifest.jws", nul_kid.encode())])
        self._assert_refused("changed after the device signed it", unreadable)

    def test_a_link_or_another_kind_of_tar_is_refused(self):
        members = export(self.handheld, self.audience, [self.handheld.event()])
        self._assert_refused("not a bundle", tar(members, type=tarfile.SYMTYPE, linkname="/etc/passwd"))
        gnu = io.BytesIO()
        with tarfile.open(fileobj=gnu, mode="w", format=tarfile.GNU_FORMAT) as archive:
            archive.addfile(tarfile.TarInfo("events.jws"))
        self._assert_refused("not a bundle", gnu.getvalue())

    def test_a_photo_that_the_manifest_lists_and_the_file_lacks_is_missing(self):
        members = export(self.handheld, self.audience, [self.handheld.event()], [b"front"])
        self._assert_refused("photo is missing", tar([members[0], members[2]]))

    def test_a_bundle_for_another_database_is_refused(self):
        data = tar(export(self.handheld, "urn:uuid:another", [self.handheld.event()]))
        self._assert_refused("another database", data)
        stranger = Handheld("stranger")
        self._assert_refused("another database", tar(export(stranger, "urn:uuid:another", [stranger.event()])))
        self._assert_refused("No device here", tar(export(stranger, self.audience, [stranger.event()])))

    def test_a_revoked_device_or_key_is_not_trusted(self):
        data = self._export([self.handheld.event()])
        self.device.key_ids.action_revoke()
        self._assert_refused("was revoked", data)
        self.device.action_revoke()
        self._assert_refused("was revoked", data)

    def test_a_newer_kind_of_bundle_waits_for_a_newer_server(self):
        self._assert_refused("Update the addon", self._export([self.handheld.event()], version=2))

    def test_more_than_the_limits_is_refused(self):
        data = self._export([self.handheld.event(), self.handheld.event()], [b"a", b"b", b"c"])
        for limit, value in (("MAX_EVENTS", 1), ("MAX_PHOTOS", 1), ("MAX_MANIFEST_BYTES", 100)):
            with patch.object(bundle, limit, value):
                self._assert_refused("more than is imported at once", data)

    # --- people

    def test_only_who_manages_devices_imports(self):
        data = self._export([self.handheld.event()])
        worker = self.user("worker", "warehouse_exception.group_user")
        with self.assertRaises(AccessError):
            self._wizard(data, worker)
        wizard = self._wizard(data)
        for call in ("action_look", "action_import"):
            with self.assertRaises(AccessError):
                getattr(wizard.with_user(worker), call)()
        made = self._import(data).with_user(worker)
        self.assertEqual(made.created_count, 1)

    def test_another_companys_device_is_not_imported_for(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        other = Handheld("elsewhere")
        self.enrolled(other, self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1))
        self._assert_refused("another company", tar(export(other, self.audience, [other.event()])))

    def test_nobody_edits_the_record_of_an_import(self):
        made = self._import(self._export([self.handheld.event()]))
        system = self.user("system", "warehouse_exception.group_manager", "base.group_system")
        for change in (lambda record: record.write({"created_count": 9}), lambda record: record.unlink()):
            for record in (made.with_user(self.manager), made.with_user(system), made.sudo()):
                with self.assertRaises(AccessError):
                    change(record)
        with self.assertRaises(AccessError):
            self.env["warehouse.exception.bundle"].with_user(system).create({"name": "forged"})
