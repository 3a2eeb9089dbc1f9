import json

from odoo import api, fields, models

from ...lib import jose
from ..case.states import KINDS


class WarehouseExceptionEvent(models.Model):
    """What a device signed, to the byte. The case is what people make of it."""

    _name = "warehouse.exception.event"
    _description = "Signed event"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "event_id"
    _order = "id desc"

    event_id = fields.Char("Event ID", required=True, index=True)
    digest = fields.Char(required=True, index=True, help="SHA-256 over the JWS below.")
    # By far the largest column, and rarely looked at: it isn't read along with the others.
    jws = fields.Text(
        "JWS", required=True, prefetch=False, help="The exact bytes that the device signed when the event was captured."
    )
    payload = fields.Text(compute="_compute_payload")
    device_id = fields.Many2one("warehouse.exception.device", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="device_id.company_id", store=True)
    key_id = fields.Many2one("warehouse.exception.device.key", required=True, ondelete="restrict")
    case_id = fields.Many2one("warehouse.exception.case", required=True, index=True, ondelete="restrict")
    bundle_id = fields.Many2one(
        "warehouse.exception.bundle",
        "Came with",
        index="btree_not_null",
        ondelete="restrict",
        help="The file that brought it, if the device could not send it itself.",
    )
    event_type = fields.Selection(KINDS, "Kind", required=True)
    sequence = fields.Char(required=True, help="Counted by the device, without gaps.")
    prevhash = fields.Char("Previous digest", required=True, help="Digest of the event that the device made before.")
    captured_at = fields.Datetime("Captured", required=True, help="By the device's clock.")
    received_at = fields.Datetime("Received", required=True, index=True, help="By this server's clock.")

    # Not the id alone: a device must not be able to claim an id in another one's name.
    _event_unique = models.Constraint("UNIQUE(device_id, event_id)", "A device's event is received once.")
    _sequence_index = models.Index("(device_id, sequence)")

    @api.depends("jws")
    def _compute_payload(self):
        for event in self:
            payload = json.loads(jose.b64decode(event.jws.split(".")[1]))
            event.payload = json.dumps(payload, indent=2, ensure_ascii=False)
