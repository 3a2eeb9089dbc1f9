import gzip
import json
import tracemalloc

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..controllers.device_api import MAX_EVENTS, MAX_EVENTS_BYTES
from ..lib import coding
from .common import ExceptionCommon, Handheld, full_disk, photo

DATA = b"not really a photo, but bytes are bytes"


@tagged("post_install", "-at_install")
class TestDeviceApi(ExceptionCommon, HttpCase):
    """Each call over HTTP, as a device makes it."""

    def _call(self, path, body=None, method="POST", handheld=None, token=None, **headers):
        handheld = handheld or self.handheld
        token = token or handheld.token(self.device._audience())
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | headers
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.url_open(f"/tallyman/v1/{path}", data=data, headers=headers, method=method, timeout=30)

    def _assert_error(self, reply, status, code, retryable=False):
        self.assertEqual(reply.status_code, status, reply.text)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        error = reply.json()["error"]
        self.assertEqual((error["code"], error["retryable"]), (code, retryable))
        self.assertRegex(error["server_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        return error

    def _put(self, data, sha256=None, **headers):
        headers = {"Content-Type": "image/jpeg"} | headers
        return self._call(f"evidence/{sha256 or photo(data)['sha256']}", data, "PUT", **headers)

    # --- enroll

    def test_a_device_enrols_and_is_told_who_it_is(self):
        code = self.env["warehouse.exception.enrolment"].issue_code("DOCK-07", self.warehouse.id)["code"]
        newcomer = Handheld("newcomer")
        body = {"enrolment": newcomer.enrolment(code)}
        reply, again = self._call("enroll", body), self._call("enroll", body)
        self.assertEqual(reply.status_code, 201)
        welcome = reply.json()
        self.assertEqual((welcome["name"], welcome["kid"]), ("DOCK-07", newcomer.kid))
        self.assertEqual(welcome["warehouse"], {"code": "EXT", "name": "Exception test"})
        self.assertEqual(welcome["profile"], {"version": 1})
        self.assertEqual({**again.json(), "server_time": ""}, {**welcome, "server_time": ""})
        newcomer.uuid = welcome["device"]
        token = newcomer.token(welcome["audience"])
        self.assertEqual(self._call("events", {"events": [newcomer.event()]}, token=token).status_code, 200)

    def test_an_enrolment_without_a_good_code_is_refused(self):
        code = self.env["warehouse.exception.enrolment"].issue_code("DOCK-07", self.warehouse.id)["code"]
        self._call("enroll", {"enrolment": Handheld("first").enrolment(code)})
        late = {"enrolment": Handheld("second").enrolment(code)}
        self._assert_error(self._call("enroll", late), 403, "code_invalid")
        unknown = {"enrolment": self.handheld.enrolment("00000-00000-00000-00000")}
        self._assert_error(self._call("enroll", unknown), 403, "code_invalid")

    def test_an_enrolment_that_is_not_one_is_refused(self):
        self._assert_error(self._call("enroll", {"enrolment": "a.b.c"}), 401, "unauthorized")
        self._assert_error(self._call("enroll", {"enrolment": 7}), 400, "bad_request")
        self._assert_error(self._call("enroll", b"{"), 400, "bad_request")
        self._assert_error(self._call("enroll", b" " * 20000), 413, "too_large")

    # --- who may call

    def test_a_call_without_a_good_token_is_refused(self):
        audience = self.device._audience()
        stranger = Handheld("stranger")
        stranger.uuid = self.handheld.uuid
        head, body, signature = self.handheld.token(audience).split(".")
        for token in (
            "nonsense",
            self.handheld.sign({"kid": "a\0b", "typ": "request+jwt"}, {}),
            stranger.token(audience),
            self.handheld.token("urn:uuid:another"),
            self.handheld.token(audience, iss=stranger.kid),
            f"{head}.{body}.{signature[:-4]}AAAA",
            self.handheld.event(),
        ):
            self._assert_error(self._call("events", {"events": ["x"]}, token=token), 401, "unauthorized")
        reply = self._call("events", {"events": ["x"]}, Authorization="Basic eDp5")
        self._assert_error(reply, 401, "unauthorized")

    def test_a_clock_that_is_wrong_is_told_the_right_time(self):
        for age in (3600, -3600):
            token = self.handheld.token(self.device._audience(), age=age)
            self._assert_error(self._call("events", {"events": ["x"]}, token=token), 401, "clock_skew", retryable=True)

    def test_a_revoked_device_is_told_so_by_every_call(self):
        self.device.action_revoke()
        self._assert_error(self._call("events", {"events": ["x"]}), 403, "revoked")
        self._assert_error(self._put(DATA), 403, "revoked")
        self.assertEqual(self._call("evidence/" + "0" * 64, method="HEAD").status_code, 403)

    def test_who_has_no_token_is_refused_before_the_body_is_read(self):
        self._assert_error(self._call("events", b"{" * 100000, token="nonsense"), 401, "unauthorized")

    # --- events

    def test_events_are_answered_one_by_one_in_order(self):
        good = self.handheld.event()
        reply = self._call("events", {"events": [good, "junk", good], "later": True})
        self.assertEqual(reply.status_code, 200)
        results = reply.json()["results"]
        self.assertEqual([result["status"] for result in results], ["created", "rejected", "duplicate"])
        self.assertEqual(results[0]["case"], results[2]["case"])
        self.assertEqual(
            set(results[0]), {"id", "digest", "status", "case", "instructions", "missing_evidence", "error"}
        )
        self.assertTrue(self.device.last_seen)

    def test_a_body_that_is_not_a_list_of_events_is_refused(self):
        bodies = ({}, {"events": "x"}, {"events": []}, {"events": [1]}, {"events": ["x"] * (MAX_EVENTS + 1)}, [], b"x")
        for body in bodies:
            self._assert_error(self._call("events", body), 400, "bad_request")

    def test_a_body_that_is_too_large_is_refused(self):
        error = self._assert_error(self._call("events", b" " * 4_000_000), 413, "too_large")
        self.assertGreater(error["limit"], MAX_EVENTS * 64 * 1024)

    # --- events, compressed

    def test_a_device_learns_from_an_answer_that_it_may_compress_and_does(self):
        jws = self.handheld.event()
        plain = self._call("events", {"events": [jws]})
        self.assertEqual(plain.headers["Accept-Encoding"], "gzip")
        body = gzip.compress(json.dumps({"events": [jws, self.handheld.event()]}).encode())
        for name in ("gzip", "GZIP", "x-gzip"):
            reply = self._call("events", body, **{"Content-Encoding": name})
            self.assertEqual(reply.status_code, 200, reply.text)
        self.assertEqual([result["status"] for result in reply.json()["results"]], ["duplicate", "duplicate"])
        self.assertEqual(len(self.device.case_ids), 2)

    def test_a_body_that_says_it_is_plain_is_plain(self):
        body = json.dumps({"events": [self.handheld.event()]}).encode()
        self.assertEqual(self._call("events", body, **{"Content-Encoding": "identity"}).status_code, 200)

    def test_a_coding_that_nobody_knows_is_refused_so_that_the_device_sends_it_plain(self):
        body = json.dumps({"events": [self.handheld.event()]}).encode()
        for name in ("br", "zstd", "deflate", "gzip, gzip"):
            reply = self._call("events", body, **{"Content-Encoding": name})
            self._assert_error(reply, 415, "unsupported_coding", retryable=True)
            self.assertEqual(reply.headers["Accept-Encoding"], "gzip")
        self.assertEqual(self._call("events", body).status_code, 200)

    def test_only_events_come_compressed(self):
        self.receive(self.handheld.event(photos=[photo(DATA)]))
        reply = self._put(gzip.compress(DATA), photo(DATA)["sha256"], **{"Content-Encoding": "gzip"})
        self._assert_error(reply, 415, "unsupported_coding", retryable=True)
        self.assertEqual(reply.headers["Accept-Encoding"], "identity")
        self.assertEqual(self._put(DATA).status_code, 201)

    def test_a_gzip_that_is_none_or_not_whole_is_refused(self):
        whole = gzip.compress(json.dumps({"events": [self.handheld.event()]}).encode())
        damaged = bytearray(whole)
        damaged[-8] ^= 1  # the check sum
        for body in (b"", b"not gzip", whole[:-1], whole[:20], bytes(damaged), whole + b"x", whole + whole):
            reply = self._call("events", body, **{"Content-Encoding": "gzip"})
            self._assert_error(reply, 400, "bad_request")

    def test_a_bomb_is_refused_without_opening_all_of_it(self):
        for bomb in (gzip.compress(b" " * MAX_EVENTS_BYTES + b"{}"), gzip.compress(bytes(64 * 1024 * 1024))):
            self.assertLess(len(bomb), 100 * 1024)
            tracemalloc.start()
            try:
                with self.assertRaises(coding.TooLarge):
                    coding.opened(bomb, coding.GZIP, MAX_EVENTS_BYTES)
                _now, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertLess(peak, 4 * MAX_EVENTS_BYTES)
            reply = self._call("events", bomb, **{"Content-Encoding": "gzip"})
            self.assertEqual(self._assert_error(reply, 413, "too_large")["limit"], MAX_EVENTS_BYTES)

    # --- evidence

    def test_a_photo_is_sent_in_pieces_and_asked_for_in_between(self):
        named = photo(DATA)
        size = str(len(DATA))
        self._call("events", {"events": [self.handheld.event(photos=[named])]})
        first = self._put(DATA[:10], named["sha256"], **{"Upload-Length": size, "Upload-Offset": "0"})
        self.assertEqual((first.status_code, first.json()), (200, {"received": 10, "complete": False}))
        asked = self._call(f"evidence/{named['sha256']}", method="HEAD")
        self.assertEqual(asked.status_code, 200)
        self.assertEqual((asked.headers["Upload-Offset"], asked.headers["Upload-Length"]), ("10", size))
        wrong = self._put(DATA[:10], named["sha256"])
        self.assertEqual(self._assert_error(wrong, 409, "offset_mismatch", retryable=True)["received"], 10)
        last = self._put(DATA[10:], named["sha256"], **{"Upload-Offset": "10"})
        self.assertEqual((last.status_code, last.json()), (201, {"received": len(DATA), "complete": True}))
        self.assertEqual(self._put(DATA).status_code, 201)

    def test_bytes_that_do_not_hash_to_their_name_are_refused_and_forgotten(self):
        named = photo(DATA)
        self._call("events", {"events": [self.handheld.event(photos=[named])]})
        self._put(DATA[:10], named["sha256"])
        wrong = self._put(b"x" * (len(DATA) - 10), named["sha256"], **{"Upload-Offset": "10"})
        self._assert_error(wrong, 422, "hash_mismatch", retryable=True)
        self.assertEqual(self._call(f"evidence/{named['sha256']}", method="HEAD").headers["Upload-Offset"], "0")
        self.assertEqual(self._put(DATA).status_code, 201)

    def test_evidence_that_nobody_named_is_unknown(self):
        self._assert_error(self._put(DATA), 404, "unknown_evidence", retryable=True)
        self.assertEqual(self._call("evidence/" + "0" * 64, method="HEAD").status_code, 404)

    def test_evidence_is_an_image_of_a_sensible_size_under_a_good_name(self):
        wrong_type = self._put(DATA, **{"Content-Type": "application/pdf"})
        self._assert_error(wrong_type, 415, "unsupported_media_type")
        too_long = self._put(DATA, **{"Upload-Length": "99999999"})
        self.assertEqual(self._assert_error(too_long, 413, "too_large")["limit"], 16 * 1024 * 1024)
        self._assert_error(self._put(DATA, "A" * 64), 400, "bad_request")
        self._assert_error(self._put(DATA, **{"Upload-Offset": "-1"}), 400, "bad_request")

    def test_a_photo_that_finds_no_room_is_postponed_and_holds_up_no_report(self):
        named = photo(DATA)
        self._call("events", {"events": [self.handheld.event(photos=[named])]})
        self._put(DATA[:10], named["sha256"])
        self.lose(DATA)  # files outlive the transactions of the tests before
        with full_disk(), mute_logger("odoo.addons.warehouse_exception.models.event.evidence"):
            for _attempt in range(2):
                refused = self._put(DATA[10:], named["sha256"], **{"Upload-Offset": "10"})
                self._assert_error(refused, 507, "storage", retryable=True)
                self.assertNotIn("Retry-After", refused.headers)
            [result] = self._call("events", {"events": [self.handheld.event(photos=[named])]}).json()["results"]
            self.assertEqual((result["status"], result["missing_evidence"]), ("created", [named["sha256"]]))
        self.assertEqual(self._call(f"evidence/{named['sha256']}", method="HEAD").headers["Upload-Offset"], "10")
        self.assertEqual(self._put(DATA[10:], named["sha256"], **{"Upload-Offset": "10"}).status_code, 201)

    def test_a_torn_file_or_a_lost_one_never_stands_for_the_photo(self):
        named = photo(DATA)
        self._call("events", {"events": [self.handheld.event(photos=[named])]})
        self.tear(DATA, DATA[:3])
        with mute_logger("odoo.addons.warehouse_exception.models.base.ir_attachment"):
            self.assertEqual(self._put(DATA).status_code, 201)
        self.lose(DATA)
        asked = self._call(f"evidence/{named['sha256']}", method="HEAD")
        self.assertEqual((asked.headers["Upload-Offset"], asked.headers["Upload-Length"]), ("0", str(len(DATA))))
        self.assertEqual(self._put(DATA).json(), {"received": len(DATA), "complete": True})
        self.assertEqual(self._stored_path(DATA).read_bytes(), DATA)

    # --- everything else

    def test_a_call_that_does_not_exist_is_answered_in_json(self):
        self.assertEqual(self._call("sync", method="GET").json()["error"]["code"], "not_found")
