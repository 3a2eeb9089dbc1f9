from odoo import fields, models


class WarehouseExceptionApproval(models.Model):
    _inherit = "warehouse.exception.approval"

    request_id = fields.Many2one("approval.request", "Shown as", readonly=True, ondelete="set null", copy=False)
