from odoo import fields, models


class WarehouseExceptionCause(models.Model):
    """Why exceptions happen: what a site wants to count. A list that each site edits."""

    _name = "warehouse.exception.cause"
    _description = "Root cause"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _name_unique = models.Constraint("UNIQUE(name)", "There is a root cause of this name already.")
