from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..base.seal import is_unsealed, unsealed
from .path import CASE_TRIGGERS

FINDING_TRIGGERS = [
    ("repeat_product", "Repeated: product"),
    ("repeat_bin", "Repeated: bin"),
    ("repeat_supplier", "Repeated: supplier"),
    ("repeat_operator", "Repeated: operator"),
    ("silent", "Device silent"),
    ("gap", "Gap in a device's chain"),
    ("broken", "Broken chain of a device"),
]


class WarehouseExceptionEscalation(models.Model):
    """That somebody was told of something that stood too long or came too often. Written once, never edited.

    `key` names the reason and the time from which it counts: whoever finds the same again finds it told.
    """

    _name = "warehouse.exception.escalation"
    _description = "Escalation"
    _inherit = ["warehouse.exception.append.only", "mail.thread", "mail.activity.mixin"]
    _mail_post_access = "read"
    _order = "id desc"

    name = fields.Char("What", required=True)
    key = fields.Char(required=True, copy=False)
    trigger = fields.Selection([*CASE_TRIGGERS, *FINDING_TRIGGERS], required=True, index=True)
    level = fields.Integer(required=True, default=1)
    at = fields.Datetime("When", required=True, default=fields.Datetime.now, index=True)
    since = fields.Datetime(required=True, help="From when on it counts.")
    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="restrict")
    warehouse_id = fields.Many2one("stock.warehouse", ondelete="restrict")
    case_id = fields.Many2one("warehouse.exception.case", index="btree_not_null", ondelete="restrict")
    device_id = fields.Many2one("warehouse.exception.device", index="btree_not_null", ondelete="restrict")
    product_id = fields.Many2one("product.product", index="btree_not_null", ondelete="restrict")
    location_id = fields.Many2one("stock.location", "Bin", index="btree_not_null", ondelete="restrict")
    partner_id = fields.Many2one("res.partner", "Supplier", index="btree_not_null", ondelete="restrict")
    operator_badge = fields.Char()
    number = fields.Integer("Cases", help="How many in the time that was looked at.")
    user_ids = fields.Many2many("res.users", string="Told", help="Empty: nobody is named who could be told.")
    nobody = fields.Boolean("Nobody was told")

    _key_unique = models.Constraint("UNIQUE(key)", "This was escalated already.")

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("Escalations are written by the scheduled jobs only."))
        return super().create(vals_list)

    @api.model
    def _escalate(self, vals_list):
        """Write these down and tell whom they name, or nothing of it, if another worker was faster with one of them."""
        quiet = {"mail_create_nolog": True, "mail_create_nosubscribe": True, "tracking_disable": True}
        try:
            with self.env.cr.savepoint():
                written = unsealed(self.sudo().with_context(**quiet)).create(vals_list)
        except UniqueViolation:
            return self.browse()
        written = written.with_env(self.env)
        written._tell()
        return written


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    escalation_ids = fields.One2many("warehouse.exception.escalation", "case_id", "Escalations", readonly=True)
    open_since = fields.Datetime(
        compute="_compute_open_since",
        store=True,
        precompute=True,
        readonly=True,
        copy=False,
        help="From when on its age counts: when it was received, or opened again.",
    )

    _aging_index = models.Index("(policy_id, open_since) WHERE state NOT IN ('closed', 'rejected', 'cancelled')")

    @api.depends("received_at")
    def _compute_open_since(self):
        for case in self:
            case.open_since = case.received_at

    def _after_step(self, before):
        again = self.filtered(lambda case: before[case] in ("resolved", "rejected") and case.state == "investigating")
        unsealed(again.sudo()).write({"open_since": fields.Datetime.now()})
        return super()._after_step(before)
