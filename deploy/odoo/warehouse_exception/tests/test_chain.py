import hashlib
import html
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.device import chain as device_chain
from ..models.event import chain as event_chain
from ..models.event import incident
from ..models.base.seal import unsealed
from .common import ZEROS, ExceptionCommon, Handheld


@tagged("post_install", "-at_install")
class TestChain(ExceptionCommon):
    """What a device's page says about the order of its reports."""

    def setUp(self):
        super().setUp()
        self.handheld = Handheld("handheld")  # the same key, at the beginning of its chain
        self.events = self.env["warehouse.exception.event"]
        self.told_before = self.device.message_ids

    def _state(self, device=None):
        device = device or self.device
        device.invalidate_recordset(["chain_state", "chain_report"])
        found = self.env["warehouse.exception.device"].search([("chain_state", "=", device.chain_state)])
        self.assertIn(device, found, "the search says the same as the field")
        return device.chain_state

    def _report(self):
        self.device.invalidate_recordset(["chain_report"])
        return html.unescape(" ".join(str(self.device.chain_report).split()))

    def _told(self):
        return self.device.message_ids - self.told_before

    def _let_a_day_pass(self):
        """As if all that is here had come the day before."""
        for event in self.events.search([("device_id", "=", self.device.id)]):
            unsealed(event).write({"received_at": event.received_at - device_chain.GRACE})

    def _made(self, count, handheld=None):
        return [(handheld or self.handheld).event() for _number in range(count)]

    @contextmanager
    def _cron(self):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1):
            yield

    def _check(self, audited_until=None, **context):
        if audited_until:
            self._set_audited_until(fields.Datetime.to_string(audited_until))
        with self._cron():
            self.events.with_context(**context)._cron_check_chains()

    def _set_audited_until(self, text):
        self.env["ir.config_parameter"].set_param(event_chain.AUDITED_UNTIL, text)

    def _stored(self, jws):
        return self.events.search([("jws", "=", jws)])

    # --- whole and gaps

    def test_a_device_that_never_reported_has_a_whole_chain(self):
        self.assertEqual(self._state(), "whole")
        self.assertIn("has not reported yet", self._report())

    def test_reports_in_order_are_a_whole_chain(self):
        self.receive(*self._made(3))
        self.assertEqual(self._state(), "whole")
        self.assertIn("Every report up to number 3 is here", self._report())
        self.assertFalse(self.events.search([("device_id", "=", self.device.id), ("gap_open", "=", True)]))
        self.assertFalse(self._told())

    def test_a_report_that_overtook_others_is_no_alarm_for_a_day(self):
        made = self._made(4)
        self.receive(made[0], made[3])
        self.assertEqual(self._state(), "waiting")
        self.assertIn("2 reports (2 to 3) have not arrived yet: a later one overtook them.", self._report())
        self._let_a_day_pass()
        self.assertEqual(self._state(), "gap")
        self.assertIn("2 reports (2 to 3) have not arrived; the device still holds them or lost them.", self._report())
        self.assertIn("Report 4", self._report())

    def test_a_gap_closes_by_itself_when_the_missing_reports_come(self):
        made = self._made(5)
        self.receive(made[0], made[4])
        self._let_a_day_pass()
        self.receive(made[2])
        self.assertEqual(self._state(), "gap")
        for words in ("Report 2 has not arrived yet", "Report 4 has not arrived;"):
            self.assertIn(words, self._report())
        self.receive(made[1], made[3])
        self.assertEqual(self._state(), "whole")
        self.assertEqual(self._stored(made[4]).chain, "linked")
        self.assertFalse(self._told())

    def test_the_hourly_check_forgets_gaps_that_were_filled_and_keeps_those_that_are_open(self):
        made = self._made(6)
        self.receive(made[0], made[2], made[5], made[1])
        self.assertEqual([self._stored(made[number]).gap_open for number in (2, 5)], [True, True])
        self._check()
        self.assertEqual([self._stored(made[number]).gap_open for number in (2, 5)], [False, True])

    def test_a_chain_whose_first_report_here_is_not_number_1_begins_with_a_gap(self):
        self.handheld.sequence, self.handheld.prevhash = 41, "a" * 64
        self.receive(*self._made(2))
        self.assertEqual(self._state(), "waiting")
        self.assertIn("41 reports (1 to 41) have not arrived yet", self._report())

    def test_two_devices_do_not_fill_each_others_gaps(self):
        other = Handheld("other")
        device = self.enrolled(other)
        self.ingest._receive(device, self._made(3, other))
        made = self._made(3)
        self.receive(made[0], made[2])
        self.assertEqual((self._state(), self._state(device)), ("waiting", "whole"))

    def test_a_new_key_goes_on_with_the_devices_chain(self):
        self.receive(*self._made(2))
        successor = Handheld("the next key")
        self.env["warehouse.exception.device.key"].create(
            {"device_id": self.device.id, "kid": successor.kid, "x": successor.x}
        )
        successor.uuid, successor.sequence, successor.prevhash = self.handheld.uuid, 2, self.handheld.prevhash
        self.receive(*self._made(2, successor))
        self.assertEqual(self._state(), "whole")

    def test_a_number_near_the_end_of_all_numbers_costs_nothing(self):
        self.handheld.sequence, self.handheld.prevhash = 10**20 - 2, "a" * 64
        [monster] = self._made(1)
        self.receive(monster)
        self.handheld.sequence, self.handheld.prevhash = 0, ZEROS
        self.receive(*self._made(3))
        self.assertEqual(self._state(), "waiting")
        self.assertIn(f"({4} to {10**20 - 2})", self._report())

    # --- gaps that are explained

    def test_a_gap_whose_report_was_refused_here_is_explained_by_the_incident(self):
        first, refused, third = self.handheld.event(), self.handheld.event(counted="x"), self.handheld.event()
        results = self.receive(first, refused, third)
        self.assertEqual([result["status"] for result in results], ["created", "rejected", "created"])
        self._let_a_day_pass()
        self.assertEqual(self._state(), "whole")
        report = self._report()
        self.assertIn("Report 2 came and was refused here. Nothing is missing.", report)
        self.assertIn(f"/odoo/exception-incidents/{self.device.incident_ids.id}", report)

    def test_several_refused_reports_in_a_row_are_followed_back(self):
        made = [self.handheld.event(), *(self.handheld.event(counted="x") for _n in range(3)), self.handheld.event()]
        self.receive(*made)
        self._let_a_day_pass()
        self.assertEqual(self._state(), "whole")
        self.assertIn("Reports 2 to 4 came and were refused here.", self._report())

    def test_a_long_run_of_refused_reports_is_followed_to_its_end(self):
        made = [self.handheld.event(), *(self.handheld.event(counted="x") for _n in range(60)), self.handheld.event()]
        self.receive(*made)
        self._let_a_day_pass()
        self.assertEqual(self._state(), "whole")
        self.assertIn("Reports 2 to 61 came and were refused here.", self._report())
        self.assertEqual(self._report().count("/odoo/exception-incidents/"), device_chain.MAX_LINKED)
        self.assertIn(", and 40 more", self._report())

    def test_of_a_gap_that_was_not_followed_to_its_end_nobody_claims_that_it_has_not_arrived(self):
        made = [self.handheld.event(), *(self.handheld.event(counted="x") for _n in range(4)), self.handheld.event()]
        self.receive(*made)
        self._let_a_day_pass()
        with patch.object(device_chain, "MAX_EXPLAINED", 3):
            self.assertEqual(self._state(), "gap")
            report = self._report()
        self.assertIn("4 reports (2 to 5) are not here. The last 3 of them came and could not be accepted;", report)
        self.assertNotIn("have not arrived", report)

    def test_a_conflict_is_seen_however_much_else_was_refused(self):
        with mute_logger("odoo.addons.warehouse_exception.models.event.incident"):
            self.receive(*(f"junk {number}" for number in range(incident.MAX_UNREVIEWED + 1)))
        same = "0193570e-7c2a-7b3c-9d4e-5f60718293a4"
        self.receive(self.handheld.event(event_id=same), self.handheld.event(event_id=same, counted="6"))
        self.assertEqual(self._state(), "broken")
        self.assertIn("came again with other contents", self._report())

    def test_a_gap_of_which_only_the_end_was_refused_stays_a_gap(self):
        first, _lost = self._made(2)
        refused, fourth = self.handheld.event(counted="x"), self.handheld.event()
        self.receive(first, refused, fourth)
        self._let_a_day_pass()
        self.assertEqual(self._state(), "gap")
        self.assertIn("2 reports (2 to 3) have not arrived;", self._report())
        self.assertIn("The last 1 of them came and could not be accepted here.", self._report())

    def test_a_report_that_waits_on_the_device_explains_its_gap(self):
        first, later, third = self.handheld.event(), self.handheld.event("spill"), self.handheld.event()
        self.receive(first, later, third)
        self.assertEqual(self._state(), "whole")
        self.assertIn("Report 2 came and can't be accepted yet: the device keeps it.", self._report())

    # --- contradictions

    def test_two_reports_with_one_number_are_a_fork(self):
        self.receive(*self._made(2))
        before = self.handheld.prevhash
        mine = self.handheld.event()
        self.handheld.sequence, self.handheld.prevhash = 2, before
        theirs = self.handheld.event()
        self.receive(mine)
        self.assertEqual(self._state(), "whole")
        self.receive(theirs)
        self.assertEqual(self._state(), "broken")
        self.assertIn("Number 3 was given to more than one report.", self._report())
        for jws in (mine, theirs):
            self.assertEqual(self._stored(jws).chain, "fork")
            self.assertIn(self._stored(jws).case_id.name, self._report())

    def test_two_reports_that_follow_the_same_one_are_a_fork(self):
        self.receive(*self._made(2))
        before = self.handheld.prevhash
        self.receive(*self._made(1))
        self.handheld.sequence, self.handheld.prevhash = 8, before
        self.receive(*self._made(1))
        self.assertEqual(self._state(), "broken")
        self.assertIn("names the same report before it as another one does", self._report())

    def test_a_report_that_does_not_follow_the_one_before_it_is_a_broken_link(self):
        self.receive(*self._made(2))
        self.handheld.prevhash = "b" * 64
        [third] = self._made(1)
        self.receive(third)
        self.assertEqual(self._state(), "broken")
        self.assertIn("Report 3 does not follow report 2, though both are here.", self._report())
        self.assertEqual(self._stored(third).chain, "broken")

    def test_a_broken_link_is_found_when_the_earlier_report_comes_later(self):
        first = self.handheld.event()
        second = self.handheld.event()
        self.handheld.prevhash = "b" * 64
        third = self.handheld.event()
        self.receive(first, third)
        self.assertEqual(self._state(), "waiting")
        self.receive(second)
        self.assertEqual(self._state(), "broken")
        self.assertTrue(self._stored(third).chain_fault_at)
        self.assertFalse(self._stored(second).chain_fault_at)

    def test_a_later_report_that_claims_to_be_the_first_is_seen(self):
        self.handheld.sequence = 6
        self.receive(*self._made(1))
        self.assertEqual(self._state(), "broken")
        self.assertIn("Report 7 says that it is the device's first.", self._report())

    def test_a_conflict_is_shown_until_its_incident_is_reviewed(self):
        same = "0193570e-7c2a-7b3c-9d4e-5f60718293a4"
        self.receive(self.handheld.event(event_id=same), self.handheld.event(event_id=same, counted="6"))
        self.assertEqual(self._state(), "broken")
        self.assertIn("came again with other contents", self._report())
        self.device.incident_ids.action_review()
        self.assertEqual(self._state(), "whole")

    def test_followers_are_told_once_however_many_reports_contradict_the_chain(self):
        self.receive(*self._made(3))
        clone = Handheld("handheld")
        clone.uuid = self.handheld.uuid
        self.receive(*self._made(1, clone))
        self.receive(*self._made(2, clone))
        self.assertEqual(len(self._told()), 1)
        self.assertIn("Number 1 was given to more than one report.", self._told().body)
        self.assertEqual(
            len(self.events.search([("device_id", "=", self.device.id), ("chain_fault_at", "!=", False)])), 6
        )

    def test_neighbours_that_did_not_see_each_other_are_judged_by_the_hourly_check(self):
        first = self.handheld.event()
        self.handheld.prevhash = "b" * 64
        second = self.handheld.event()
        # As two requests at the same time: neither finds the other's report.
        with patch.object(self.env.registry["warehouse.exception.event"], "_join_chain", lambda event: None):
            self.receive(first, second)
        self.assertFalse(self._stored(second).chain_fault_at)
        self._check(audited_until=fields.Datetime.now() + timedelta(hours=2))
        self.assertFalse(self._stored(second).chain_fault_at, "what came long before the last check was judged then")
        self._check(audited_until=fields.Datetime.now())
        self.assertEqual(self._state(), "broken")
        self.assertEqual(len(self._told()), 1)
        self._check()
        self.assertEqual(len(self._told()), 1)

    def test_what_came_before_checks_that_failed_is_judged_by_the_next_good_one(self):
        self._check()
        last_good = fields.Datetime.now() - timedelta(hours=5)
        self._set_audited_until(fields.Datetime.to_string(last_good))
        first = self.handheld.event()
        self.handheld.prevhash = "b" * 64
        with patch.object(self.env.registry["warehouse.exception.event"], "_join_chain", lambda event: None):
            self.receive(first, self.handheld.event())
        for event in self.events.search([("device_id", "=", self.device.id)]):
            unsealed(event).write({"received_at": last_good + timedelta(minutes=30)})

        def fail(_events, _places):
            raise ZeroDivisionError

        for _run in range(2):
            with (
                patch.object(self.env.registry["warehouse.exception.event"], "_note_faults", fail),
                self.assertRaises(ZeroDivisionError),
            ):
                self._check(lastcall=fields.Datetime.now())
        self._check(lastcall=fields.Datetime.now())
        self.assertEqual(self._state(), "broken")
        self.assertGreater(self.events._audited_until(), last_good + timedelta(hours=4))

    def test_a_mark_of_the_last_check_that_cannot_be_read_lets_everything_be_judged(self):
        self._set_audited_until("yesterday")
        made = self._made(3)
        with patch.object(self.env.registry["warehouse.exception.event"], "_join_chain", lambda event: None):
            self.receive(made[0], made[2])
        with mute_logger("odoo.addons.warehouse_exception.models.event.chain"):
            self._check()
        self.assertEqual(self._state(), "waiting")

    def test_the_first_check_judges_what_was_received_before_there_was_one(self):
        made = self._made(3)
        with patch.object(self.env.registry["warehouse.exception.event"], "_join_chain", lambda event: None):
            self.receive(made[0], made[2])
        self.assertEqual(self._state(), "whole")
        with patch.object(event_chain, "AUDITED_AT_ONCE", 1):
            self._check()
        self.assertEqual(self._state(), "waiting")

    # --- people

    def test_a_reviewed_chain_is_no_alarm_until_something_new_is_found(self):
        made = self._made(3)
        self.receive(made[0], made[2])
        self._let_a_day_pass()
        self.handheld.prevhash = "b" * 64
        self.receive(*self._made(1))
        self.assertEqual(self._state(), "broken")
        manager = self.user("chief", "warehouse_exception.group_manager")
        self.device.with_user(manager).action_review_chain()
        self.assertEqual(self._state(), "whole")
        self.assertEqual(self.device.chain_reviewed_by_id, manager)
        self.assertIn("was reviewed by chief", self._report())
        self.assertNotIn("Every report", self._report())
        self.assertIn("Nothing was found since the last review.", self._report())
        # As if all of that had been yesterday.
        self._let_a_day_pass()
        self.handheld.prevhash = "c" * 64
        self.receive(*self._made(1))
        self.assertEqual(self._state(), "broken")
        self.assertEqual(len(self._told().filtered(lambda message: "contradict" in message.body)), 2)

    def _make_faults(self, count):
        for _fault in range(count):
            self.handheld.prevhash = hashlib.sha256(str(self.handheld.sequence).encode()).hexdigest()
            self.receive(*self._made(1))

    def _unreviewed(self):
        return self.events.search(self.device._chain_fault_domain())

    def test_a_review_covers_the_contradictions_that_were_listed_and_no_more(self):
        self.receive(*self._made(1))
        self._make_faults(5)
        with patch.object(device_chain, "MAX_SHOWN", 2):
            for left, state in ((3, "broken"), (1, "broken"), (0, "whole")):
                self.device.action_review_chain()
                self.assertEqual((len(self._unreviewed()), self._state()), (left, state))

    def test_a_review_covers_the_gaps_that_were_listed_and_no_more(self):
        self.handheld.sequence, self.handheld.prevhash = 10, "a" * 64
        for _gap in range(3):
            self.receive(*self._made(2)[1:])
        self._let_a_day_pass()
        with patch.object(device_chain, "MAX_SHOWN", 2):
            self.device.action_review_chain()
            self.assertEqual(self._state(), "gap")
            self.assertIn("Report 15 has not arrived;", self._report())
            self.assertNotIn("Report 13 has not arrived", self._report())
            self.device.action_review_chain()
            self.assertEqual(self._state(), "whole")

    def test_a_review_of_a_gap_that_a_fork_names_twice_covers_it_once_for_all(self):
        self.receive(*self._made(1))
        for counted in ("5", "6"):
            self.handheld.sequence, self.handheld.prevhash = 2, "a" * 64
            self.receive(self.handheld.event(counted=counted))
        self._let_a_day_pass()
        self.device.action_review_chain()
        self.assertEqual(self._state(), "whole")

    def test_a_contradiction_that_is_committed_after_a_review_with_an_earlier_time_is_an_alarm(self):
        self.receive(*self._made(1))
        self._make_faults(1)
        self.device.action_review_chain()
        self.assertEqual(self._state(), "whole")
        self._make_faults(1)
        unsealed(self._unreviewed()).write({"chain_fault_at": fields.Datetime.now() - timedelta(hours=1)})
        self.assertEqual(self._state(), "broken")

    def test_what_was_found_after_the_page_was_shown_is_not_reviewed_by_its_button(self):
        made = self._made(3)
        self.receive(made[0], made[2])
        self._make_faults(1)
        self._let_a_day_pass()
        self.device.invalidate_recordset(["chain_shown"])
        shown = self.device.chain_shown
        self._make_faults(1)
        self.device.with_context(chain_shown=shown).action_review_chain()
        self.assertEqual(self._unreviewed().mapped("number"), ["5"])
        self.assertEqual(self._state(), "broken")
        self.device.with_context(chain_shown="").action_review_chain()
        self.assertEqual(self._state(), "broken")
        self.assertNotIn("has not arrived", self._report())

    def test_a_gap_that_was_young_at_the_review_becomes_an_alarm_all_the_same(self):
        made = self._made(3)
        self.receive(made[0], made[2])
        self.device.action_review_chain()
        self.assertEqual(self._state(), "waiting")

    def test_a_worker_reads_the_chain_and_cannot_review_or_edit_it(self):
        self.handheld.sequence = 3
        self.receive(*self._made(1))
        worker = self.user("worker", "warehouse_exception.group_user")
        manager = self.user("chief", "warehouse_exception.group_manager")
        device = self.device.with_user(worker)
        self.assertEqual(device.chain_state, "broken")
        self.assertIn("Report 4", str(device.chain_report))
        with self.assertRaises(AccessError):
            device.action_review_chain()
        for user in (worker, manager):
            with self.assertRaises(AccessError):
                self.device.with_user(user).write({"chain_reviewed_at": fields.Datetime.now()})
            with self.assertRaises(AccessError):
                self.device.with_user(user).case_ids.event_ids.write({"gap_open": False})

    def test_more_than_can_be_shown_is_said(self):
        self.handheld.sequence, self.handheld.prevhash = 10, "a" * 64
        for _gap in range(3):
            self.receive(*self._made(2)[1:])
        with patch.object(device_chain, "MAX_SHOWN", 2):
            self.assertIn("Only the first 2 of each kind are listed", self._report())
            self.assertEqual(self._state(), "gap")
        self.assertEqual(self._state(), "waiting")
