from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.event import incident
from ..models.event.incident import MAX_UNREVIEWED
from .common import GTIN_13, ExceptionCommon, Handheld

INGEST = "odoo.addons.warehouse_exception.models.event.ingest"


@tagged("post_install", "-at_install")
class TestIngest(ExceptionCommon):
    def _cases(self):
        return self.env["warehouse.exception.case"].search([("device_id", "=", self.device.id)])

    def _incidents(self):
        return self.device.incident_ids.sorted("id")

    def test_an_event_becomes_one_case_that_says_what_was_reported(self):
        jws = self.handheld.event(
            quantity={"expected": "8", "counted": "5.250", "unit": "Units"},
            item={"code": GTIN_13, "gtin": "0" + GTIN_13, "lot": "L42", "expiry": "2027-01-31"},
            bin={"code": "EXT-A-03-02"},
            operator={"badge": "E42"},
            reason="bin_empty",
            note="torn label",
        )
        case = self.case_of(jws)
        self.assertRegex(case.name, r"^EXC/\d{4}/\d{5}$")
        self.assertEqual(case.exception_type, "pick_shortage")
        self.assertEqual((case.product_id, case.location_id), (self.product, self.bin))
        self.assertEqual((case.product_code, case.gtin, case.lot_code), (GTIN_13, "0" + GTIN_13, "L42"))
        self.assertEqual((case.quantity_expected, case.quantity_counted, case.quantity_variance), (8, 5.25, -2.75))
        self.assertEqual(case.expected_source, "event")
        self.assertEqual((case.reason_code, case.note, case.operator_badge), ("bin_empty", "torn label", "E42"))
        self.assertEqual(str(case.captured_at), "2026-11-23 06:12:33")
        self.assertEqual(case.event_ids.jws, jws)
        self.assertEqual(case.warehouse_id, self.warehouse)
        self.assertIn("DOCK-01", case.message_ids[-1].body)

    def test_the_same_event_twice_is_one_case_and_the_same_receipt(self):
        jws = self.handheld.event()
        first, again = self.receive(jws, jws)
        [later] = self.receive(jws)
        self.assertEqual(first["status"], "created")
        for receipt in (again, later):
            self.assertEqual(receipt, {**first, "status": "duplicate"})
        self.assertEqual(len(self._cases()), 1)

    def test_another_content_under_the_same_id_overwrites_nothing(self):
        jws = self.handheld.event(event_id="0193570e-7c2a-7b3c-9d4e-5f60718293a4", counted="5")
        changed = self.handheld.event(event_id="0193570e-7c2a-7b3c-9d4e-5f60718293a4", counted="6")
        created, conflict = self.receive(jws, changed)
        self.assertEqual((conflict["status"], conflict["case"]), ("conflict", created["case"]))
        self.assertNotEqual(conflict["digest"], created["digest"])
        self.assertEqual(self._cases().quantity_counted, 5)
        self.assertEqual(self._incidents().jws, changed)
        self.assertEqual(self._incidents().existing_event_id.jws, jws)

    def test_two_devices_may_use_the_same_id(self):
        other = Handheld("other")
        other_device = self.enrolled(other)
        shared = "0193570e-7c2a-7b3c-9d4e-5f60718293a4"
        [mine] = self.receive(self.handheld.event(event_id=shared))
        [theirs] = self.ingest._receive(other_device, [other.event(event_id=shared)])
        self.assertEqual((mine["status"], theirs["status"]), ("created", "created"))
        self.assertNotEqual(mine["case"], theirs["case"])

    def test_one_bad_event_never_fails_its_batch(self):
        results = self.receive(self.handheld.event(), "junk", self.handheld.event(counted="x"), self.handheld.event())
        self.assertEqual([result["status"] for result in results], ["created", "rejected", "rejected", "created"])

    def test_an_event_that_the_server_fails_on_waits_without_holding_up_the_others(self):
        poison, good = self.handheld.event(bin={"code": "POISON"}), self.handheld.event()
        resolver = self.env.registry["warehouse.exception.resolver"]
        locate = resolver._location

        def fail(self, warehouse, code):
            if code == "POISON":
                raise ZeroDivisionError
            return locate(self, warehouse, code)

        with patch.object(resolver, "_location", fail), mute_logger(INGEST):
            results = self.receive(poison, good)
        self.assertEqual([result["status"] for result in results], ["retry", "created"])
        self.assertEqual(results[0]["error"]["code"], "internal")
        self.assertEqual(len(self._cases()), 1)
        self.assertEqual(self.receive(poison)[0]["status"], "created")

    def test_losing_a_race_starts_the_whole_request_over(self):
        jws = self.handheld.event()
        self.receive(jws)
        # The look-up finds nothing, as in the snapshot of a request that began before the winner's commit.
        nothing = self.env["warehouse.exception.event"]
        with (
            patch.object(self.env.registry["warehouse.exception.event"], "search", lambda *args, **kwargs: nothing),
            mute_logger("odoo.sql_db"),
            self.assertRaises(ConcurrencyError),
        ):
            self.receive(jws)
        self.assertEqual(len(self._cases()), 1)

    def test_an_event_of_a_revoked_key_is_rejected(self):
        jws = self.handheld.event()
        self.device.key_ids.action_revoke()
        [result] = self.receive(jws)
        self.assertEqual((result["status"], result["error"]["code"]), ("rejected", "revoked_key"))

    def test_what_is_refused_is_kept_once_for_a_person_to_see(self):
        self.receive("junk", "junk")
        self.receive("junk")
        self.assertEqual(self._incidents().mapped("code"), ["bad_jws"])
        self.assertEqual(self.device.incident_count, 1)

    def test_a_broken_device_cannot_fill_the_database(self):
        with mute_logger("odoo.addons.warehouse_exception.models.event.incident"):
            self.receive(*(f"junk {number}" for number in range(MAX_UNREVIEWED + 5)))
        self.assertEqual(len(self._incidents()), MAX_UNREVIEWED)
        self._incidents().action_review()
        self.receive("one more")
        self.assertEqual(self._incidents()[-1].jws, "one more")

    def test_conflicts_have_a_limit_of_their_own(self):
        same = "0193570e-7c2a-7b3c-9d4e-5f60718293a4"
        made = [self.handheld.event(event_id=same, counted=str(number)) for number in range(5)]
        with (
            patch.object(incident, "MAX_UNREVIEWED_CONFLICTS", 3),
            mute_logger("odoo.addons.warehouse_exception.models.event.incident"),
        ):
            results = self.receive(*made, "junk")
        self.assertEqual([result["status"] for result in results], ["created", *["conflict"] * 4, "rejected"])
        self.assertEqual(self._incidents().mapped("status"), ["conflict"] * 3 + ["rejected"])

    def test_bytes_that_no_text_column_takes_are_kept_readable(self):
        scan = {
            "role": "item",
            "source": "dock-1",
            "at": "2026-11-23T06:12:31.004Z",
            "raw": "XUMxAB0x",  # ]C1, NUL, GS, 1
            "text": "]C1\0\x1d1",
            "kind": "gs1",
            "flaws": ["control"],
        }
        case = self.case_of(self.handheld.event(scans=[scan], note="a\0b"))
        self.assertEqual(case.note, "a\N{REPLACEMENT CHARACTER}b")
        self.assertEqual(case.scan_ids.raw, "XUMxAB0x")
        self.assertEqual(
            case.scan_ids.text_visible, "]C1\u20390\u203a\u20391D\u203a1".replace("\u20390\u203a", "\u203900\u203a")
        )
        self.assertEqual(self.receive("a\0b")[0]["status"], "rejected")

    def test_a_nul_anywhere_in_an_event_fails_neither_its_batch_nor_the_call(self):
        nul_kid = self.handheld.sign({"kid": "a\0b", "typ": "event+jws"}, {})
        scan = {"at": "2026-11-23T06:12:31.004Z", "raw": "QQ", "flaws": ["a\0"]}
        scan |= dict.fromkeys(("role", "source", "text", "kind"), "a\0")
        everywhere = self.handheld.event(
            quantity={"counted": "5", "unit": "a\0"},
            item=dict.fromkeys(("code", "gtin", "lot", "serial"), "a\0"),
            scans=[scan],
            note="a\0",
            bin={"code": "a\0"},
            operator={"badge": "a\0"},
            document={"code": "a\0"},
        )
        others = [
            self.handheld.event(reason="a\0"),
            self.handheld.event(event_id="0193570e-7c2a-7b3c-9d4e-5f60718293a\0"),
            self.handheld.event("a\0b"),
        ]
        results = self.receive(nul_kid, everywhere, *others, self.handheld.event())
        self.assertEqual(
            [(result["status"], (result["error"] or {}).get("code")) for result in results],
            [
                ("rejected", "bad_jws"),
                ("created", None),
                ("rejected", "bad_event"),
                ("rejected", "bad_event"),
                ("retry", "unknown_type"),
                ("created", None),
            ],
        )

    def test_a_kind_without_a_count_needs_none(self):
        case = self.case_of(self.handheld.event("quality_hold", quantity={}))
        self.assertFalse(case.is_counted)
        self.assertEqual(case.quantity_variance, 0)

    def test_a_hole_in_the_chain_is_seen_and_closes_when_the_missing_event_arrives(self):
        first, second, third = (self.handheld.event() for _number in range(3))
        self.receive(first, third)
        event = self.env["warehouse.exception.event"].search([("jws", "=", third)])
        self.assertEqual(event.chain, "gap")
        self.receive(second)
        event.invalidate_recordset(["chain"])
        self.assertEqual(event.chain, "linked")
