from odoo import models


class WarehouseExceptionApproval(models.Model):
    """Who counted has said what is there, and so takes no decision about it."""

    _inherit = "warehouse.exception.approval"

    def _reason_against(self, user):
        if user in self.sudo().case_id.count_ids.counted_by_id:
            return self.env._("who counted does not approve what was counted")
        return super()._reason_against(user)
