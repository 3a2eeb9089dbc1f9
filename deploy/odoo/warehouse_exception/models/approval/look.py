from odoo import api, fields, models

from .approval import ROLE_OF


class WarehouseExceptionApproval(models.Model):
    """What whoever decides needs to see."""

    _inherit = "warehouse.exception.approval"

    who_may = fields.Char("Who may decide", compute="_compute_who_may")
    proposal = fields.Char("What is proposed", compute="_compute_proposal")
    location_id = fields.Many2one(related="case_id.location_id")
    deadline_at = fields.Datetime(related="case_id.deadline_at")
    is_overdue = fields.Boolean(compute="_compute_is_overdue", search="_search_is_overdue")
    thumbnail_id = fields.Many2one(related="case_id.thumbnail_id")

    @api.depends("step")
    def _compute_display_name(self):
        steps = dict(self._fields["step"]._description_selection(self.env))
        for approval in self:
            approval.display_name = steps.get(approval.step)

    @api.depends("step", "user_ids")
    def _compute_who_may(self):
        groups = {role: self.env.ref(f"warehouse_exception.group_{role}").sudo().name for role in set(ROLE_OF.values())}
        for approval in self:
            names = approval.sudo().user_ids.mapped("name")
            anybody = self.env._("Anybody with '%s'", groups[ROLE_OF[approval.step]])
            approval.who_may = ", ".join(names) or anybody

    @api.depends("case_id.action_ids.kind", "case_id.action_ids.quantity", "case_id.action_ids.state")
    def _compute_proposal(self):
        for approval in self:
            proposed = approval.case_id.action_ids.filtered(lambda action: action.state != "withdrawn")
            approval.proposal = ", ".join(proposed.mapped("display_name"))

    @api.depends("state", "case_id.deadline_at")
    def _compute_is_overdue(self):
        now = fields.Datetime.now()
        for approval in self:
            deadline = approval.case_id.deadline_at
            approval.is_overdue = approval.state == "waiting" and bool(deadline) and deadline < now

    def _search_is_overdue(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        return [("state", "=", "waiting"), ("case_id.deadline_at", "<", fields.Datetime.now())]

    def action_open_case(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.case_id._name,
            "res_id": self.case_id.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    @api.depends("kind", "quantity", "uom_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for action in self:
            label = kinds.get(action.kind, "")
            some = action.kind != "accept" and action.product_id and action.quantity
            action.display_name = f"{label}: {action.quantity:g} {action.uom_id.name}" if some else label


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _reporters_in_odoo(self):
        return super()._reporters_in_odoo() | self.reported_by_id
