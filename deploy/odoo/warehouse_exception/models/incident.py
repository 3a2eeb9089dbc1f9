import logging

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models

from ..lib.members import storable
from .seal import unsealed

_logger = logging.getLogger(__name__)

# A broken or hostile device must not be able to fill the database; until a person has looked, this is enough to see.
MAX_UNREVIEWED = 100
MAX_KEPT_CHARACTERS = 64 * 1024


class WarehouseExceptionIncident(models.Model):
    """Something a known device sent that did not become a case: kept, so that a person can look at it."""

    _name = "warehouse.exception.incident"
    _description = "Incident"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "code"
    _order = "id desc"

    device_id = fields.Many2one("warehouse.exception.device", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="device_id.company_id", store=True)
    status = fields.Selection(
        [("conflict", "Conflict"), ("rejected", "Rejected"), ("retry", "Waits on the device")],
        required=True,
        help="Conflict: the device signed two different events with one id. Rejected: can't be accepted as it is. "
        "Waits: the device keeps it and sends it again.",
    )
    code = fields.Char(required=True)
    message = fields.Char(required=True)
    event_id = fields.Char("Event ID")
    digest = fields.Char(required=True)
    jws = fields.Text("As received")
    received_at = fields.Datetime(required=True, default=fields.Datetime.now)
    existing_event_id = fields.Many2one("warehouse.exception.event", "In conflict with", ondelete="restrict")
    reviewed_at = fields.Datetime(readonly=True)
    reviewed_by_id = fields.Many2one("res.users", readonly=True)

    _once = models.Constraint("UNIQUE(device_id, digest, code)", "The same incident is kept once.")

    def action_review(self):
        self.device_id.check_access("write")
        unsealed(self.filtered(lambda incident: not incident.reviewed_at).sudo()).write(
            {"reviewed_at": fields.Datetime.now(), "reviewed_by_id": self.env.uid}
        )

    @api.model
    def _record(self, device, digest, jws, refused, existing=None):
        """Keep what was refused and why, once for all the times that it is sent."""
        same = [("device_id", "=", device.id), ("digest", "=", digest), ("code", "=", refused.code)]
        if self.search_count(same, limit=1) or self._is_full(device):
            return
        values = {
            "device_id": device.id,
            "status": refused.status,
            "code": refused.code,
            "message": storable(refused.message),
            "event_id": refused.event_id,
            "digest": digest,
            "jws": storable(jws[:MAX_KEPT_CHARACTERS]),
            "existing_event_id": existing and existing.id,
        }
        try:
            with self.env.cr.savepoint():
                self.create(values)
        except UniqueViolation:
            _logger.debug("Another request kept incident %s at the same time.", digest)

    def _is_full(self, device):
        unreviewed = [("device_id", "=", device.id), ("reviewed_at", "=", False)]
        if self.search_count(unreviewed, limit=MAX_UNREVIEWED) < MAX_UNREVIEWED:
            return False
        _logger.warning("Device %s has %s incidents to review: no more are kept.", device.uuid, MAX_UNREVIEWED)
        return True
