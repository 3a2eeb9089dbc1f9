from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError

from ...lib import webhook as protocol
from ..base.seal import is_unsealed, unsealed

ALLOW_HTTP = "warehouse_exception.webhook_allow_http"
# So long the secret before is used, too: the other side changes over without losing anything.
OVERLAP = timedelta(hours=24)
SECRETS = frozenset({"secret", "previous_secret", "previous_until"})
SUBSCRIPTIONS = ("on_created", "on_step", "on_escalated")


class WarehouseExceptionWebhook(models.Model):
    """Where changes are told to, signed so that the other side can know that they come from here."""

    _name = "warehouse.exception.webhook"
    _description = "Webhook endpoint"
    _inherit = ["mail.thread"]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, ondelete="restrict"
    )
    url = fields.Char(
        "Address", required=True, help="https://... Treat it as a secret: whoever knows it can post there."
    )
    on_created = fields.Boolean("New cases", default=True, tracking=True)
    on_step = fields.Boolean("Steps of cases", default=True, tracking=True)
    on_escalated = fields.Boolean("Escalations", default=True, tracking=True)
    kind_ids = fields.Many2many("warehouse.exception.kind", string="Only these kinds", help="Empty: all.")

    # Readable by code only: a person sees a secret once, when it is made.
    secret = fields.Char(groups=".", copy=False)
    previous_secret = fields.Char(groups=".", copy=False)
    previous_until = fields.Datetime("The secret before is used until", readonly=True, copy=False)

    delivery_ids = fields.One2many("warehouse.exception.webhook.delivery", "webhook_id", "Deliveries", readonly=True)
    waiting_count = fields.Integer("Waiting", compute="_compute_counts")
    parked_count = fields.Integer("Parked", compute="_compute_counts")
    oldest_waiting_at = fields.Datetime("Oldest waiting", compute="_compute_counts")
    last_delivered_at = fields.Datetime("Last delivered", compute="_compute_counts")

    def _compute_counts(self):
        deliveries = self.env["warehouse.exception.webhook.delivery"].sudo()
        groups = deliveries._read_group(
            [("webhook_id", "in", self.ids), ("state", "in", ("waiting", "parked"))],
            ["webhook_id", "state"],
            ["__count", "create_date:min"],
        )
        found = {(webhook.id, state): (count, oldest) for webhook, state, count, oldest in groups}
        last = dict(
            deliveries._read_group(
                [("webhook_id", "in", self.ids), ("state", "=", "delivered")], ["webhook_id"], ["delivered_at:max"]
            )
        )
        for webhook in self:
            webhook.waiting_count, webhook.oldest_waiting_at = found.get((webhook.id, "waiting"), (0, False))
            webhook.parked_count = found.get((webhook.id, "parked"), (0, False))[0]
            webhook.last_delivered_at = last.get(webhook, False)

    @api.constrains("url")
    def _check_url(self):
        for webhook in self:
            try:
                protocol.check_url(webhook.url, self._allows_http())
            except protocol.BadUrl as error:
                raise ValidationError(self.env._("This address can't be used: %s.", error)) from error

    @api.model
    def _allows_http(self):
        return tools.str2bool(self.env["ir.config_parameter"].sudo().get_param(ALLOW_HTTP) or "", False)

    @api.model_create_multi
    def create(self, vals_list):
        self._check_no_secret(vals_list)
        webhooks = super().create(vals_list)
        for webhook in unsealed(webhooks.sudo()):
            webhook.secret = protocol.new_secret()
        self.env.registry.clear_cache()
        return webhooks

    def write(self, vals):
        self._check_no_secret([vals])
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    @api.model
    def _check_no_secret(self, vals_list):
        if not is_unsealed(self.env) and any(SECRETS & set(vals) for vals in vals_list):
            raise AccessError(self.env._("A secret is made here and shown once, by the button 'New secret'."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("An endpoint can't be deleted, for what was sent there is kept. Archive it."))

    # --- The buttons -------------------------------------------------------------------------------------------------

    def action_new_secret(self):
        """Make a new secret and show it, now and never again. The one before is used besides, for a day."""
        self.ensure_one()
        self._require_manager()
        secret = protocol.new_secret()
        now = fields.Datetime.now()
        values = {"secret": secret, "previous_secret": self.sudo().secret, "previous_until": now + OVERLAP}
        unsealed(self.sudo()).write(values)
        self.message_post(body=self.env._("A new secret was made and shown once."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Secret of %s", self.name),
            "res_model": "warehouse.exception.webhook.secret",
            "view_mode": "form",
            "target": "new",
            "context": {"default_secret": secret, "default_name": self.name},
        }

    def action_test(self):
        """One delivery that says nothing but that it is a test."""
        self._require_manager()
        data = {"text": self.env._("A test of this endpoint by %s.", self.env.user.name)}
        self.env["warehouse.exception.webhook.delivery"]._queue(self, "test", data)

    def action_resend_parked(self):
        self._require_manager()
        parked = [("webhook_id", "in", self.ids), ("state", "=", "parked")]
        self.env["warehouse.exception.webhook.delivery"].search(parked, order="id", limit=1000).action_resend()

    def action_open_deliveries(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.webhook_delivery_action")
        return {**action, "domain": [("webhook_id", "in", self.ids)]}

    def _require_manager(self):
        if not self.env.user.has_group("warehouse_exception.group_manager"):
            raise AccessError(self.env._("Only managers of Warehouse Exceptions do this. Nothing was changed."))
        if self.filtered(lambda webhook: not webhook.active):
            raise UserError(self.env._("The endpoint is archived. Take it back first; nothing was changed."))
        self.check_access("write")

    # --- For the outbox ----------------------------------------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _subscribed(self):
        """((id, company, subscriptions, kinds), ...) of all: looked at for each new case, so kept in memory."""
        return tuple(
            (
                webhook.id,
                webhook.company_id.id,
                frozenset(name for name in SUBSCRIPTIONS if webhook[name]),
                frozenset(webhook.kind_ids.mapped("code")),
            )
            for webhook in self.sudo().search([])
        )

    @api.model
    def _for(self, subscription, company_id, kind):
        """The endpoints that are told of this. A finding that is about no case has no kind, and goes to all."""
        ids = [
            webhook_id
            for webhook_id, its_company, subscriptions, kinds in self._subscribed()
            if its_company == company_id and subscription in subscriptions and (not kinds or not kind or kind in kinds)
        ]
        return self.sudo().browse(ids)

    def _signatures(self, message_id, timestamp, body):
        """Both, while a secret is being changed: the other side takes whichever it knows."""
        webhook = self.sudo()
        secrets = [webhook.secret]
        if webhook.previous_secret and webhook.previous_until and webhook.previous_until > fields.Datetime.now():
            secrets.append(webhook.previous_secret)
        return " ".join(protocol.sign(secret, message_id, timestamp, body) for secret in secrets)


class WarehouseExceptionWebhookSecret(models.TransientModel):
    """Shows a secret. It is in the dialog only: this table never has it."""

    _name = "warehouse.exception.webhook.secret"
    _description = "Secret of a webhook endpoint"

    name = fields.Char(readonly=True)
    secret = fields.Char(store=False, readonly=True)
