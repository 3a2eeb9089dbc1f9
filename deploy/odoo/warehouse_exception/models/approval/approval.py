from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..base.seal import is_unsealed, unsealed

STEPS = [("operational", "Operational"), ("second", "Second operational"), ("financial", "Financial")]
ROLE_OF = {"operational": "approve", "second": "approve", "financial": "approve_finance"}


class WarehouseExceptionApproval(models.Model):
    """One decision that a case waits for, or that was taken. Operational and financial are different people's."""

    _name = "warehouse.exception.approval"
    _description = "Approval"
    _inherit = ["warehouse.exception.roles"]
    _order = "id"

    case_id = fields.Many2one("warehouse.exception.case", required=True, index=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    round = fields.Integer(required=True, readonly=True, help="A case that was taken back is decided anew.")
    sequence = fields.Integer(required=True, readonly=True)
    step = fields.Selection(STEPS, required=True, readonly=True)
    state = fields.Selection(
        [("waiting", "Waiting"), ("approved", "Approved"), ("refused", "Refused"), ("void", "Void")],
        default="waiting",
        required=True,
        readonly=True,
        index=True,
    )
    amount = fields.Monetary(readonly=True, help="What was at stake when the decision was asked for.")
    asked_at = fields.Datetime(readonly=True, default=fields.Datetime.now, required=True)
    asked_by_id = fields.Many2one("res.users", readonly=True, default=lambda self: self.env.uid, ondelete="restrict")
    user_ids = fields.Many2many("res.users", string="Only these may", readonly=True)
    decided_at = fields.Datetime(readonly=True)
    decided_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict", index=True)
    comment = fields.Char(readonly=True)
    in_batch = fields.Boolean("To decide together", readonly=True, help="Below the threshold: collected for one decision.")

    exception_type = fields.Selection(related="case_id.exception_type", store=True)
    product_id = fields.Many2one(related="case_id.product_id")
    quantity_variance = fields.Float(related="case_id.quantity_variance")

    _once = models.Constraint("UNIQUE(case_id, round, step)", "A decision is asked for once.")
    _waiting_index = models.Index("(step, id) WHERE state = 'waiting'")

    @api.model
    def _ask(self, case, steps):
        """Ask for the decisions `steps`, in this order. The amount is what each approver is shown and decides about."""
        number = max(case.approval_ids.mapped("round"), default=0) + 1
        in_batch = case.policy_id.immaterial == "batch" and case.policy_id._is_immaterial(case)
        bands = case.policy_id.matrix_ids.filtered(lambda band: band._fits(case))
        asked = unsealed(self).create(
            [
                {
                    "case_id": case.id,
                    "round": number,
                    "sequence": place,
                    "step": step,
                    "amount": case.amount_at_stake,
                    "in_batch": in_batch,
                    "user_ids": [fields.Command.set(bands[bands._users_field(step)].ids)],
                }
                for place, step in enumerate(steps)
            ]
        )
        return asked.with_env(self.env)

    def _void(self):
        unsealed(self.filtered(lambda approval: approval.state == "waiting")).write({"state": "void"})

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("Approvals are asked for by their case."))
        return super().create(vals_list)

    def write(self, vals):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("A decision is taken by the buttons and not edited."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("A decision can't be deleted."))


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    approval_ids = fields.One2many("warehouse.exception.approval", "case_id", "Approvals", readonly=True)
