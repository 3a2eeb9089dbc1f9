from odoo import fields, models


class WarehouseExceptionPolicy(models.Model):
    _inherit = "warehouse.exception.policy"

    auto_maintenance = fields.Boolean(
        "Ask for maintenance", default=True, tracking=True, help="Where the reason of a report names equipment."
    )
