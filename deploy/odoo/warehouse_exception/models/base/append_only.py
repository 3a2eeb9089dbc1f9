from odoo import api, models
from odoo.exceptions import AccessError

from .seal import is_unsealed


class AppendOnlyMixin(models.AbstractModel):
    """Records that are written once and then only read, whatever rights somebody has."""

    _name = "warehouse.exception.append.only"
    _description = "Append-only record"
    _inherit = ["warehouse.exception.insert"]

    def write(self, vals):
        if not is_unsealed(self.env):
            raise AccessError(
                self.env._(
                    "%(records)s is evidence and can't be changed. Write what you found out into the case.",
                    records=self._description,
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("%(records)s is evidence and can't be deleted.", records=self._description))
