"""What a device is told of the cases that it reported to: `GET /cases` of `docs/protocol.md`.

A case is told again when it changed, or when another event of the device came to it. Both times are those of the
beginning of a transaction, so one that took long may commit something older than what was told already. That is why
each walk through the changes begins some minutes before the last one did: what a device gets twice says the same.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL

from ...lib import jose
from ...lib.strict_json import JsonError, loads_object
from ..case.states import FINISHED

PAGE = 100
MAX_EVENTS = 100
MAX_CURSOR = 200
OVERLAP = timedelta(minutes=10)
# Who asks for the first time gets what is not finished, and what changed so long ago.
FIRST_LOOK = timedelta(days=30)
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


class BadCursor(ValueError):
    """Made by somebody else, or by a version that is no more."""


class Cursor(NamedTuple):
    """A walk through the changes since `floor` that began at `began` and has come to (`at`, `last`); in microseconds.

    `every`: unfinished cases belong to it whenever they changed.
    """

    floor: int
    began: int
    at: int
    last: int
    every: bool

    @classmethod
    def start(cls, began):
        return cls(began - FIRST_LOOK // _MICROSECOND, began, 0, 0, True)

    @classmethod
    def parse(cls, text, now):
        """The place in a walk, or the beginning of the next one."""
        try:
            if len(text) > MAX_CURSOR:
                raise BadCursor
            values = loads_object(jose.b64decode(text))
            version, floor, began, at, last = (values[name] for name in ("v", "floor", "began", "at", "last"))
            numbers = (floor, began, at, last)
        except (jose.JoseError, JsonError, KeyError, ValueError) as error:
            raise BadCursor from error
        # `type` and not isinstance: true is an int for Python.
        if version != 1 or any(type(number) is not int or not 0 <= number < 2**53 for number in numbers):
            raise BadCursor
        if values.get("done"):
            return cls(floor, now, 0, 0, False)
        return cls(*numbers, bool(values.get("every")))

    def spell(self, done):
        floor = max(self.floor, self.began - OVERLAP // _MICROSECOND) if done else self.floor
        members = [f'"v":1,"floor":{floor},"began":{self.began},"at":{self.at},"last":{self.last}']
        members += ['"done":1'] if done else ['"every":1'] if self.every else []
        return jose.b64encode(("{" + ",".join(members) + "}").encode())


def _micros(moment):
    return (moment - _EPOCH) // _MICROSECOND


class WarehouseExceptionDevice(models.Model):
    _inherit = "warehouse.exception.device"

    def _cases_page(self, since=None):
        """One page of what changed, oldest first, and the cursor for the next call."""
        self.ensure_one()
        now = _micros(self.env.cr.now())
        cursor = Cursor.parse(since, now) if since else Cursor.start(now)
        rows = self._changed_cases(cursor)
        more, rows = len(rows) > PAGE, rows[:PAGE]
        if rows:
            cursor = cursor._replace(at=_micros(rows[-1][1]), last=rows[-1][0])
        return {"cases": self._told_cases(rows), "cursor": cursor.spell(done=not more), "more": more}

    def _changed_cases(self, cursor):
        """[(case, when it changed)], one more than a page has. Found by when they changed, not by going through all."""
        self.env.flush_all()
        unfinished = SQL(
            """UNION SELECT e.case_id FROM warehouse_exception_event e
                 JOIN warehouse_exception_case c ON c.id = e.case_id
                WHERE e.device_id = %s AND c.state NOT IN %s""",
            self.id,
            FINISHED,
        )
        floor = _EPOCH + cursor.floor * _MICROSECOND
        return self.env.execute_query(
            SQL(
                """
                WITH candidate AS (
                    SELECT id FROM warehouse_exception_case WHERE write_date >= %(floor)s
                     UNION
                    SELECT case_id FROM warehouse_exception_event
                     WHERE device_id = %(device)s AND received_at >= %(floor)s
                    %(unfinished)s),
                mine AS (
                    SELECT c.id, GREATEST(c.write_date, joined.at) AS changed
                      FROM candidate
                      JOIN warehouse_exception_case c ON c.id = candidate.id
                      JOIN LATERAL (SELECT max(e.received_at) AS at FROM warehouse_exception_event e
                                     WHERE e.case_id = c.id AND e.device_id = %(device)s) joined
                        ON joined.at IS NOT NULL)
                SELECT id, changed FROM mine
                 WHERE (changed, id) > (%(at)s, %(last)s)
                 ORDER BY changed, id LIMIT %(limit)s
                """,
                floor=floor,
                device=self.id,
                unfinished=unfinished if cursor.every else SQL(),
                at=_EPOCH + cursor.at * _MICROSECOND,
                last=cursor.last,
                limit=PAGE + 1,
            )
        )

    def _told_cases(self, rows):
        cases = self.env["warehouse.exception.case"].browse(case_id for case_id, _changed in rows)
        events, photos = defaultdict(list), defaultdict(list)
        for event in self.env["warehouse.exception.event"].search_fetch(
            [("device_id", "=", self.id), ("case_id", "in", cases.ids)], ["case_id", "event_id"], order="id desc"
        ):
            if len(events[event.case_id.id]) < MAX_EVENTS:
                events[event.case_id.id].append(event.event_id)
        for photo in self.env["warehouse.exception.evidence"].search_fetch(
            [
                ("device_id", "=", self.id),
                ("case_id", "in", cases.ids),
                ("complete", "=", False),
                ("removed_at", "=", False),
            ],
            ["case_id", "sha256"],
        ):
            photos[photo.case_id.id].append(photo.sha256)
        changed = dict(rows)
        return [
            {
                "case": case.name,
                "kind": case.exception_type,
                "state": case.state,
                "text": case._in_words_for_device(),
                "events": events[case.id],
                "instructions": case.instructions or [],
                "missing_evidence": sorted(set(photos[case.id])),
                "changed": changed[case.id]
                .replace(tzinfo=UTC)
                .isoformat(timespec="milliseconds")
                .replace("+00:00", "Z"),
            }
            for case in cases
        ]


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    _write_date_index = models.Index("(write_date)")

    def _in_words_for_device(self):
        """One line for whoever reported it."""
        label = dict(self._fields["state"]._description_selection(self.env))[self.state]
        if self.state == "needs_mapping":
            return self.env._("%(state)s. Not known here: %(what)s.", state=label, what=self.unresolved)
        if self.user_id and self.state not in FINISHED:
            return self.env._("%(state)s. %(who)s works on it.", state=label, who=self.user_id.name)
        return f"{label}."
