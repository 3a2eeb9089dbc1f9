import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...lib import enrolment as protocol
from .device import Revoked
from ..base.seal import is_unsealed, unsealed

MAX_HOURS = 24 * 30


class CodeInvalid(Exception):
    """The code is unknown, expired, or was used by another key; which of them is nobody's business."""


class WarehouseExceptionEnrolment(models.Model):
    """An invitation for one device. The code itself is shown once and never stored."""

    _name = "warehouse.exception.enrolment"
    _description = "Enrolment code"
    _rec_name = "device_name"
    _order = "id desc"

    device_name = fields.Char(required=True, readonly=True)
    warehouse_id = fields.Many2one("stock.warehouse", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one(related="warehouse_id.company_id", store=True)
    for_device_id = fields.Many2one(
        "warehouse.exception.device",
        "For the device",
        readonly=True,
        ondelete="restrict",
        help="The code gives this device another key. Without a device, the code lets a new one in.",
    )
    code_hash = fields.Char(required=True, readonly=True, copy=False)
    expires_at = fields.Datetime(required=True, readonly=True)
    key_id = fields.Many2one("warehouse.exception.device.key", "Used by key", readonly=True, ondelete="restrict")
    device_id = fields.Many2one(related="key_id.device_id")
    state = fields.Selection(
        [("waiting", "Waiting"), ("used", "Used"), ("expired", "Expired")],
        compute="_compute_state",
        search="_search_state",
    )

    _code_unique = models.Constraint("UNIQUE(code_hash)", "A code is used once.")

    @api.depends("key_id", "expires_at")
    def _compute_state(self):
        now = fields.Datetime.now()
        for enrolment in self:
            if enrolment.key_id:
                enrolment.state = "used"
            else:
                enrolment.state = "waiting" if enrolment.expires_at > now else "expired"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        domains = {
            "used": fields.Domain("key_id", "!=", False),
            "waiting": fields.Domain([("key_id", "=", False), ("expires_at", ">", now)]),
            "expired": fields.Domain([("key_id", "=", False), ("expires_at", "<=", now)]),
        }
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    def write(self, vals):
        if not is_unsealed(self.env):
            raise UserError(self.env._("A code can't be changed after it was issued. Issue a new one instead."))
        return super().write(vals)

    @api.constrains("expires_at")
    def _check_lifetime(self):
        latest = fields.Datetime.now() + timedelta(hours=MAX_HOURS, minutes=1)
        if any(enrolment.expires_at > latest for enrolment in self):
            raise ValidationError(self.env._("A code lives at most %s days.", MAX_HOURS // 24))

    @api.model
    def issue_code(self, device_name, warehouse_id, hours=24, device_id=None):
        """Invite a new device, or give the one that is named another key: then its name and warehouse count. The answer
        holds the code in clear, for the only time.

        :return: {"id", "code", "expires_at"}
        """
        code = protocol.new_code()
        device = self.env["warehouse.exception.device"].browse(device_id)
        if device:
            device.check_access("write")
            if device.state == "revoked":
                raise UserError(self.env._("A revoked device stays out. Enrol it as a new one."))
            device_name, warehouse_id = device.name, device.warehouse_id.id
        enrolment = self.create(
            {
                "device_name": device_name,
                "warehouse_id": warehouse_id,
                "for_device_id": device.id,
                "code_hash": protocol.code_hash(code),
                "expires_at": fields.Datetime.now() + timedelta(hours=hours),
            }
        )
        return {
            "id": enrolment.id,
            "code": protocol.shown_code(code),
            "expires_at": fields.Datetime.to_string(enrolment.expires_at),
        }

    def action_expire(self):
        """Withdraw codes that nobody has used yet."""
        self.check_access("write")
        waiting = self.filtered(lambda enrolment: enrolment.state == "waiting")
        unsealed(waiting).write({"expires_at": fields.Datetime.now()})

    @api.model
    def _redeem(self, request):
        """The key record that the verified `request` (an Enrolment) gets for its code.

        The same key may ask again and again, since the first answer may have been lost. Two keys that race for one
        code both write the row, so that the database lets only one through and the other is tried again.
        """
        code = protocol.canonical_code(request.code)
        found = self.search([("code_hash", "=", protocol.code_hash(code))]) if code else self.browse()
        if found.key_id:
            return self._redeem_again(found.key_id, request)
        known = self.env["warehouse.exception.device.key"].search([("kid", "=", request.kid)])
        if found.state != "waiting" or (known and known.device_id != found.for_device_id):
            raise CodeInvalid
        if (known and known.state == "revoked") or found.for_device_id.state == "revoked":
            raise Revoked
        # A device whose identity was damaged may still have its key.
        key = known or found._create_key(request)
        unsealed(found).write({"key_id": key.id})
        return key

    @api.model
    def _redeem_again(self, key, request):
        if key.kid != request.kid:
            raise CodeInvalid
        if key.state == "revoked" or key.device_id.state == "revoked":
            raise Revoked
        return key

    def _create_key(self, request):
        device = self.for_device_id
        if device:
            device.message_post(body=self.env._("The device was enrolled again, with the key %s.", request.kid))
        else:
            device = self._create_device(request)
        return self.env["warehouse.exception.device.key"].create(
            {"device_id": device.id, "kid": request.kid, "x": request.x}
        )

    def _create_device(self, request):
        return self.env["warehouse.exception.device"].create(
            {
                "name": self.device_name,
                "uuid": str(uuid.uuid4()),
                "warehouse_id": self.warehouse_id.id,
                "agent_version": request.agent,
                "hardware_model": request.hardware.get("model"),
                "hostname": request.hardware.get("hostname"),
                "machine_id_hash": request.hardware.get("machine_id_hash"),
            }
        )
