import json
import uuid
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..base.seal import is_unsealed, unsealed

KEPT = timedelta(days=90)
DELETED_AT_ONCE = 10_000


class WarehouseExceptionWebhookDelivery(models.Model):
    """One message to one endpoint, written in the transaction of what it tells, and sent after it."""

    _name = "warehouse.exception.webhook.delivery"
    _description = "Webhook delivery"
    _order = "id desc"
    _rec_name = "message_id"

    webhook_id = fields.Many2one("warehouse.exception.webhook", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="webhook_id.company_id", store=True)
    case_id = fields.Many2one("warehouse.exception.case", index="btree_not_null", ondelete="restrict")
    event = fields.Selection(
        [
            ("case.created", "New case"),
            ("case.step", "Step"),
            ("case.escalated", "Escalation"),
            ("finding", "Finding"),
            ("test", "Test"),
        ],
        required=True,
    )
    message_id = fields.Char("Message ID", required=True, help="The header webhook-id: the same at every try.")
    body = fields.Text(required=True, help="The exact text that is signed and sent, at every try.")
    state = fields.Selection(
        [("waiting", "Waiting"), ("delivered", "Delivered"), ("parked", "Parked")],
        default="waiting",
        required=True,
    )
    next_at = fields.Datetime("Not before", required=True, default=fields.Datetime.now)
    tries = fields.Integer()
    last_status = fields.Integer("Last HTTP status")
    last_error = fields.Char("Last failure")
    last_try_at = fields.Datetime("Last try")
    delivered_at = fields.Datetime()

    _message_unique = models.Constraint("UNIQUE(message_id)", "A message has an ID of its own.")
    _waiting_index = models.Index("(next_at, id) WHERE state = 'waiting'")
    _parked_index = models.Index("(webhook_id) WHERE state = 'parked'")

    @api.model
    def _queue(self, webhooks, event, data, case=None):
        """Write a message for each of `webhooks`, and wake the job when this transaction is through."""
        now = fields.Datetime.now()
        body = json.dumps(
            {"type": event, "timestamp": now.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z"), "data": data},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        values = [
            {
                "webhook_id": webhook.id,
                "event": event,
                "case_id": case and case.id,
                "message_id": f"msg_{uuid.uuid4().hex}",
                "body": body,
            }
            for webhook in webhooks
        ]
        self._wake()
        return unsealed(self.sudo()).create(values)

    @api.model
    def _wake(self, at=None):
        cron = self.env.ref("warehouse_exception.cron_outbox", raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger(at)

    def action_resend(self):
        """Try again from the beginning; the other side knows by the ID what it had already."""
        self.webhook_id._require_manager()
        again = self.filtered(lambda delivery: delivery.state != "delivered")
        unsealed(again.sudo()).write({"state": "waiting", "tries": 0, "next_at": fields.Datetime.now()})
        if again:
            self._wake()

    @api.model_create_multi
    def create(self, vals_list):
        self._check_sealed()
        return super().create(vals_list)

    def write(self, vals):
        self._check_sealed()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_old(self):
        self._check_sealed()

    @api.model
    def _check_sealed(self):
        if not is_unsealed(self.env):
            raise AccessError(
                self.env._("What is told to others is written by the outbox only. Use the button 'Resend'.")
            )

    @api.autovacuum
    def _gc_delivered(self):
        """The case keeps what happened; that it was told is of use for some weeks."""
        old = [("state", "=", "delivered"), ("delivered_at", "<", fields.Datetime.now() - KEPT)]
        found = self.sudo().search(old, order="id", limit=DELETED_AT_ONCE)
        unsealed(found).unlink()
        return len(found), len(found) == DELETED_AT_ONCE
