from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..case.states import KINDS


class WarehouseExceptionKind(models.Model):
    """The kinds of exception as records, so that a warehouse can switch them on one by one. Nobody adds one."""

    _name = "warehouse.exception.kind"
    _description = "Kind of exception"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Selection(KINDS, required=True, readonly=True)
    sequence = fields.Integer(default=10)

    _code_unique = models.Constraint("UNIQUE(code)", "Each kind of exception is there once.")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("The kinds of exception are given. Switch one off on the warehouse instead."))
