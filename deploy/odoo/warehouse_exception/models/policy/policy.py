from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..base.remember import remembered
from ..case.states import KINDS


class WarehouseExceptionPolicy(models.Model):
    """What the site wants of one kind of exception. Of several that fit a case, the narrowest counts: that for the
    warehouse before that for the company, that for a product category before that for all.
    """

    _name = "warehouse.exception.policy"
    _description = "Exception policy"
    _inherit = ["mail.thread"]
    _order = "exception_type, warehouse_id, categ_id, id"

    active = fields.Boolean(default=True)
    exception_type = fields.Selection(KINDS, "Kind", required=True, tracking=True)
    company_id = fields.Many2one("res.company", index=True, tracking=True)
    warehouse_id = fields.Many2one("stock.warehouse", tracking=True, check_company=True, ondelete="cascade")
    categ_id = fields.Many2one("product.category", "Product category", tracking=True, ondelete="cascade")
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")

    team_id = fields.Many2one("warehouse.exception.team", tracking=True, check_company=True, ondelete="restrict")
    user_id = fields.Many2one(
        "res.users", "Responsible", tracking=True, domain="[('share', '=', False)]", help="Goes before the team."
    )
    deadline_hours = fields.Float("Deadline (hours)", default=48, tracking=True)
    cause_required = fields.Boolean("Root cause required", tracking=True)

    materiality_amount = fields.Monetary(
        "Threshold (amount)", tracking=True, help="Cases with less than this at stake are below the threshold."
    )
    materiality_quantity = fields.Float("Threshold (quantity)", digits="Product Unit", tracking=True)
    immaterial = fields.Selection(
        [
            ("same", "Treat them like any other"),
            ("batch", "Collect them for one decision"),
            ("auto", "Approve what is proposed"),
        ],
        "Below the threshold",
        default="same",
        required=True,
        tracking=True,
    )
    execute_automatically = fields.Boolean("Do what was approved at once", tracking=True)
    auto_hold = fields.Boolean("Lock suspect stock", default=True, tracking=True)
    auto_reserve_elsewhere = fields.Boolean("Reserve from another bin", tracking=True)
    auto_replenish = fields.Boolean("Replenish", tracking=True)
    auto_recount = fields.Boolean("Ask for a recount", default=True, tracking=True)
    merge_hours = fields.Float(
        "One case for repeats within (hours)", default=24, tracking=True, help="0: each report is a case of its own."
    )
    retention_days = fields.Integer("Keep evidence (days)", default=730, tracking=True, help="0: for ever.")
    quarantine_location_id = fields.Many2one(
        "stock.location", "Quarantine", tracking=True, check_company=True, ondelete="restrict"
    )
    note = fields.Html("For whoever works on it")

    _retention_positive = models.Constraint(
        "CHECK(retention_days >= 0 AND deadline_hours > 0 AND merge_hours >= 0)",
        "Days and hours can't be negative, and a deadline can't be at once.",
    )

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for policy in self:
            policy.currency_id = (policy.company_id or self.env.company).currency_id

    @api.depends("exception_type", "company_id", "warehouse_id", "categ_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["exception_type"]._description_selection(self.env))
        for policy in self:
            parts = (policy.company_id.name, policy.warehouse_id.name, policy.categ_id.display_name)
            scope = ", ".join(filter(None, parts))
            name = kinds.get(policy.exception_type, "")
            policy.display_name = f"{name} ({scope})" if scope else name

    @api.constrains("exception_type", "company_id", "warehouse_id", "categ_id", "active")
    def _check_one_for_each_scope(self):
        scopes = self.sudo()._read_group([], ["exception_type", "company_id", "warehouse_id", "categ_id"], ["__count"])
        if any(count > 1 for *_scope, count in scopes):
            raise ValidationError(self.env._("There is a policy for exactly this scope already. Change that one."))

    @api.model
    def _match(self, case):
        """The narrowest policy that fits `case`; none is an empty one, with which everything waits for a person."""
        path = [int(step) for step in (case.product_id.categ_id.parent_path or "").split("/") if step]
        inside = self._inside(case.exception_type, case.company_id, case.warehouse_id)
        fitting = inside.filtered(lambda policy: not policy.categ_id or policy.categ_id.id in path)
        return max(fitting, key=lambda policy: policy._narrowness(path), default=fitting)

    @api.model
    @remembered
    def _inside(self, kind, company, warehouse):
        """The policies for `kind` there, of all product categories."""
        return self.sudo().search(
            [
                ("exception_type", "=", kind),
                ("company_id", "in", (False, company.id)),
                ("warehouse_id", "in", (False, warehouse.id)),
            ]
        )

    def _narrowness(self, path):
        depth = path.index(self.categ_id.id) + 1 if self.categ_id else 0
        return (bool(self.warehouse_id), depth, bool(self.company_id), -self.id)

    def _owner(self, case):
        """Who is responsible for a new case: a person, else whoever of the team has the least to do."""
        if self.user_id:
            return self.user_id
        team = self.sudo().team_id
        return team._least_busy(team.member_ids or team.leader_id)

    def _is_immaterial(self, case):
        """Below one of the thresholds, and not above the other. Without any, nothing is."""
        below = []
        if self.materiality_amount:
            below.append(case.amount_at_stake < self.materiality_amount)
        if self.materiality_quantity:
            below.append(case.quantity_at_stake < self.materiality_quantity)
        return bool(below) and all(below) and not case.product_id.exception_critical
