from odoo import fields, models

from ..base.seal import unsealed


class WarehouseExceptionDeviceKey(models.Model):
    """The public half of a device's key. The private half never leaves the device."""

    _name = "warehouse.exception.device.key"
    _description = "Device key"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "kid"
    _order = "id desc"

    device_id = fields.Many2one("warehouse.exception.device", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="device_id.company_id", store=True)
    kid = fields.Char("Key ID", required=True, help="RFC 7638 thumbprint: the key names itself.")
    x = fields.Char("Public key", required=True, help="Ed25519, base64url.")
    state = fields.Selection([("active", "Active"), ("revoked", "Revoked")], default="active", required=True)
    revoked_at = fields.Datetime()

    _kid_unique = models.Constraint("UNIQUE(kid)", "This key already belongs to a device.")

    def action_revoke(self):
        """Only this key; the device goes on with its other ones."""
        self.device_id.check_access("write")
        self._revoke()
        for key in self:
            key.device_id.message_post(body=self.env._("Key %s was revoked.", key.kid))

    def _revoke(self):
        active = self.filtered(lambda key: key.state == "active").sudo()
        unsealed(active).write({"state": "revoked", "revoked_at": fields.Datetime.now()})
