from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import HttpCase, tagged

from ..models.base.seal import unsealed
from ..models.device import cases as told
from .common import GTIN_13, ExceptionCommon, Handheld, photo


@tagged("post_install", "-at_install")
class TestDeviceCases(ExceptionCommon, HttpCase):
    """`GET /cases`: what became of a device's reports."""

    def _get(self, query="", handheld=None, token=None):
        token = token or (handheld or self.handheld).token(self.device._audience())
        headers = {"Authorization": f"Bearer {token}"}
        return self.url_open(f"/tallyman/v1/cases{query}", headers=headers, method="GET", timeout=30)

    def _page(self, since=None, handheld=None):
        reply = self._get(f"?since={since}" if since else "", handheld)
        self.assertEqual(reply.status_code, 200, reply.text)
        return reply.json()

    def _event(self, **data):
        return self.handheld.event(
            "overage", item={"code": GTIN_13}, quantity={"expected": "8", "counted": "9"}, **data
        )

    def _at(self, case, **ago):
        """As if its last change had been then; the events, too."""
        moment = fields.Datetime.now() - timedelta(**ago)
        self.env.flush_all()
        self.env.cr.execute("UPDATE warehouse_exception_case SET write_date = %s WHERE id = %s", [moment, case.id])
        self.env.cr.execute(
            "UPDATE warehouse_exception_event SET received_at = %s WHERE case_id = %s", [moment, case.id]
        )
        self.env.invalidate_all()

    def test_a_device_reads_what_became_of_its_reports(self):
        missing = photo(b"not sent yet")
        case = self.opened(self._event(photos=[missing]))
        case._instruct("recount", "Count the bin again, please.", bin="A-03-02")
        case.user_id = self.env.ref("base.user_admin")
        page = self._page()
        self.assertEqual((page["more"], len(page["cases"])), (False, 1))
        [entry] = page["cases"]
        self.assertEqual(
            set(entry), {"case", "kind", "state", "text", "events", "instructions", "missing_evidence", "changed"}
        )
        self.assertEqual((entry["case"], entry["kind"], entry["state"]), (case.name, "overage", "open"))
        self.assertEqual(entry["events"], [case.event_ids.event_id])
        self.assertEqual(entry["instructions"][-1]["bin"], "A-03-02")
        self.assertEqual(entry["missing_evidence"], [missing["sha256"]])
        self.assertIn(case.user_id.name, entry["text"])
        self.assertRegex(entry["changed"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(page["server_time"], r"Z$")
        self.assertTrue(self.device.last_seen)

    def test_the_receipt_of_a_duplicate_carries_the_instructions_of_its_case(self):
        jws = self._event()
        case = self.opened(jws)
        before = case.instructions or []
        case._instruct("leave", "Leave it where it is.")
        [receipt] = self.receive(jws)
        self.assertEqual((receipt["status"], receipt["instructions"]), ("duplicate", case.instructions))
        self.assertEqual(receipt["instructions"], [*before, {"code": "leave", "text": "Leave it where it is."}])

    def test_nobody_sees_the_cases_of_another_device(self):
        self.opened(self._event())
        other = Handheld("other")
        self.enrolled(other)
        self.assertEqual(self._page(handheld=other)["cases"], [])

    def test_a_case_of_several_devices_is_shown_to_each_with_its_own_events(self):
        other = Handheld("other")
        device = self.enrolled(other)
        case = self.opened(self._event())
        theirs = other.event("overage", item={"code": GTIN_13})
        self.ingest._receive(device, [theirs])
        event = self.env["warehouse.exception.event"].search([("device_id", "=", device.id)])
        unsealed(event).write({"case_id": case.id})
        for handheld, events in ((self.handheld, case.event_ids - event), (other, event)):
            entries = {entry["case"]: entry for entry in self._page(handheld=handheld)["cases"]}
            self.assertEqual(entries[case.name]["events"], events.mapped("event_id"))

    def test_only_what_changed_is_told_again(self):
        case, other = self.opened(self._event()), self.opened(self._event())
        for each in case | other:
            self._at(each, hours=2)
        page = self._page()
        self.assertEqual(len(page["cases"]), 2)
        page = self._page(page["cursor"])
        self.assertEqual(page["cases"], [])
        case._step("cancelled", "a mistake")
        self.env.flush_all()
        page = self._page(page["cursor"])
        self.assertEqual([(entry["case"], entry["state"]) for entry in page["cases"]], [(case.name, "cancelled")])

    def test_an_event_that_came_to_an_old_case_is_a_change_for_its_device(self):
        case = self.opened(self._event())
        self._at(case, hours=2)
        cursor = self._page()["cursor"]
        later = self._event()
        self.receive(later)
        event = self.env["warehouse.exception.event"].search(
            [("device_id", "=", self.device.id)], limit=1, order="id desc"
        )
        unsealed(event).write({"case_id": case.id})
        self.env.cr.execute("UPDATE warehouse_exception_case SET write_date = now() - interval '2 hours'")
        self.env.invalidate_all()
        page = self._page(cursor)
        self.assertIn(event.event_id, {name for entry in page["cases"] for name in entry["events"]})

    def test_what_a_slow_transaction_commits_late_is_not_lost(self):
        """Its `write_date` is when it began: before the last answer, though nobody saw it then."""
        case = self.opened(self._event())
        self._at(case, hours=2)
        cursor = self._page()["cursor"]
        self._at(case, minutes=5)
        self.assertEqual([entry["case"] for entry in self._page(cursor)["cases"]], [case.name])

    def test_many_changes_come_in_pages_and_none_is_left_out(self):
        cases = self.env["warehouse.exception.case"]
        for _number in range(7):
            cases |= self.opened(self._event())
        for each in cases[:5]:
            self._at(each, hours=1)
        seen, since, pages = [], None, 0
        with patch.object(told, "PAGE", 3):
            while True:
                page = self._page(since)
                seen += [entry["case"] for entry in page["cases"]]
                since, pages = page["cursor"], pages + 1
                self.assertLessEqual(len(page["cases"]), 3)
                if not page["more"]:
                    break
        self.assertEqual((sorted(seen), pages), (sorted(cases.mapped("name")), 3))

    def test_who_asks_first_gets_what_is_unfinished_and_what_is_fresh(self):
        old, done, fresh = (self.opened(self._event()) for _number in range(3))
        (done | fresh)._step("cancelled", "a mistake")
        self._at(old, days=400)
        self._at(done, days=400)
        self.assertEqual({entry["case"] for entry in self._page()["cases"]}, {old.name, fresh.name})

    def test_what_is_no_cursor_is_refused_in_words(self):
        good = self._page()["cursor"]
        for since in ("nonsense!", "e30", good + "A", good[:-2], "x" * 500, "%00", "-1"):
            reply = self._get(f"?since={since}")
            self.assertEqual((reply.status_code, reply.json()["error"]["code"]), (400, "bad_request"), since)

    def test_only_a_device_with_a_good_token_reads(self):
        self.assertEqual(self._get(token="nonsense").status_code, 401)
        late = self.handheld.token(self.device._audience(), age=3600)
        self.assertEqual(self._get(token=late).json()["error"]["code"], "clock_skew")
        self.device.action_revoke()
        self.assertEqual(self._get().json()["error"]["code"], "revoked")

    def test_the_queries_do_not_grow_with_the_page(self):
        counts = []
        for number in (2, 2, 20):
            for _number in range(number):
                self.opened(self._event(photos=[photo(b"p")]))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.device._cases_page()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + 3, counts)
