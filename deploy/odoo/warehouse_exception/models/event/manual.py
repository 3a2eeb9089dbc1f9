import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.mimetypes import guess_mimetype

MAX_BYTES = 16 * 1024 * 1024
MAX_PHOTOS = 20


class WarehouseExceptionEvidence(models.Model):
    """Photos of a case that was reported in Odoo have no event: they belong to the case itself. They are kept like any
    other: by their hash, unchanged, and undeletable.
    """

    _inherit = "warehouse.exception.evidence"

    event_id = fields.Many2one(required=False)
    case_id = fields.Many2one(
        "warehouse.exception.case", related=None, compute="_compute_case_id", store=True, index=True, readonly=True
    )
    company_id = fields.Many2one("res.company", related=None, compute="_compute_company_id", store=True, readonly=True)
    added_by_id = fields.Many2one("res.users", "Added by", readonly=True, ondelete="restrict")

    @api.depends("event_id.case_id")
    def _compute_case_id(self):
        for evidence in self:
            evidence.case_id = evidence.event_id.case_id or evidence.case_id

    @api.depends("event_id.company_id", "case_id.company_id")
    def _compute_company_id(self):
        for evidence in self:
            evidence.company_id = evidence.event_id.company_id or evidence.case_id.company_id


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _keep_photos(self, photos):
        """Keep `photos`, pairs of a name and its bytes, as evidence of this case; the same one once."""
        self.ensure_one()
        if len(photos) > MAX_PHOTOS:
            raise UserError(self.env._("%s photos are the most that one report takes. Nothing was kept.", MAX_PHOTOS))
        whole = {hashlib.sha256(data).hexdigest(): (name, data) for name, data in photos}
        for sha256, (name, data) in whole.items():
            media_type = guess_mimetype(data)
            if not media_type.startswith("image/") or media_type == "image/svg+xml":
                raise UserError(self.env._("'%s' is no photo. Nothing was kept: take it out, and try again.", name))
            if len(data) > MAX_BYTES:
                raise UserError(self.env._("'%s' has more than 16 MiB. Nothing was kept: make it smaller.", name))
            evidence = (
                self.env["warehouse.exception.evidence"]
                .sudo()
                .create(
                    {
                        "case_id": self.id,
                        "sha256": sha256,
                        "size": len(data),
                        "media_type": media_type,
                        "added_by_id": self.env.uid,
                    }
                )
            )
            evidence._store(data, complete=True)
