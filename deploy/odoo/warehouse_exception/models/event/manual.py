import hashlib

from odoo import models
from odoo.exceptions import UserError
from odoo.tools.mimetypes import guess_mimetype

MAX_PHOTOS = 20


class WarehouseExceptionCase(models.Model):
    """Photos of a case that was reported in Odoo have no event: they are added to the case, as any other evidence is."""

    _inherit = "warehouse.exception.case"

    def _keep_photos(self, photos):
        """Keep `photos`, pairs of a name and its bytes, as evidence of this case; the same one once."""
        self.ensure_one()
        if len(photos) > MAX_PHOTOS:
            raise UserError(self.env._("%s photos are the most that one report takes. Nothing was kept.", MAX_PHOTOS))
        for name, data in {hashlib.sha256(data).hexdigest(): (name, data) for name, data in photos}.values():
            if not guess_mimetype(data).startswith("image/"):
                raise UserError(self.env._("'%s' is no photo. Nothing was kept: take it out, and try again.", name))
            self.env["warehouse.exception.evidence"]._add(self, "photo", data)
