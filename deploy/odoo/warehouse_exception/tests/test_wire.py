from odoo.tests import BaseCase, tagged

from ..lib import cloud_event, enrolment, gtin, jose, precision, request_token
from .common import VECTORS, ExceptionCommon, Handheld

KEYS = {key["kid"]: key for key in VECTORS["keys"]}


@tagged("post_install", "-at_install")
class TestWire(BaseCase):
    """The vectors that the Rust side reads, too. No database."""

    def test_a_key_names_itself(self):
        for key in VECTORS["keys"]:
            self.assertEqual(jose.thumbprint(key["x"]), key["kid"])

    def test_a_kid_that_is_no_thumbprint_is_refused_where_it_is_parsed(self):
        handheld = Handheld("handheld")
        for kid in (7, "", "a\0b", handheld.kid + "\0", handheld.kid + "\n", handheld.kid[:-1], "\0" * 43, "é" * 43):
            with self.subTest(kid), self.assertRaises(jose.JoseError):
                jose.parse_with_kid(handheld.sign({"kid": kid, "typ": "event+jws"}, {}), "event+jws")
        jose.parse_with_kid(handheld.sign({"kid": handheld.kid, "typ": "event+jws"}, {}), "event+jws")

    def test_a_good_event_verifies_and_reads_as_its_payload_says(self):
        for vector in VECTORS["events"]:
            jws = jose.parse_with_kid(vector["jws"], "event+jws")
            jose.verify(jws, KEYS[vector["kid"]]["x"])
            self.assertEqual(jws.payload.decode(), vector["payload_text"])
            self.assertEqual(jose.digest(vector["jws"]), vector["digest"])
            event = cloud_event.read(jws.payload)
            self.assertEqual(event.id, vector["id"])
            self.assertEqual((event.sequence, event.prevhash), (vector["sequence"], vector["prevhash"]))
            counted = vector["payload"]["data"]["quantity"]["counted"]
            self.assertEqual(str(event.counted), counted)

    def test_an_event_says_how_exact_its_time_is_or_that_nobody_knows(self):
        for vector in VECTORS["clocks"]:
            with self.subTest(vector["payload"]["data"]["clock"]):
                jws = jose.parse_with_kid(vector["jws"], "event+jws")
                jose.verify(jws, KEYS[vector["kid"]]["x"])
                clock = cloud_event.read(jws.payload).clock
                self.assertEqual(
                    (clock.offset_ms, clock.uncertainty_ms), (vector["offset_ms"], vector["uncertainty_ms"])
                )

    def test_a_precision_is_never_told_better_than_it_is(self):
        for milliseconds, shown in (
            (0, "0 ms"),
            (999, "999 ms"),
            (1_001, "2 s"),
            (2_300, "3 s"),
            (119_999, "120 s"),
            (120_001, "3 min"),
            (7_200_000, "2 h"),
            (172_800_001, "3 d"),
        ):
            self.assertEqual(precision.rough(milliseconds), shown)

    def test_a_correction_is_told_exactly_and_with_its_sign(self):
        for milliseconds, shown in ((0, "+0 s"), (1200, "+1.2 s"), (-5, "-0.005 s"), (10**12, "+1,000,000,000 s")):
            self.assertEqual(precision.exact(milliseconds), shown)

    def test_each_event_names_the_one_before_it(self):
        before = "0" * 64
        for vector in VECTORS["events"] + VECTORS["clocks"]:
            self.assertEqual(vector["prevhash"], before)
            before = vector["digest"]

    def test_a_request_token_has_the_outcome_that_the_vector_says(self):
        for vector in VECTORS["request_tokens"]:
            with self.subTest(vector["name"]):
                self.assertEqual(self._token_outcome(vector), vector["outcome"])

    def _token_outcome(self, vector):
        try:
            jws, kid = request_token.read_kid(vector["token"])
            if not KEYS[kid]["device"]:
                return "unauthorized"
            request_token.check(jws, KEYS[kid]["x"], vector["device"], vector["audience"], vector["now"])
        except request_token.TokenError:
            return "unauthorized"
        except request_token.ClockSkew:
            return "clock_skew"
        return "ok"

    def test_an_enrolment_has_the_outcome_that_the_vector_says(self):
        for vector in VECTORS["enrolments"]:
            with self.subTest(vector["name"]):
                self.assertEqual(self._enrolment_outcome(vector), vector["outcome"])

    def _enrolment_outcome(self, vector):
        try:
            request = enrolment.read(vector["jws"])
        except enrolment.NotGenuine:
            return "unauthorized"
        except enrolment.NotReadable:
            return "bad_request"
        self.assertEqual((request.kid, request.code), (vector["kid"], vector["code"]))
        return "ok"

    def test_a_code_has_one_spelling_however_it_is_typed(self):
        for vector in VECTORS["codes"]:
            with self.subTest(vector["given"]):
                self.assertEqual(enrolment.canonical_code(vector["given"]), vector["canonical"])

    def test_a_new_code_can_be_typed_as_it_is_shown(self):
        code = enrolment.new_code()
        shown = enrolment.shown_code(code)
        self.assertRegex(shown, r"^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}$")
        self.assertEqual(enrolment.canonical_code(shown.lower()), code)

    def test_a_gtin_has_one_identity(self):
        for vector in VECTORS["gtin"]:
            with self.subTest(vector["given"]):
                self.assertEqual(gtin.canonical(vector["given"]), vector["canonical"])

    def test_a_gtin_may_be_stored_in_each_width_that_holds_it(self):
        self.assertEqual(gtin.spellings("07032069804988"), ["07032069804988", "7032069804988"])
        self.assertIn("96385074", gtin.spellings("00000096385074"))
        self.assertEqual(gtin.spellings("10614141007346"), ["10614141007346"])

    def test_a_upc_may_be_stored_in_its_short_form(self):
        for full, short in (
            ("00012345000065", ["01234565"]),
            ("00042100005264", ["04252614"]),
            ("00012300000451", ["01234531"]),
            ("00012340000053", ["01234543", "01234053"]),
            ("00012000000058", ["01200508", "01200538", "01200548", "01200058"]),
            ("00036000291452", []),
            ("00123456000070", []),
            ("07032069804988", []),
            ("00000096385074", []),
        ):
            self.assertEqual(gtin.short_forms(full), short, full)


@tagged("post_install", "-at_install")
class TestWireAtTheDoor(ExceptionCommon):
    """The same vectors, handed to the part that answers devices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for key in filter(lambda key: key["device"], VECTORS["keys"]):
            device = cls.env["warehouse.exception.device"].create(
                {"name": key["name"], "uuid": key["device"], "warehouse_id": cls.warehouse.id}
            )
            cls.env["warehouse.exception.device.key"].create({"device_id": device.id, "kid": key["kid"], "x": key["x"]})

    def _receive_as(self, uuid, *texts):
        device = self.env["warehouse.exception.device"].search([("uuid", "=", uuid)])
        return self.ingest._receive(device, list(texts))

    def test_a_bad_event_is_refused_with_the_code_that_the_vector_says(self):
        for vector in VECTORS["bad_events"]:
            with self.subTest(vector["name"]):
                [result] = self._receive_as(vector["device"], vector["jws"])
                self.assertEqual(result["error"]["code"], vector["code"])
                self.assertEqual(result["status"], "retry" if vector["code"] == "unknown_type" else "rejected")
                self.assertEqual(result["digest"], jose.digest(vector["jws"]))
                self.assertFalse(result["case"])
        self.assertFalse(self.env["warehouse.exception.case"].search([("warehouse_id", "=", self.warehouse.id)]))

    def test_the_good_chain_becomes_a_case_for_each_event(self):
        events = VECTORS["events"]
        results = self._receive_as(events[0]["device"], *(event["jws"] for event in events))
        self.assertEqual([result["status"] for result in results], ["created"] * 3)
        self.assertEqual([result["id"] for result in results], [event["id"] for event in events])
        stored = self.env["warehouse.exception.event"].search([("event_id", "in", [event["id"] for event in events])])
        self.assertEqual(stored.sorted("sequence").mapped("chain"), ["first", "linked", "linked"])
        self.assertEqual(stored.sorted("sequence").mapped("jws"), [event["jws"] for event in events])
