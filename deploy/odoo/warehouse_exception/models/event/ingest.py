import logging
from collections import Counter
from dataclasses import dataclass

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import ConcurrencyError

from ...lib import cloud_event, jose

_logger = logging.getLogger(__name__)

EVENT_TYP = "event+jws"
# What two requests may both try to be the first with.
RACES = ("warehouse_exception_event_event_unique", "warehouse_exception_case_merge_key_unique")


class Refused(Exception):
    """Why an event gets no case, in the words of the protocol."""

    def __init__(self, code, message, status="rejected", event_id=None):
        super().__init__(message)
        self.code, self.message, self.status, self.event_id = code, message, status, event_id


@dataclass
class Item:
    """One text of a request: `refused`, or the `event` that the device's own `key` signed."""

    text: str
    digest: str
    key: models.Model = None
    event: cloud_event.Event = None
    refused: Refused = None


class WarehouseExceptionIngest(models.AbstractModel):
    """From signed texts to cases and receipts: exactly one event of each, however often it comes."""

    _name = "warehouse.exception.ingest"
    _description = "Receives signed events"

    @api.model
    def _receive(self, device, texts):
        """A receipt for each JWS, in order. `device` has proved to be the sender."""
        items = self._verify_all(device, texts)
        here = self._already_here(device, items)
        new = self._store(device, items, here)
        verdicts = [(item, *self._verdict(item, here, new)) for item in items]
        self._keep_refused(device, verdicts)
        missing = self._missing_photos(here.values())
        receipts = [self._receipt(*verdict, missing) for verdict in verdicts]
        self.env["warehouse.exception.traffic"]._note(device, Counter(receipt["status"] for receipt in receipts))
        return receipts

    @api.model
    def _foresee(self, device, texts):
        """What `_receive` would find here already: a Counter of "new", "duplicate", "conflict" and "refused".

        By look-ups only; what is "new" may still be refused.
        """
        ids = {jose.digest(text): cloud_event.peek_id_of(text) for text in texts}
        readable = [event_id for event_id in ids.values() if event_id]
        here = self.env["warehouse.exception.event"].search_fetch(
            [("device_id", "=", device.id), ("event_id", "in", readable)], ["digest", "event_id"]
        )
        refused = self.env["warehouse.exception.incident"].search_fetch(
            [("device_id", "=", device.id), ("digest", "in", list(ids)), ("status", "=", "rejected")], ["digest"]
        )
        found = dict.fromkeys(refused.mapped("digest"), "refused")
        taken = set(here.mapped("event_id"))
        found |= {digest: "conflict" for digest, event_id in ids.items() if event_id in taken}
        found |= dict.fromkeys(here.mapped("digest"), "duplicate")
        return Counter(found.get(digest, "new") for digest in ids)

    # --- What is signed ----------------------------------------------------------------------------------------------

    @api.model
    def _verify_all(self, device, texts):
        keys = {}
        items = []
        for text in texts:
            item = Item(text, jose.digest(text))
            try:
                item.key, item.event = self._verify(device, text, keys)
            except Refused as refused:
                item.refused = refused
            items.append(item)
        return items

    @api.model
    def _verify(self, device, text, keys):
        """The event, if the device's own key signed it. Nothing is read of what isn't signed."""
        if len(text) > cloud_event.MAX_JWS_BYTES:
            raise Refused("bad_jws", f"longer than {cloud_event.MAX_JWS_BYTES} bytes")
        try:
            jws = jose.parse_with_kid(text, EVENT_TYP)
        except jose.JoseError as error:
            raise Refused("bad_jws", str(error)) from error
        key = self._key(jws.header["kid"], keys)
        if not key:
            raise Refused("unknown_kid", "no device has this key", event_id=cloud_event.peek_id(jws.payload))
        try:
            jose.verify(jws, key.x)
        except jose.JoseError as error:
            raise Refused("bad_signature", str(error), event_id=cloud_event.peek_id(jws.payload)) from error
        if key.device_id != device:
            why = "signed by another device than the request"
            raise Refused("wrong_device", why, event_id=cloud_event.peek_id(jws.payload))
        if key.state == "revoked":
            why = "signed by a key that was revoked"
            raise Refused("revoked_key", why, event_id=cloud_event.peek_id(jws.payload))
        return key, self._read(device, jws.payload)

    @api.model
    def _key(self, kid, keys):
        """One look-up for all events of a request that one key signed."""
        if kid not in keys:
            keys[kid] = self.env["warehouse.exception.device.key"].search([("kid", "=", kid)])
        return keys[kid]

    @api.model
    def _read(self, device, payload):
        try:
            event = cloud_event.read(payload)
        except cloud_event.BadEvent as error:
            raise Refused("bad_event", str(error), event_id=cloud_event.peek_id(payload)) from error
        except cloud_event.UnknownType as error:
            message = f"this server does not know {error} yet: its addon must be updated"
            raise Refused("unknown_type", message, "retry", cloud_event.peek_id(payload)) from error
        if event.device != device.uuid:
            raise Refused("wrong_device", "the source is another device than the request's", event_id=event.id)
        return event

    # --- What is here and what is new --------------------------------------------------------------------------------

    @api.model
    def _already_here(self, device, items):
        """The stored events with the ids that are told, by id."""
        told = [item.event.id for item in items if item.event]
        if not told:
            return {}
        stored = self.env["warehouse.exception.event"].search(
            [("device_id", "=", device.id), ("event_id", "in", told)]
        )
        return {event.event_id: event for event in stored}

    @api.model
    def _store(self, device, items, here):
        """Store what isn't here yet and add it to `here`; returns the items that were stored.

        All at once; if something fails, one by one, so that the one that it fails on holds up no other.
        """
        first = {}
        for item in items:
            if item.event and item.event.id not in here:
                first.setdefault(item.event.id, item)
        new = list(first.values())
        if new and self._store_together(device, new, here):
            return new
        stored = []
        for item in items if new else ():
            if item.event and item.event.id not in here and self._store_alone(device, item, here):
                stored.append(item)
        return stored

    @api.model
    def _store_together(self, device, items, here):
        try:
            here |= self._in_savepoint(device, items)
        except (OperationalError, ConcurrencyError):
            raise  # the whole request is tried again, or answered with "busy"
        except Exception:
            if len(items) > 1:
                _logger.warning("A batch of device %s could not be stored: one by one.", device.uuid, exc_info=True)
            return False
        return True

    @api.model
    def _store_alone(self, device, item, here):
        try:
            here |= self._in_savepoint(device, [item])
        except (OperationalError, ConcurrencyError):
            raise
        except Exception:
            # Some other addon's rule, or a bug: the savepoint undid this event, and the ones behind it must not wait
            # for it. The device keeps it and sends it again.
            _logger.exception("Event %s of device %s could not be stored.", item.event.id, device.uuid)
            message = self.env._("The server failed on this event and logged why. The device keeps the event.")
            item.refused = Refused("internal", message, "retry", item.event.id)
            return False
        item.refused = None
        return True

    @api.model
    def _in_savepoint(self, device, items):
        """Write all of `items` or nothing of them; returns the events by their ids."""
        try:
            with self.env.cr.savepoint():
                self._claim(f"{device.id} {item.event.id}" for item in items)
                stored = self.env["warehouse.exception.store"]._store(device, items)
            return {event.event_id: event for event in stored}
        except UniqueViolation as error:
            if error.diag.constraint_name not in RACES:
                raise
            # The winner's record is not in this transaction's snapshot and never will be: start over.
            raise ConcurrencyError("the same was received twice at the same time") from error

    @api.model
    def _claim(self, names):
        """Of the requests that carry one of these right now, one goes on; the others look again when it is done.

        In one order for all, and no further than to the first that is taken: two requests with much in common don't
        keep each other from going on.
        """
        self.env.cr.execute(
            """
            WITH RECURSIVE claim(n, got) AS (
                SELECT 0, TRUE
             UNION ALL
                SELECT n + 1, pg_try_advisory_xact_lock(hashtextextended((%(names)s::text[])[n + 1], 0))
                  FROM claim WHERE got AND n < cardinality(%(names)s::text[]))
            SELECT bool_and(got) FROM claim
            """,
            {"names": sorted(names)},
        )
        if not self.env.cr.fetchone()[0]:
            raise ConcurrencyError("what this request carries is being received by another one")

    # --- Receipts ----------------------------------------------------------------------------------------------------

    @api.model
    def _verdict(self, item, here, new):
        """(status, the stored event or None) of an item. One that was refused as "internal" may be here by another."""
        if item.refused:
            return item.refused.status, None
        event = here[item.event.id]
        if any(item is stored for stored in new):
            return "created", event
        return ("duplicate" if event.digest == item.digest else "conflict"), event

    @api.model
    def _keep_refused(self, device, verdicts):
        refusals = []
        for item, status, event in verdicts:
            if status == "conflict":
                message = self.env._(
                    "Event %(id)s is here already with other contents, as case %(case)s. Nothing was overwritten.",
                    id=item.event.id,
                    case=event.case_id.name,
                )
                item.refused = Refused("conflict", message, "conflict", item.event.id)
            if item.refused:
                refusals.append((item.digest, item.text, item.refused, event))
        if refusals:
            self.env["warehouse.exception.incident"]._record(device, refusals)

    @api.model
    def _missing_photos(self, events):
        """The photos that each of `events` still waits for, by event."""
        ids = [event.id for event in events]
        photos = self.env["warehouse.exception.evidence"].search_fetch(
            [("event_id", "in", ids)], ["event_id", "sha256", "complete"]
        )
        return {
            event.id: named.filtered(lambda photo: not photo._is_settled()).mapped("sha256")
            for event, named in photos.grouped("event_id").items()
        }

    @api.model
    def _receipt(self, item, status, event, missing):
        refused, taken = item.refused, status in ("created", "duplicate")
        return {
            "id": refused.event_id if refused else item.event.id,
            "digest": item.digest,
            "status": status,
            "case": event.case_id.name if event else None,
            "instructions": (event.case_id.instructions or []) if taken else [],
            "missing_evidence": missing.get(event.id, []) if taken else [],
            # A conflict is a status of its own and has no error code on the wire.
            "error": {"code": refused.code, "message": refused.message} if refused and not event else None,
        }
