import hashlib
import logging
from dataclasses import dataclass

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ..base.seal import unsealed

_logger = logging.getLogger(__name__)

KINDS_OF_EVIDENCE = [
    ("photo", "Photo"),
    ("delivery_note", "Delivery note"),
    ("carrier_note", "Carrier's note"),
    ("label", "Label"),
    ("inspection_record", "Inspection record"),
]


class NotStored(Exception):
    """The server's filestore is full or damaged. Nothing was kept of this piece; the text is the system's own."""


@dataclass(frozen=True)
class Outcome:
    """What became of a piece; the controller finds the HTTP status for it."""

    name: str  # complete, partial, unknown, offset_mismatch, wrong_length or hash_mismatch
    received: int = 0


class WarehouseExceptionEvidence(models.Model):
    """A photo that an event names by its hash. It arrives after the event, in pieces if need be. What people add to a
    case is here, too (`added.py`), and so is what was removed (`retention.py`).

    A device deletes its copy when it hears that a photo is here. So that is never said by the rows alone, which a
    database restored without its filestore has, too: the bytes are read and hashed for each such answer. A photo of
    a megabyte takes some milliseconds.
    """

    _name = "warehouse.exception.evidence"
    _description = "Evidence"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "sha256"
    _order = "id"

    event_id = fields.Many2one("warehouse.exception.event", index=True, ondelete="restrict")
    case_id = fields.Many2one(
        "warehouse.exception.case",
        compute="_compute_case_id",
        store=True,
        readonly=False,
        index=True,
        ondelete="restrict",
    )
    device_id = fields.Many2one(related="event_id.device_id", store=True)
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    kind = fields.Selection(KINDS_OF_EVIDENCE, default="photo", required=True)
    sha256 = fields.Char("SHA-256", required=True, index=True)
    size = fields.Integer("Expected bytes", required=True)
    media_type = fields.Char(required=True)
    received = fields.Integer("Received bytes", default=0)
    complete = fields.Boolean(default=False)
    attachment_id = fields.Many2one("ir.attachment", ondelete="restrict")

    @api.depends("event_id.case_id")
    def _compute_case_id(self):
        """What no event names was added to a case by somebody, and stays with it."""
        for evidence in self:
            evidence.case_id = evidence.event_id.case_id or evidence.case_id

    _of_something = models.Constraint(
        "CHECK(event_id IS NOT NULL OR case_id IS NOT NULL)", "Evidence belongs to an event or to a case."
    )
    _photo_unique = models.Constraint("UNIQUE(event_id, sha256)", "An event names a photo once.")

    @api.model
    def _expect(self, named):
        """Make room for the photos that events name: [(event, photos)]. Those that the device sent before are here."""
        new = [
            {
                "event_id": event.id,
                "case_id": event.case_id.id,
                "device_id": event.device_id.id,
                "company_id": event.company_id.id,
                "kind": "photo",
                "sha256": photo.sha256,
                "size": photo.size,
                "media_type": photo.media_type,
                "received": 0,
                "complete": False,
            }
            for event, photos in named
            for photo in {photo.sha256: photo for photo in photos}.values()
        ]
        self._insert(new)
        for device in self.env["warehouse.exception.device"].browse({values["device_id"] for values in new}):
            ours = [event.id for event, _photos in named if event.device_id == device]
            self._take_known(device, ours, {values["sha256"] for values in new if values["device_id"] == device.id})

    @api.model
    def _take_known(self, device, event_ids, names):
        """Give the photos of these events the bytes that the device sent for others."""
        known = self.search([("device_id", "=", device.id), ("sha256", "in", list(names)), ("complete", "=", True)])
        for sha256, sent in known.grouped("sha256").items():
            whole = sent._whole()
            for evidence in self._of(device, sha256).filtered(lambda photo: photo.event_id.id in event_ids):
                if whole is not None and len(whole) == evidence.size:
                    evidence._store_or_leave(whole)

    def _store_or_leave(self, whole):
        """The event is stored even if its photo can't be: then it is missing, and the device sends it."""
        try:
            with self.env.cr.savepoint():
                self._store(whole, complete=True)
        except (OperationalError, ConcurrencyError):
            raise
        except NotStored as error:
            _logger.warning("Photo %s stays missing for an event: %s", self.sha256, error)
        except Exception:
            _logger.exception("Photo %s stays missing for an event.", self.sha256)

    @api.model
    def _of(self, device, sha256):
        return self.search([("device_id", "=", device.id), ("sha256", "=", sha256)], order="id")

    @api.model
    def _progress(self, device, sha256):
        """(received, size) of a photo, or None when no event of the device names it."""
        named = self._of(device, sha256)
        if not named:
            return None
        wanted = named._wanted()
        if not wanted:
            return named[0].size, named[0].size
        whole = wanted._whole()
        return (len(wanted[0]._held()), wanted[0].size) if whole is None else (len(whole), len(whole))

    def _wanted(self):
        """Those that a device is to send, or has sent. What was removed on purpose is not asked for again."""
        return self.filtered(lambda evidence: not evidence.removed_at)

    def _is_settled(self):
        """Whether the device may let go of the photo that these rows name: it is here, or it was removed on purpose."""
        wanted = self._wanted()
        return not wanted or wanted._whole() is not None

    def _whole(self):
        """The bytes of the photo that these rows name, or None. They were read and hashed just now."""
        return self._wanted().filtered("complete")[:1]._held() or None

    def _held(self):
        """The bytes that are really here, past the cache; none, if they are not those that were received."""
        attachment = self.attachment_id.sudo()
        name = attachment.store_fname
        data = (attachment._file_read(name) if name else attachment.db_datas) or b""
        damaged = len(data) != self.received or (self.complete and hashlib.sha256(data).hexdigest() != self.sha256)
        return b"" if damaged else data

    @api.model
    def _receive(self, device, sha256, offset, length, data):
        """Add the bytes `data` at `offset`; `length` is the whole size, if the device said it."""
        named = self._of(device, sha256)
        if not named:
            return Outcome("unknown")
        wanted = named._wanted()
        if not wanted:
            return Outcome("complete", named[0].size)
        if (whole := wanted._whole()) is not None:
            return Outcome("complete", len(whole))
        # Two events may name one photo: the first collects the pieces for both.
        return wanted[0]._append(offset, length, data, wanted)

    def _append(self, offset, length, data, named):
        held = self._held()
        if length not in (None, self.size) or offset + len(data) > self.size:
            return Outcome("wrong_length", len(held))
        if offset != len(held):
            return Outcome("offset_mismatch", len(held))
        whole = held + data
        if len(whole) < self.size:
            self._store(whole, complete=False)
            return Outcome("partial", len(whole))
        if hashlib.sha256(whole).hexdigest() != self.sha256:
            self._store(b"", complete=False)
            return Outcome("hash_mismatch")
        for evidence in named.filtered(lambda other: other.size == self.size):
            evidence._store(whole, complete=True)
        return Outcome("complete", len(whole))

    def _store(self, data, complete):
        """Keep `data`, or raise NotStored. A whole photo is durable before the row says so: its device lets go of it."""
        try:
            self.env["ir.attachment"]._lay_down(data, durable=complete)
            self._attach(data, complete)
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            _logger.error(
                "Photo %s of device %s can't be stored in the filestore (%s): %s. The device keeps it and sends it again.",
                self.sha256,
                self.device_id.uuid,
                self.env["ir.attachment"]._filestore(),
                why,
            )
            raise NotStored(why) from error

    def _attach(self, data, complete):
        """The exact bytes: Odoo would scale a large photo down, and its hash would be another."""
        values = {"raw": data, "mimetype": self.media_type if complete else "application/octet-stream"}
        attachments = self.env["ir.attachment"].with_context(image_no_postprocess=True)
        if self.attachment_id:
            unsealed(self.attachment_id.with_env(attachments.env)).write(values)
        else:
            extension = self.media_type.partition("/")[2]
            values |= {"name": f"{self.sha256[:12]}.{extension}", "res_model": self._name, "res_id": self.id}
        attachment = self.attachment_id or attachments.create(values)
        unsealed(self).write({"attachment_id": attachment.id, "received": len(data), "complete": complete})
