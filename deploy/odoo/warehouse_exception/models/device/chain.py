"""What a device's chain of events looks like from here, for a person: computed when it is read, never stored.

The search goes through events that were marked as they came (`../event/chain.py`), and each of them costs a few look-ups
in an index. So it doesn't matter how many events a device has, and a gap closes by itself when its events arrive.
"""

from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from odoo import fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ...lib.chain import NOTHING_BEFORE
from ..base.seal import unsealed

# A device sends a report again for hours, if the network wants it so. Only after this is a gap an alarm.
GRACE = timedelta(days=1)
MAX_SHOWN = 100
# How far back a gap is followed through reports that were refused here, by one query.
MAX_EXPLAINED = 1000
# So many of them have a link in the report.
MAX_LINKED = 20

CHAIN_STATES = [("whole", "Whole"), ("waiting", "Waiting"), ("gap", "Gap"), ("broken", "Broken")]


class Gap(NamedTuple):
    """Numbers `first` to `last` are not here; `refused` are incidents that tell what became of the last of them.

    `behind` are the events that follow the gap, the one that was received first in front: several in case of a fork.
    """

    first: int
    last: int
    behind: models.Model
    refused: models.Model

    @property
    def next(self):
        return self.behind[:1]

    @property
    def count(self):
        return self.last - self.first + 1

    @property
    def is_explained(self):
        return len(self.refused) == self.count

    @property
    def is_cut_short(self):
        """Whether it was not followed to its end, so that nobody knows whether the rest arrived and was refused."""
        return len(self.refused) == MAX_EXPLAINED < self.count

    @property
    def linked(self):
        return self.refused[:MAX_LINKED]

    def is_late(self, now):
        return self.next.received_at + GRACE <= now


class Findings(NamedTuple):
    """What nobody has reviewed yet. `marked` are the events that were judged: `faults`, and those that settled."""

    gaps: list
    marked: models.Model
    faults: models.Model
    verdicts: dict
    conflicts: models.Model
    are_all: bool

    def state(self, now):
        if self.faults or self.conflicts:
            return "broken"
        unexplained = [gap for gap in self.gaps if not gap.is_explained]
        if any(gap.is_late(now) for gap in unexplained) or not self.are_all:
            return "gap"
        return "waiting" if unexplained else "whole"

    def to_review(self, now):
        """(events with a fault, events behind a gap) that a review covers. A gap that is young may become an alarm."""
        behind = self.marked.browse().union(*(gap.behind for gap in self.gaps if gap.is_late(now)))
        return self.marked, behind


class WarehouseExceptionDevice(models.Model):
    _inherit = "warehouse.exception.device"

    chain_state = fields.Selection(
        CHAIN_STATES,
        "Chain",
        compute="_compute_chain_state",
        search="_search_chain_state",
        help="Whole: every report up to the latest is here. Waiting: a later report overtook an earlier one less than "
        "a day ago. Gap: a report is missing for longer. Broken: two reports contradict each other.",
    )
    chain_report = fields.Html(compute="_compute_chain_report", sanitize=False)
    chain_shown = fields.Char(
        compute="_compute_chain_report",
        help="Names what the report lists, so that the button below it reviews that and nothing that was found since.",
    )
    chain_reviewed_at = fields.Datetime("Last review", readonly=True, copy=False)
    chain_reviewed_by_id = fields.Many2one("res.users", "Chain reviewed by", readonly=True, copy=False)

    def _compute_chain_state(self):
        now = fields.Datetime.now()
        suspects = self._chain_suspects()
        for device in self:
            device.chain_state = device._chain_findings().state(now) if device in suspects else "whole"

    def _search_chain_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        # Every device has a chain, and one statement looks through all of them.
        suspects = self.sudo().search([])._chain_suspects()  # pylint: disable=no-search-all
        by_state = defaultdict(list)
        for device in suspects:
            by_state[device._chain_findings().state(now)].append(device.id)
        wanted = fields.Domain("id", "in", [device_id for state in value for device_id in by_state.get(state, ())])
        if "whole" in value:
            wanted |= ~fields.Domain("id", "in", suspects.ids)
        return wanted

    def _chain_suspects(self):
        """Those of these devices that have something to look at, by one query for all of them.

        The first two look-ups are ordered as their indexes are. A plain EXISTS would let the planner read the whole
        table, for it can't know that marked events are rare.
        """
        self._flush_chain()
        if not self.ids:
            return self.browse()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT d.id FROM warehouse_exception_device d
                 WHERE d.id = ANY(%(ids)s) AND (
                       (SELECT e.id FROM warehouse_exception_event e
                         WHERE e.device_id = d.id AND e.chain_fault_at IS NOT NULL
                           AND e.chain_fault_reviewed_at IS NULL
                         ORDER BY e.chain_fault_at LIMIT 1) IS NOT NULL
                    OR (SELECT e.id FROM warehouse_exception_event e
                         WHERE e.device_id = d.id AND e.gap_open AND e.gap_reviewed_at IS NULL
                         ORDER BY e.received_at LIMIT 1) IS NOT NULL
                    OR EXISTS (SELECT 1 FROM warehouse_exception_incident i
                                WHERE i.device_id = d.id AND i.status = 'conflict' AND i.reviewed_at IS NULL))
                """,
                ids=self.ids,
            )
        )
        return self.browse(device_id for (device_id,) in rows)

    def _flush_chain(self):
        self.env["warehouse.exception.event"].flush_model()
        self.env["warehouse.exception.incident"].flush_model()

    # --- What there is to see ---------------------------------------------------------------------------------------

    def _chain_findings(self):
        """All that nobody has reviewed yet, at most MAX_SHOWN of a kind."""
        self.ensure_one()
        gaps, gaps_are_all = self._open_gaps()
        faults = self.env["warehouse.exception.event"].search(
            self._chain_fault_domain(), order="chain_fault_at, sequence, id", limit=MAX_SHOWN + 1
        )
        conflicts = self.env["warehouse.exception.incident"].search(
            [("device_id", "=", self.id), ("status", "=", "conflict"), ("reviewed_at", "=", False)], limit=MAX_SHOWN
        )
        # Judged again: what was in doubt when it came may be settled by now.
        marked, are_all = faults[:MAX_SHOWN], gaps_are_all and len(faults) <= MAX_SHOWN
        verdicts = {place.id: place.verdict for place in marked._places(marked.ids) if place.is_faulty}
        return Findings(gaps, marked, marked.browse(verdicts), verdicts, conflicts, are_all)

    def _chain_fault_domain(self):
        return [
            ("device_id", "=", self.id),
            ("chain_fault_at", "!=", False),
            ("chain_fault_reviewed_at", "=", False),
        ]

    def _has_chain_fault(self):
        return bool(self.env["warehouse.exception.event"].search_count(self._chain_fault_domain(), limit=1))

    def _open_gaps(self):
        """([Gap], whether these are all), oldest first. A gap that was reviewed as an alarm is not in it."""
        self._flush_chain()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.id, e.sequence, lower.sequence
                  FROM warehouse_exception_event e
             LEFT JOIN LATERAL (SELECT b.sequence FROM warehouse_exception_event b
                                 WHERE b.device_id = e.device_id AND b.sequence < e.sequence
                                 ORDER BY b.sequence DESC LIMIT 1) lower ON TRUE
                 WHERE e.device_id = %(device)s AND e.gap_open AND e.gap_reviewed_at IS NULL
                   AND lower.sequence IS DISTINCT FROM lpad((e.sequence::numeric - 1)::text, 20, '0')
                 ORDER BY e.received_at, e.id LIMIT %(limit)s
                """,
                device=self.id,
                limit=MAX_SHOWN + 1,
            )
        )
        events = self.env["warehouse.exception.event"]
        behind = defaultdict(events.browse)
        for event_id, sequence, lower in rows[:MAX_SHOWN]:  # a fork behind a gap names it twice
            behind[int(lower or 0) + 1, int(sequence) - 1] |= events.browse(event_id)
        gaps = [
            Gap(first, last, followers, self._refused(followers[:1], last - first + 1))
            for (first, last), followers in behind.items()
        ]
        return gaps, len(rows) <= MAX_SHOWN

    def _refused(self, behind, count):
        """The incidents that the chain names before the event `behind`, from the last number of the gap backwards.

        No digest can come round to itself, so the walk has an end; `count` and MAX_EXPLAINED limit it all the same.
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH RECURSIVE walk(id, prevhash, depth) AS (
                    SELECT NULL::integer, %(prevhash)s::varchar, 0
                 UNION ALL
                    SELECT found.id, found.prevhash, walk.depth + 1
                      FROM walk
                CROSS JOIN LATERAL (SELECT i.id, i.prevhash FROM warehouse_exception_incident i
                                     WHERE i.device_id = %(device)s AND i.digest = walk.prevhash
                                     ORDER BY i.id DESC LIMIT 1) found
                     WHERE walk.depth < %(limit)s)
                SELECT id FROM walk WHERE depth > 0 ORDER BY depth
                """,
                device=self.id,
                prevhash=behind.prevhash,
                limit=min(count, MAX_EXPLAINED),
            )
        )
        return self.env["warehouse.exception.incident"].browse(incident_id for (incident_id,) in rows)

    # --- In words ---------------------------------------------------------------------------------------------------

    def _compute_chain_report(self):
        now = fields.Datetime.now()
        for device in self:
            findings = device._chain_findings()
            gaps = sorted(findings.gaps, key=lambda gap: gap.first)
            faults, behind = findings.to_review(now)
            device.chain_shown = " ".join(
                [*(f"fault-{event.id}" for event in faults), *(f"gap-{event.id}" for event in behind)]
            )
            device.chain_report = self.env["ir.qweb"]._render(
                "warehouse_exception.chain_report",
                {
                    "device": device,
                    "state": findings.state(now),
                    "latest": self.env["warehouse.exception.event"].search(
                        [("device_id", "=", device.id)], order="sequence desc, id desc", limit=1
                    ),
                    "number": lambda event: int(event.sequence),
                    "gaps": [(gap, device._gap_in_words(gap, gap.is_late(now)), gap.is_late(now)) for gap in gaps],
                    "faults": [(event, device._fault_in_words(event, findings.verdicts)) for event in findings.faults],
                    "conflicts": findings.conflicts,
                    "are_all": findings.are_all,
                    "limit": MAX_SHOWN,
                    "when": lambda moment: format_datetime(self.env, moment),
                },
            )

    def _gap_in_words(self, gap, late):
        if gap.is_explained:
            waits = "retry" in gap.refused.mapped("status")
            words = self._explained_in_words(gap, waits)
        elif gap.is_cut_short:
            return self.env._(
                "%(count)s reports (%(first)s to %(last)s) are not here. The last %(followed)s of them came and could "
                "not be accepted; it was not followed further back what became of the others.",
                count=gap.count,
                first=gap.first,
                last=gap.last,
                followed=len(gap.refused),
            )
        elif gap.count == 1:
            words = (
                self.env._("Report %s has not arrived; the device still holds it or lost it.", gap.first)
                if late
                else self.env._("Report %s has not arrived yet: a later one overtook it.", gap.first)
            )
        else:
            numbers = {"count": gap.count, "first": gap.first, "last": gap.last}
            words = (
                self.env._(
                    "%(count)s reports (%(first)s to %(last)s) have not arrived; the device still holds them or lost "
                    "them.",
                    **numbers,
                )
                if late
                else self.env._(
                    "%(count)s reports (%(first)s to %(last)s) have not arrived yet: a later one overtook them.",
                    **numbers,
                )
            )
        if gap.refused and not gap.is_explained:
            words += " " + self.env._("The last %s of them came and could not be accepted here.", len(gap.refused))
        return words

    def _explained_in_words(self, gap, waits):
        if gap.count == 1:
            return (
                self.env._("Report %s came and can't be accepted yet: the device keeps it.", gap.first)
                if waits
                else self.env._("Report %s came and was refused here. Nothing is missing.", gap.first)
            )
        numbers = {"first": gap.first, "last": gap.last}
        return (
            self.env._("Reports %(first)s to %(last)s came; the device keeps what can't be accepted yet.", **numbers)
            if waits
            else self.env._("Reports %(first)s to %(last)s came and were refused here. Nothing is missing.", **numbers)
        )

    def _fault_in_words(self, event, verdicts):
        number = int(event.sequence)
        if verdicts.get(event.id) == "fork":
            if self._others_like(event, "sequence"):
                return self.env._("Number %s was given to more than one report.", number)
            return self.env._("Report %s names the same report before it as another one does.", number)
        if number == 1:
            return self.env._("Report 1 names a report before it, and there can be none.")
        if event.prevhash == NOTHING_BEFORE:
            return self.env._("Report %s says that it is the device's first.", number)
        return self.env._(
            "Report %(number)s does not follow report %(before)s, though both are here.",
            number=number,
            before=number - 1,
        )

    def _others_like(self, event, field):
        return self.env["warehouse.exception.event"].search_count(
            [("device_id", "=", self.id), (field, "=", event[field]), ("id", "!=", event.id)], limit=1
        )

    def _tell_chain_fault(self):
        """Once, when the first fault since the last review is found."""
        event = self.env["warehouse.exception.event"].search(self._chain_fault_domain(), order="sequence, id", limit=1)
        verdicts = {place.id: place.verdict for place in event._places(event.ids)}
        self.message_post(
            body=self.env._(
                "This device's reports contradict each other. %s Nothing was lost or overwritten. Either two machines "
                "sign as this device (a copied disk, a restored backup) or its memory was damaged: see the page Chain.",
                self._fault_in_words(event, verdicts),
            ),
            subtype_xmlid="mail.mt_comment",
        )

    # --- What a person does -----------------------------------------------------------------------------------------

    def action_review_chain(self):
        """What is listed was looked at: it stays readable and is no alarm any more.

        The page says in the context what it listed; without that, it is what would be listed now.
        """
        self.check_access("write")
        now = fields.Datetime.now()
        shown = self.env.context.get("chain_shown")
        for device in self:
            findings = device._chain_findings()
            names = frozenset(shown.split()) if isinstance(shown, str) else None
            device._mark_reviewed(*findings.to_review(now), names, now)
            unsealed(device).write({"chain_reviewed_at": now, "chain_reviewed_by_id": self.env.uid})
            device.message_post(
                body=self.env._(
                    "The chain was reviewed; it was: %s.",
                    dict(self._fields["chain_state"]._description_selection(self.env))[findings.state(now)],
                )
            )

    def _mark_reviewed(self, faults, behind, shown, now):
        """Of these events, those that the page named in `shown`; all, if that is None."""
        for events, kind, field in (
            (faults, "fault", "chain_fault_reviewed_at"),
            (behind, "gap", "gap_reviewed_at"),
        ):
            covered = events.filtered(lambda event, kind=kind: shown is None or f"{kind}-{event.id}" in shown)
            unsealed(covered.sudo()).write({field: now})

    def action_open_chain_events(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.chain_event_action")
        return {**action, "domain": [("device_id", "in", self.ids)]}
