import logging
import time
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...lib import request_token
from ..base.seal import is_unsealed, unsealed

_logger = logging.getLogger(__name__)

# Writing at every request would make concurrent requests of one device fail to serialize.
LAST_SEEN_EVERY = timedelta(minutes=1)
# More cases than this are shown as "1000+".
MAX_COUNTED = 1000
SEALED = frozenset({"uuid", "state", "last_seen", "company_id", "chain_reviewed_at", "chain_reviewed_by_id"})


class Revoked(Exception):
    """The token is genuine, but the device or its key is not trusted any more."""


class WarehouseExceptionDevice(models.Model):
    _name = "warehouse.exception.device"
    _description = "Handheld device"
    _inherit = ["mail.thread"]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    uuid = fields.Char("Device ID", required=True, readonly=True, copy=False)
    warehouse_id = fields.Many2one("stock.warehouse", required=True, tracking=True, ondelete="restrict")
    company_id = fields.Many2one(related="warehouse_id.company_id", store=True, index=True)
    state = fields.Selection(
        [("active", "Active"), ("revoked", "Revoked")], default="active", required=True, readonly=True, tracking=True
    )
    key_ids = fields.One2many("warehouse.exception.device.key", "device_id", "Keys", readonly=True)
    last_seen = fields.Datetime(readonly=True, help="The last signed request, give or take a minute.")
    agent_version = fields.Char(readonly=True)
    hardware_model = fields.Char(readonly=True)
    hostname = fields.Char(readonly=True)
    machine_id_hash = fields.Char(readonly=True)
    case_ids = fields.One2many("warehouse.exception.case", "device_id", "Cases", readonly=True)
    incident_ids = fields.One2many("warehouse.exception.incident", "device_id", "Incidents", readonly=True)
    case_count = fields.Char("Number of cases", compute="_compute_case_count")
    incident_count = fields.Integer("Incidents to review", compute="_compute_incident_count")

    _uuid_unique = models.Constraint("UNIQUE(uuid)", "A device has one identity.")

    def _compute_case_count(self):
        """A device may have a million cases: what a person reads off a button isn't worth counting them all."""
        for device in self:
            found = self.env["warehouse.exception.case"].search_count(
                [("device_id", "=", device.id)], limit=MAX_COUNTED + 1
            )
            device.case_count = f"{MAX_COUNTED}+" if found > MAX_COUNTED else str(found)

    def _compute_incident_count(self):
        # Few, by the limits of what is kept unreviewed, and an index has no others.
        incidents = dict(
            self.env["warehouse.exception.incident"]._read_group(
                [("device_id", "in", self.ids), ("reviewed_at", "=", False)], ["device_id"], ["__count"]
            )
        )
        for device in self:
            device.incident_count = incidents.get(device, 0)

    def write(self, vals):
        if not is_unsealed(self.env) and SEALED & set(vals):
            raise AccessError(self.env._("A device's identity and state can't be edited. Use the button 'Revoke'."))
        if "warehouse_id" in vals:
            self._refuse_to_change_company(vals["warehouse_id"])
        return super().write(vals)

    def _refuse_to_change_company(self, warehouse_id):
        """What a device reported belongs to the company it reported to, and would move with the device."""
        company = self.env["stock.warehouse"].browse(warehouse_id).sudo().company_id
        for device in self.sudo():
            if device.company_id != company and device._has_history():
                raise UserError(
                    self.env._(
                        "%(device)s has reported to %(company)s already, and its reports stay there. To use the "
                        "machine in a warehouse of another company, revoke this device and enrol the machine anew "
                        "with a code of that warehouse. Nothing was changed.",
                        device=device.name,
                        company=device.company_id.name,
                    )
                )

    def _has_history(self):
        return any(
            self.env[f"warehouse.exception.{name}"].search_count([("device_id", "=", self.id)], limit=1)
            for name in ("event", "incident", "bundle")
        )

    def action_revoke(self):
        """For good: a device that was lost and found again is enrolled anew."""
        self.check_access("write")
        unsealed(self).write({"state": "revoked"})
        self.key_ids._revoke()

    def action_open_cases(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.case_action")
        return {**action, "domain": [("device_id", "in", self.ids)], "context": {}}

    def action_open_incidents(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.incident_action")
        return {**action, "domain": [("device_id", "in", self.ids)]}

    @api.model
    def _audience(self):
        """What a token is made out to: this database, and no copy of it."""
        return f"urn:uuid:{self.env['ir.config_parameter'].get_param('database.uuid')}"

    @api.model
    def _authenticate(self, token):
        """The device that signed the request token. Reads only; raises TokenError, ClockSkew or Revoked."""
        jws, kid = request_token.read_kid(token)
        key = self.env["warehouse.exception.device.key"].search([("kid", "=", kid)])
        if not key:
            raise request_token.TokenError("no device has this key")
        device = key.device_id
        request_token.check(jws, key.x, device.uuid, self._audience(), time.time())
        if key.state == "revoked" or device.state == "revoked":
            raise Revoked
        return device.with_company(device.company_id)

    def _touch(self):
        now = fields.Datetime.now()
        if self.last_seen and now - self.last_seen < LAST_SEEN_EVERY:
            return
        try:
            with self.env.cr.savepoint():
                # Whoever holds the row is touching it, too.
                unsealed(self.try_lock_for_update(allow_referencing=True)).write({"last_seen": now})
        except SerializationFailure:
            _logger.debug("Another request of device %s was faster to note that it was seen.", self.uuid)
