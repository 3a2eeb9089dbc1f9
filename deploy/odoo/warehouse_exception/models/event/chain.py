"""Where an event stands in its device's chain.

Events come in any order and by several requests at once. What is found is therefore noted on the events it is about
and nowhere else: a row of the device, which every request of it would write, would make them fail to serialize. Two
neighbours that arrive at the very same time don't see each other; the hourly check does.
"""

import logging

from odoo import api, fields, models
from odoo.tools import SQL

from ...lib.chain import FIRST, NOTHING_BEFORE, Place, number_before
from ..base.seal import unsealed

_logger = logging.getLogger(__name__)

# More than this many events in one place are not looked at one by one: the first few say enough.
MAX_IN_ONE_PLACE = 20
AUDITED_AT_ONCE = 10_000
SETTLED_AT_ONCE = 10_000
# Requests that were running when the last check ended may have been committed after it.
AUDIT_OVERLAP = {"hours": 1}
# The parameter with the time at which the last check began that went through to its end.
AUDITED_UNTIL = "warehouse_exception.chains_audited_until"


class WarehouseExceptionEvent(models.Model):
    _inherit = "warehouse.exception.event"

    chain = fields.Selection(
        [
            ("first", "First of its device"),
            ("linked", "Follows the event before it"),
            ("gap", "The event before it is not here"),
            ("broken", "Does not follow the event before it"),
            ("fork", "Shares its place with another event"),
        ],
        compute="_compute_chain",
    )
    gap_open = fields.Boolean(
        "Gap before it",
        readonly=True,
        help="The event before this one was not here when it came. Cleared by the hourly check when it is.",
    )
    chain_fault_at = fields.Datetime(
        "Chain fault found", readonly=True, help="When it was found to contradict its device's chain."
    )

    # By event, and not one moment for the device: a review covers what it was shown, and nothing that was hidden behind
    # a limit or was committed after it.
    chain_fault_reviewed_at = fields.Datetime("Chain fault reviewed", readonly=True)
    gap_reviewed_at = fields.Datetime("Gap before it reviewed", readonly=True)

    number = fields.Char(compute="_compute_number", help="The sequence as people write a number.")

    _prevhash_index = models.Index("USING hash (prevhash)")
    _gap_index = models.Index("(device_id, received_at) WHERE gap_open")
    _fault_index = models.Index("(device_id, chain_fault_at) WHERE chain_fault_at IS NOT NULL")
    _gap_review_index = models.Index("(device_id, received_at) WHERE gap_open AND gap_reviewed_at IS NULL")
    _fault_review_index = models.Index(
        "(device_id, chain_fault_at) WHERE chain_fault_at IS NOT NULL AND chain_fault_reviewed_at IS NULL"
    )

    @api.depends("sequence")
    def _compute_number(self):
        for event in self:
            event.number = event.sequence.lstrip("0")

    # Not stored, for the event before this one may arrive after it.
    @api.depends("device_id", "sequence", "prevhash", "digest")
    def _compute_chain(self):
        verdicts = {place.id: place.verdict for place in self._places(self.ids)}
        for event in self:
            event.chain = verdicts.get(event.id, False)

    @api.model
    def _places(self, ids):
        """A Place for each of the events `ids`, by look-ups in indexes only."""
        if not ids:
            return []
        self.flush_model(["device_id", "sequence", "prevhash", "digest"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.id, e.device_id, e.sequence = %(first)s, e.prevhash = %(nothing)s,
                       EXISTS (SELECT 1 FROM warehouse_exception_event b
                                WHERE b.device_id = e.device_id AND b.sequence = e.before),
                       EXISTS (SELECT 1 FROM warehouse_exception_event b
                                WHERE b.device_id = e.device_id AND b.sequence = e.before AND b.digest = e.prevhash),
                       EXISTS (SELECT 1 FROM warehouse_exception_event o
                                WHERE o.device_id = e.device_id AND o.sequence = e.sequence AND o.id != e.id)
                       OR EXISTS (SELECT 1 FROM warehouse_exception_event o
                                WHERE o.prevhash = e.prevhash AND o.device_id = e.device_id AND o.id != e.id)
                  FROM (SELECT *, lpad((sequence::numeric - 1)::text, 20, '0') AS before
                          FROM warehouse_exception_event WHERE id = ANY(%(ids)s)) e
                 ORDER BY e.sequence, e.id
                """,
                first=FIRST,
                nothing=NOTHING_BEFORE,
                ids=list(ids),
            )
        )
        return [Place(*row) for row in rows]

    def _join_chain(self):
        """Note what these events of one device, which have just been stored, show about its chain. A whole chain costs
        two queries, however many they are.
        """
        places = self._places(self._same_place())
        came = {event.sequence: event.id for event in self.sorted("id", reverse=True)}
        own = {place.id: place for place in places if place.id in self._ids}
        # What is behind it in the same request came later, too.
        gaps = self.filtered(
            lambda event: not own[event.id].is_first
            and (not own[event.id].has_before or came.get(number_before(event.sequence), 0) > event.id)
        )
        if gaps:
            unsealed(gaps).write({"gap_open": True})
        self._note_faults(places)

    def _same_place(self):
        """These events, those with their numbers or predecessors, and those behind, which they may have put in doubt."""
        self.flush_model(["device_id", "sequence", "prevhash"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT unnest(%(ids)s)
                 UNION
                SELECT near.id
                  FROM warehouse_exception_event own,
                       LATERAL ((SELECT id FROM warehouse_exception_event
                                  WHERE device_id = own.device_id
                                    AND sequence IN (own.sequence, lpad((own.sequence::numeric + 1)::text, 20, '0'))
                                  ORDER BY id LIMIT %(limit)s)
                                UNION
                                (SELECT id FROM warehouse_exception_event
                                  WHERE prevhash = own.prevhash AND device_id = own.device_id LIMIT %(limit)s)) near
                 WHERE own.id = ANY(%(ids)s)
                """,
                ids=self.ids,
                limit=MAX_IN_ONE_PLACE,
            )
        )
        return [event_id for (event_id,) in rows]

    @api.model
    def _note_faults(self, places):
        """Mark events that contradict their chain, once, and tell the device's followers of the first one."""
        faulty = self.browse(place.id for place in places if place.is_faulty)
        fresh = faulty.filtered(lambda event: not event.chain_fault_at)
        for device in fresh.device_id:
            known = device._has_chain_fault()
            unsealed(fresh.filtered(lambda event, of=device: event.device_id == of)).write(
                {"chain_fault_at": fields.Datetime.now()}
            )
            if not known:
                device._tell_chain_fault()

    # --- The hourly check -------------------------------------------------------------------------------------------

    @api.model
    def _cron_check_chains(self):
        """Close the gaps that were filled, and look again at what came since the last check that went well.

        Odoo's own `lastcall` also moves when a run failed, and what came before two of those would never be judged.
        """
        began = fields.Datetime.now()
        last = self._audited_until()
        self._settle_gaps()
        self._audit(last and fields.Datetime.subtract(last, **AUDIT_OVERLAP))
        self.env["ir.config_parameter"].sudo().set_param(AUDITED_UNTIL, fields.Datetime.to_string(began))

    @api.model
    def _audited_until(self):
        """None: never, or somebody's edit can't be read. Then everything is judged again, which harms nothing."""
        try:
            return fields.Datetime.to_datetime(self.env["ir.config_parameter"].sudo().get_param(AUDITED_UNTIL)) or None
        except ValueError:
            _logger.warning("The parameter %s is not a time: all chains are checked again.", AUDITED_UNTIL)
            return None

    @api.model
    def _settle_gaps(self):
        self.flush_model(["device_id", "sequence", "gap_open"])
        while True:
            rows = self.env.execute_query(
                SQL(
                    """
                    UPDATE warehouse_exception_event SET gap_open = FALSE
                     WHERE id IN (SELECT e.id FROM warehouse_exception_event e
                                   WHERE e.gap_open AND EXISTS (
                                       SELECT 1 FROM warehouse_exception_event b
                                        WHERE b.device_id = e.device_id
                                          AND b.sequence = lpad((e.sequence::numeric - 1)::text, 20, '0'))
                                   LIMIT %s)
                    RETURNING id
                    """,
                    SETTLED_AT_ONCE,
                )
            )
            self.invalidate_model(["gap_open"])
            self.env["ir.cron"]._commit_progress(len(rows))
            if len(rows) < SETTLED_AT_ONCE:
                return

    @api.model
    def _audit(self, since):
        """Judge each event that was received at `since` or later (all, if None) with its neighbours in sight."""
        domain = [("received_at", ">=", since)] if since else []
        last = 0
        while ids := self.search([("id", ">", last), *domain], order="id", limit=AUDITED_AT_ONCE).ids:
            last = ids[-1]
            places = self._places(ids)
            gaps = self.browse(place.id for place in places if not place.has_before and not place.is_first)
            self._open_gaps(gaps.ids)
            self._note_faults(places)
            self.env["ir.cron"]._commit_progress(len(ids))
            self.env.invalidate_all()

    @api.model
    def _open_gaps(self, ids):
        if ids:
            unopened = self.search([("id", "in", ids), ("gap_open", "=", False)])
            unsealed(unopened).write({"gap_open": True})
