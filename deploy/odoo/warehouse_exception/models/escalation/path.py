from odoo import api, fields, models

CASE_TRIGGERS = [
    ("aging", "Not finished"),
    ("deadline", "Deadline missed"),
    ("approval", "Approval outstanding"),
    ("quarantine", "Quarantine unresolved"),
    ("evidence", "Evidence missing"),
]
# Who is asked first. Where there is no such person, the next one up is told.
RECIPIENTS = [
    ("owner", "Responsible"),
    ("leader", "Team leader"),
    ("lead", "Warehouse lead"),
    ("user", "A person"),
]
# (trigger, hours, level, to whom): the path that a new policy begins with.
DEFAULT_PATH = (
    ("aging", 48, 1, "owner"),
    ("aging", 96, 2, "lead"),
    ("deadline", 0, 1, "leader"),
    ("deadline", 24, 2, "lead"),
    ("approval", 24, 1, "leader"),
    ("approval", 48, 2, "lead"),
    ("quarantine", 72, 1, "lead"),
    ("evidence", 24, 1, "owner"),
)


class WarehouseExceptionPolicy(models.Model):
    _inherit = "warehouse.exception.policy"

    escalation_ids = fields.One2many(
        "warehouse.exception.policy.escalation",
        "policy_id",
        "Escalation path",
        copy=True,
        default=lambda self: self._default_escalations(),
    )

    @api.model
    def _default_escalations(self):
        names = ("trigger", "after_hours", "level", "to")
        return [fields.Command.create(dict(zip(names, step, strict=True))) for step in DEFAULT_PATH]


class WarehouseExceptionPolicyEscalation(models.Model):
    """One step of the path: after how many hours of what, who is told."""

    _name = "warehouse.exception.policy.escalation"
    _description = "Step of an escalation path"
    _order = "policy_id, trigger, level"
    _rec_name = "trigger"

    policy_id = fields.Many2one("warehouse.exception.policy", required=True, index=True, ondelete="cascade")
    trigger = fields.Selection(CASE_TRIGGERS, required=True, default="aging")
    after_hours = fields.Float(
        required=True,
        default=48,
        help="Since the case was opened (or opened again); since its deadline; since the approval was asked for.",
    )
    level = fields.Integer(required=True, default=1)
    to = fields.Selection(RECIPIENTS, "Who is told", required=True, default="owner")
    user_id = fields.Many2one("res.users", "Person", domain="[('share', '=', False)]", ondelete="restrict")

    _level_unique = models.Constraint(
        "UNIQUE(policy_id, trigger, level)", "There is a step of this level for this already. Take the next level."
    )
    _sane = models.Constraint(
        "CHECK(after_hours >= 0 AND level BETWEEN 1 AND 9 AND (\"to\" <> 'user' OR user_id IS NOT NULL))",
        "Hours can't be negative, levels go from 1 to 9, and a person must be chosen where one is to be told.",
    )
