from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.base.seal import unsealed
from ..models.case.respond import LONGEST_REST
from .common import ExceptionCommon, Handheld

MODELS = "odoo.addons.warehouse_exception.models"
INGEST = f"{MODELS}.event.ingest"


@tagged("post_install", "-at_install")
class TestTraffic(ExceptionCommon):
    def _rows(self, device=None):
        rows = self.env["warehouse.exception.traffic"].search([("device_id", "=", (device or self.device).id)])
        return rows.sorted("id")

    def _compact(self):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1):
            self.env["warehouse.exception.traffic"]._cron_compact()

    def test_each_request_is_counted_by_what_became_of_its_events(self):
        same = "0193570e-7c2a-7b3c-9d4e-5f60718293a4"
        jws = self.handheld.event(event_id=same)
        self.receive(jws, self.handheld.event(), self.handheld.event("of_a_later_version"))
        self.receive(jws, self.handheld.event(event_id=same, counted="6"), "junk")
        counted = [
            (row.requests, row.created, row.duplicate, row.conflict, row.rejected, row.retry) for row in self._rows()
        ]
        self.assertEqual(counted, [(1, 2, 0, 0, 0, 1), (1, 0, 1, 1, 1, 0)])

    def test_days_that_are_over_are_added_up_by_device_and_today_is_left_alone(self):
        other = Handheld("other")
        device = self.enrolled(other)
        for _request in range(3):
            self.receive(self.handheld.event(), "junk")
        self.ingest._receive(device, [other.event()])
        for row in self._rows() | self._rows(device):
            unsealed(row).write({"day": row.day - timedelta(days=1)})
        self.receive(self.handheld.event())
        self.receive(self.handheld.event())
        self._compact()
        self._compact()
        self.assertEqual([(row.requests, row.created, row.rejected) for row in self._rows()][:1], [(3, 3, 3)])
        self.assertEqual(len(self._rows()), 3)
        self.assertEqual(self._rows(device).requests, 1)

    def test_what_comes_late_is_added_to_its_day(self):
        for _request in range(2):
            self.receive(self.handheld.event())
            for row in self._rows().filtered(lambda row: row.at.date() == row.day):
                unsealed(row).write({"day": row.day - timedelta(days=1)})
            self._compact()
        self.assertEqual((len(self._rows()), self._rows().created), (1, 2))

    def test_nobody_edits_or_deletes_the_numbers(self):
        self.people()
        self.receive(self.handheld.event())
        for user in (self.env.user, self.as_manager, self.as_audit):
            rows = self._rows().with_user(user)
            with self.assertRaises(AccessError):
                rows.write({"created": 7})
            with self.assertRaises(AccessError):
                rows.unlink()

    def test_an_event_that_the_server_fails_on_counts_as_one_to_be_sent_again(self):
        def fail(_self, _warehouse, _code):
            raise ZeroDivisionError

        resolver = self.env.registry["warehouse.exception.resolver"]
        with patch.object(resolver, "_location", fail), mute_logger(INGEST):
            self.receive(self.handheld.event(), self.handheld.event())
        self.assertEqual((self._rows().created, self._rows().retry), (0, 2))

    def _rests(self):
        """How long the job that responds to cases rested after each."""
        job, rests = self.env["warehouse.exception.case"]._cron_respond, []
        with (
            patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1),
            patch(f"{MODELS}.case.respond.time.sleep", rests.append),
        ):
            job()
        return rests

    def test_responses_leave_time_to_devices_that_deliver_a_lot_right_now(self):
        with patch(f"{MODELS}.event.traffic.HEAVY", 3):
            self.receive(self.handheld.event(), self.handheld.event())
            self.assertEqual(self._rests(), [0, 0])
            self.receive(self.handheld.event())
            [rest] = self._rests()
            self.assertTrue(0 < rest <= LONGEST_REST)
            self.receive(self.handheld.event())
            for row in self._rows():
                unsealed(row).write({"at": row.at - timedelta(seconds=5)})
            self.assertEqual(self._rests(), [0])
