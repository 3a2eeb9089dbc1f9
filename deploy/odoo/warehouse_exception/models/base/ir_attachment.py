import logging

from odoo import api, models
from odoo.exceptions import AccessError

from ...lib import filestore
from .seal import is_unsealed

_logger = logging.getLogger(__name__)

EVIDENCE = "warehouse.exception.evidence"


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def _check_not_evidence(self):
        if not is_unsealed(self.env) and any(attachment.res_model == EVIDENCE for attachment in self.sudo()):
            raise AccessError(self.env._("A photo that a device reported is evidence: it can't be changed or deleted."))

    def write(self, vals):
        self._check_not_evidence()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        self._check_not_evidence()

    @api.model
    def _lay_down(self, data, durable=False):
        """Put `data` into the filestore where Odoo will look for it, whole, so that Odoo finds it and writes nothing.

        With `durable` it also stays when the power fails now. Raises OSError when the filestore can't take it. Does
        nothing where attachments are kept elsewhere (in the database, or by another addon).
        """
        if not data or self._storage() != "file":
            return
        checksum = self._compute_checksum(data)
        name = f"{checksum[:2]}/{checksum}"
        path = self._full_path(name)
        done = filestore.lay(path, data, durable)
        if done:
            self._mark_for_gc(name)  # as Odoo does: nobody may need it, if this transaction fails
        if done == "mended":
            _logger.warning("%s was damaged. It is whole again: its bytes were received anew. Check the disk.", path)
