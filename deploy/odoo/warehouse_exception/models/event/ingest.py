import logging
from collections import Counter

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ...lib import cloud_event, jose

_logger = logging.getLogger(__name__)

EVENT_TYP = "event+jws"


class Refused(Exception):
    """Why an event gets no case, in the words of the protocol."""

    def __init__(self, code, message, status="rejected", event_id=None):
        super().__init__(message)
        self.code, self.message, self.status, self.event_id = code, message, status, event_id


class WarehouseExceptionIngest(models.AbstractModel):
    """From signed texts to cases and receipts: exactly one case for each event, however often it comes."""

    _name = "warehouse.exception.ingest"
    _description = "Receives signed events"

    @api.model
    def _receive(self, device, texts):
        """A receipt for each JWS, in order. `device` has proved to be the sender."""
        return [self._receive_one(device, text) for text in texts]

    @api.model
    def _receive_one(self, device, text):
        digest = jose.digest(text)
        try:
            key, event = self._verify(device, text)
        except Refused as refused:
            return self._refuse(device, digest, text, refused)
        existing = self.env["warehouse.exception.event"].search(
            [("device_id", "=", device.id), ("event_id", "=", event.id)]
        )
        if existing.digest == digest:
            return self._receipt(existing, "duplicate")
        if existing:
            message = self.env._(
                "Event %(id)s is here already with other contents, as case %(case)s. Nothing was overwritten.",
                id=event.id,
                case=existing.case_id.name,
            )
            refused = Refused("conflict", message, "conflict", event.id)
            return self._refuse(device, digest, text, refused, existing)
        return self._store(device, key, event, text, digest)

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

    @api.model
    def _verify(self, device, text):
        """The event, if the device's own key signed it. Nothing is read of what isn't signed."""
        if len(text) > cloud_event.MAX_JWS_BYTES:
            raise Refused("bad_jws", f"longer than {cloud_event.MAX_JWS_BYTES} bytes")
        try:
            jws = jose.parse_with_kid(text, EVENT_TYP)
        except jose.JoseError as error:
            raise Refused("bad_jws", str(error)) from error
        event_id = cloud_event.peek_id(jws.payload)
        key = self.env["warehouse.exception.device.key"].search([("kid", "=", jws.header["kid"])])
        if not key:
            raise Refused("unknown_kid", "no device has this key", event_id=event_id)
        try:
            jose.verify(jws, key.x)
        except jose.JoseError as error:
            raise Refused("bad_signature", str(error), event_id=event_id) from error
        if key.device_id != device:
            raise Refused("wrong_device", "signed by another device than the request", event_id=event_id)
        if key.state == "revoked":
            raise Refused("revoked_key", "signed by a key that was revoked", event_id=event_id)
        return key, self._read(device, jws.payload, event_id)

    @api.model
    def _read(self, device, payload, event_id):
        try:
            event = cloud_event.read(payload)
        except cloud_event.BadEvent as error:
            raise Refused("bad_event", str(error), event_id=event_id) from error
        except cloud_event.UnknownType as error:
            message = f"this server does not know {error} yet: its addon must be updated"
            raise Refused("unknown_type", message, "retry", event_id) from error
        if event.device != device.uuid:
            raise Refused("wrong_device", "the source is another device than the request's", event_id=event_id)
        return event

    @api.model
    def _store(self, device, key, event, text, digest):
        """Write event and case, or nothing of them."""
        try:
            with self.env.cr.savepoint():
                self._claim(device, event)
                return self._create(device, key, event, text, digest)
        except (OperationalError, ConcurrencyError):
            raise  # the whole request is tried again, or answered with "busy"
        except Exception as error:
            if self._lost_race(error):
                # The winner's case is not in this transaction's snapshot and never will be: start over.
                raise ConcurrencyError(f"event {event.id} was received twice at the same time") from error
            # Some other addon's rule, or a bug: the savepoint undid this event, and the ones behind it must not wait
            # for it. The device keeps it and sends it again.
            _logger.exception("Event %s of device %s could not be stored.", event.id, device.uuid)
            message = self.env._("The server failed on this event and logged why. The device keeps the event.")
            return self._refuse(device, digest, text, Refused("internal", message, "retry", event.id))

    @api.model
    def _claim(self, device, event):
        """Of the requests that carry this event right now, one goes on; the others look again when it is done."""
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{device.id} {event.id}"])
        if not self.env.cr.fetchone()[0]:
            raise ConcurrencyError(f"event {event.id} is being received by another request")

    @api.model
    def _lost_race(self, error):
        """The same between two that were not quite at the same time: the constraint has the last word."""
        return (
            isinstance(error, UniqueViolation)
            and error.diag.constraint_name == "warehouse_exception_event_event_unique"
        )

    @api.model
    def _create(self, device, key, event, text, digest):
        now = fields.Datetime.now()
        case = (
            self.env["warehouse.exception.case"]
            .with_context(tracking_disable=True, mail_create_nolog=True)
            .create({**self._case_values(device, event), "received_at": now})
        )
        record = self.env["warehouse.exception.event"].create(
            {
                "event_id": event.id,
                "digest": digest,
                "jws": text,
                "device_id": device.id,
                "key_id": key.id,
                "case_id": case.id,
                "event_type": event.kind,
                "sequence": event.sequence,
                "prevhash": event.prevhash,
                "captured_at": event.time.replace(microsecond=0),
                "received_at": now,
                **self.env["warehouse.exception.event"]._clock_values(event.clock),
            }
        )
        record._join_chain()
        self.env["warehouse.exception.scan"].create([self._scan_values(case, scan) for scan in event.scans])
        self.env["warehouse.exception.evidence"]._expect(record, event.photos)
        self._log(case.with_context(tracking_disable=False), device, case._classify())
        return self._receipt(record, "created")

    @api.model
    def _case_values(self, device, event):
        item = event.item
        return {
            "exception_type": event.kind,
            "device_id": device.id,
            "warehouse_id": device.warehouse_id.id,
            "captured_at": event.time.replace(microsecond=0),
            "product_code": item and item.code,
            "gtin": item and item.gtin,
            "lot_code": item and item.lot,
            "serial_code": item and item.serial,
            "expiry_date": item and item.expiry,
            "bin_code": event.bin,
            "document_code": event.document,
            "operator_badge": event.badge,
            "unit_code": event.unit,
            "quantity_expected": float(event.expected or 0),
            "expected_source": "unknown" if event.expected is None else "event",
            "quantity_counted": float(event.counted or 0),
            "is_counted": event.counted is not None,
            "reason_code": event.reason,
            "note": event.note,
        }

    @api.model
    def _scan_values(self, case, scan):
        return {
            "case_id": case.id,
            "role": scan.role,
            "source": scan.source,
            "at": scan.at.replace(microsecond=0),
            "raw": scan.raw,
            "text": scan.text,
            "kind": scan.kind,
            "flaws": ", ".join(scan.flaws),
        }

    @api.model
    def _log(self, case, device, missing):
        body = self.env._("Reported by %(device)s.", device=device.name)
        if missing:
            body += " " + self.env._("Not known here: %s", "; ".join(missing))
        case._message_log(body=body)

    @api.model
    def _receipt(self, event, status):
        photos = self.env["warehouse.exception.evidence"].search([("event_id", "=", event.id)])
        return {
            "id": event.event_id,
            "digest": event.digest,
            "status": status,
            "case": event.case_id.name,
            "instructions": event.case_id.instructions or [],
            "missing_evidence": photos.filtered(lambda photo: not photo._is_settled()).mapped("sha256"),
            "error": None,
        }

    @api.model
    def _refuse(self, device, digest, text, refused, existing=None):
        self.env["warehouse.exception.incident"]._record(device, digest, text, refused, existing)
        return {
            "id": refused.event_id,
            "digest": digest,
            "status": refused.status,
            "case": existing.case_id.name if existing else None,
            "instructions": [],
            "missing_evidence": [],
            # A conflict is a status of its own and has no error code on the wire.
            "error": None if existing else {"code": refused.code, "message": refused.message},
        }
