import hashlib
from dataclasses import dataclass

from odoo import api, fields, models

from .seal import unsealed


@dataclass(frozen=True)
class Outcome:
    """What became of a piece; the controller finds the HTTP status for it."""

    name: str  # complete, partial, unknown, offset_mismatch, wrong_length or hash_mismatch
    received: int = 0


class WarehouseExceptionEvidence(models.Model):
    """A photo that an event names by its hash. It arrives after the event, in pieces if need be."""

    _name = "warehouse.exception.evidence"
    _description = "Evidence"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "sha256"
    _order = "id"

    event_id = fields.Many2one("warehouse.exception.event", required=True, index=True, ondelete="restrict")
    case_id = fields.Many2one(related="event_id.case_id", store=True, index=True)
    device_id = fields.Many2one(related="event_id.device_id", store=True)
    company_id = fields.Many2one(related="event_id.company_id", store=True)
    sha256 = fields.Char("SHA-256", required=True, index=True)
    size = fields.Integer("Expected bytes", required=True)
    media_type = fields.Char(required=True)
    received = fields.Integer("Received bytes", default=0)
    complete = fields.Boolean(default=False)
    attachment_id = fields.Many2one("ir.attachment", ondelete="restrict")

    _photo_unique = models.Constraint("UNIQUE(event_id, sha256)", "An event names a photo once.")

    @api.model
    def _expect(self, event, photos):
        """Make room for the photos that `event` names; those that the device sent before are here at once."""
        named = {photo.sha256: photo for photo in photos}
        expected = self.create(
            [
                {"event_id": event.id, "sha256": photo.sha256, "size": photo.size, "media_type": photo.media_type}
                for photo in named.values()
            ]
        )
        for evidence in expected:
            before = self._of(event.device_id, evidence.sha256).filtered("complete")[:1]
            if before and before.size == evidence.size:
                evidence._store(before.attachment_id.raw, complete=True)

    @api.model
    def _of(self, device, sha256):
        return self.search([("device_id", "=", device.id), ("sha256", "=", sha256)], order="id")

    @api.model
    def _progress(self, device, sha256):
        """(received, size) of a photo, or None when no event of the device names it."""
        evidence = self._of(device, sha256).sorted("complete", reverse=True)[:1]
        return (evidence.received, evidence.size) if evidence else None

    @api.model
    def _receive(self, device, sha256, offset, length, data):
        """Add the bytes `data` at `offset`; `length` is the whole size, if the device said it."""
        named = self._of(device, sha256)
        if not named:
            return Outcome("unknown")
        if done := named.filtered("complete")[:1]:
            return Outcome("complete", done.size)
        # Two events may name one photo: the first collects the pieces for both.
        return named[0]._append(offset, length, data, named)

    def _append(self, offset, length, data, named):
        if length not in (None, self.size) or offset + len(data) > self.size:
            return Outcome("wrong_length", self.received)
        if offset != self.received:
            return Outcome("offset_mismatch", self.received)
        whole = (self.attachment_id.raw or b"") + data
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
