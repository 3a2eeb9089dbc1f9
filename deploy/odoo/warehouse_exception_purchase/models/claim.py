from odoo import fields, models


class WarehouseExceptionClaim(models.Model):
    _inherit = "warehouse.exception.claim"

    purchase_order_id = fields.Many2one(related="case_id.purchase_order_id", store=True, index="btree_not_null")


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    def _claim_values(self, vendor):
        """The buyer talks to the vendor."""
        values = super()._claim_values(vendor)
        buyer = self.case_id.purchase_order_id.user_id
        return {**values, "user_id": buyer.id} if buyer else values

    def _tell_receipt(self, picking, text):
        """What was done about a receipt is told to its order, too."""
        self.case_id.sudo().purchase_order_id._note_exception(self.case_id, text)
        return super()._tell_receipt(picking, text)
