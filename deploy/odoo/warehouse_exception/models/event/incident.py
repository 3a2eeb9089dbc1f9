import logging

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models

from ...lib import cloud_event
from ...lib.members import storable
from ..base.seal import unsealed

_logger = logging.getLogger(__name__)

# A broken or hostile device must not be able to fill the database; until a person has looked, this is enough to see.
MAX_UNREVIEWED = 100
# Counted by themselves: junk must not be able to hide that two events contradict each other.
MAX_UNREVIEWED_CONFLICTS = 100
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

    # Stored, so that a whole run of refused reports is followed back by one query.
    prevhash = fields.Char("Previous digest", compute="_compute_prevhash", store=True)

    # Reviewed ones may be many in the end, and what is counted and shown are the others.
    _unreviewed_index = models.Index("(device_id, status) WHERE reviewed_at IS NULL")
    _once = models.Constraint("UNIQUE(device_id, digest, code)", "The same incident is kept once.")

    @api.depends("jws")
    def _compute_prevhash(self):
        for incident in self:
            incident.prevhash = cloud_event.peek_prevhash(incident.jws or "")

    def action_review(self):
        self.device_id.check_access("write")
        unsealed(self.filtered(lambda incident: not incident.reviewed_at).sudo()).write(
            {"reviewed_at": fields.Datetime.now(), "reviewed_by_id": self.env.uid}
        )

    @api.model
    def _record(self, device, refusals):
        """Keep what was refused and why, once for all the times that it is sent. `refusals` are
        (digest, text, Refused, the event that it contradicts or None).
        """
        digests = [digest for digest, *_rest in refusals]
        known = self.search_fetch([("device_id", "=", device.id), ("digest", "in", digests)], ["digest", "code"])
        kept = {(incident.digest, incident.code) for incident in known}
        room = {}
        new = []
        for digest, text, refused, existing in refusals:
            if (digest, refused.code) in kept:
                continue
            is_conflict = refused.status == "conflict"
            if is_conflict not in room:
                room[is_conflict] = self._room(device, is_conflict)
            if not room[is_conflict]:
                self._tell_full(device, is_conflict)
                continue
            room[is_conflict] -= 1
            kept.add((digest, refused.code))
            new.append(self._values(device, digest, text, refused, existing))
        self._create_once(new)

    @api.model
    def _values(self, device, digest, text, refused, existing):
        return {
            "device_id": device.id,
            "status": refused.status,
            "code": refused.code,
            "message": storable(refused.message),
            "event_id": refused.event_id,
            "digest": digest,
            "jws": storable(text[:MAX_KEPT_CHARACTERS]),
            "existing_event_id": existing and existing.id,
        }

    @api.model
    def _create_once(self, new):
        """All of them; where another request keeps one at the same time, the others one by one."""
        try:
            with self.env.cr.savepoint():
                self.create(new)
        except UniqueViolation:
            _logger.debug("Another request kept one of %s incidents at the same time.", len(new))
            for values in new if len(new) > 1 else ():
                self._create_once([values])

    @api.model
    def _room(self, device, is_conflict):
        """How many more are kept until a person has looked."""
        limit = MAX_UNREVIEWED_CONFLICTS if is_conflict else MAX_UNREVIEWED
        unreviewed = [
            ("device_id", "=", device.id),
            ("reviewed_at", "=", False),
            ("status", "=" if is_conflict else "!=", "conflict"),
        ]
        return limit - self.search_count(unreviewed, limit=limit)

    @api.model
    def _tell_full(self, device, is_conflict):
        limit = MAX_UNREVIEWED_CONFLICTS if is_conflict else MAX_UNREVIEWED
        kind = "conflicts" if is_conflict else "refused events"
        _logger.warning("Device %s has %s %s to review: no more are kept.", device.uuid, limit, kind)
