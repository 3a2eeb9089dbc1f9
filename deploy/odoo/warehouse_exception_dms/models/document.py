from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.warehouse_exception.models.base.seal import is_unsealed

EVIDENCE = "warehouse.exception.evidence"
# What a document shows and where it belongs. Tags, categories and who is told stay free.
SEALED = frozenset("content content_file content_binary attachment_id directory_id name size checksum image_1920".split())


class DmsFile(models.Model):
    _inherit = "dms.file"

    def _check_not_evidence(self):
        if not is_unsealed(self.env) and any(file.attachment_id.res_model == EVIDENCE for file in self.sudo()):
            raise AccessError(
                self.env._("This document is a photo that a device reported: it can't be changed, moved or deleted.")
            )

    def write(self, vals):
        if SEALED & set(vals):
            self._check_not_evidence()
        return super().write(vals)

    def unlink(self):
        # No ondelete hook: those are skipped while any addon is uninstalled.
        self._check_not_evidence()
        return super().unlink()

    @api.model_create_multi
    def create(self, vals_list):
        """A document of a photo is made by its case alone: whoever owns the document could delete the photo with it."""
        files = super().create(vals_list)
        if not self.env.su:
            files._check_not_evidence()
        return files
