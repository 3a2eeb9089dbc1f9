import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.mimetypes import guess_mimetype

from ...lib import cloud_event
from ...lib.members import storable
from ..case.states import FINISHED

# What a browser shows without running anything in it.
MEDIA_TYPES = (*cloud_event.MEDIA_TYPES, "application/pdf")
MAX_BYTES = cloud_event.MAX_PHOTO_BYTES
# A case with more is no case any more, and each of them is read for its page.
MAX_ADDED = 100


class WarehouseExceptionEvidence(models.Model):
    """What a person adds: a scanned delivery note, an inspection's record. As unchangeable as what a device sent."""

    _inherit = "warehouse.exception.evidence"

    added_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    added_at = fields.Datetime(readonly=True)
    note = fields.Char(readonly=True)

    _added_unique = models.UniqueIndex(
        "(case_id, sha256) WHERE event_id IS NULL", "This file is with the case already."
    )

    @api.model
    def _add(self, case, kind, data, note=None):
        """Keep the file `data` with `case`, to the byte. Whoever calls this has checked the role."""
        media_type = self._check_file(case, data)
        evidence = self.sudo().create(
            {
                "case_id": case.id,
                "kind": kind,
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
                "media_type": media_type,
                "note": note and storable(note),
                "added_by_id": self.env.uid,
                "added_at": fields.Datetime.now(),
            }
        )
        evidence._store(data, complete=True)
        label = dict(self._fields["kind"]._description_selection(self.env))[kind]
        case.sudo()._message_log(
            body=self.env._("%(kind)s added, SHA-256 %(hash)s.", kind=label, hash=evidence.sha256),
            author_id=self.env.user.partner_id.id,
        )
        return evidence.with_env(self.env)

    @api.model
    def _check_file(self, case, data):
        """The file's real type, whatever its name says; or why it can't be taken."""
        media_type = guess_mimetype(data or b"", default="")
        if case.state in FINISHED:
            why = self.env._("the case is finished")
        elif not data:
            why = self.env._("the file is empty")
        elif len(data) > MAX_BYTES:
            why = self.env._("it has %(size)s bytes, and %(most)s are the most", size=len(data), most=MAX_BYTES)
        elif media_type not in MEDIA_TYPES:
            why = self.env._("evidence is a JPEG, PNG or WebP picture or a PDF")
        elif len(case.evidence_ids) >= MAX_ADDED:
            why = self.env._("the case has %s pieces of evidence already", MAX_ADDED)
        elif self._has_file(case, hashlib.sha256(data).hexdigest()):
            why = self.env._("this very file is with the case already")
        else:
            return media_type
        raise UserError(self.env._("The file was not added to %(case)s: %(why)s.", case=case.name, why=why))

    @api.model
    def _has_file(self, case, sha256):
        return sha256 in case.evidence_ids.filtered(lambda evidence: not evidence.event_id).mapped("sha256")
