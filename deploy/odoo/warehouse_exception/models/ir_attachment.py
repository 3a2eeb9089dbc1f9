from odoo import api, models
from odoo.exceptions import AccessError

from .seal import is_unsealed

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
