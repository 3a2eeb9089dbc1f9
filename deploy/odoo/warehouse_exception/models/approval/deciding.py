from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..base.seal import unsealed
from .approval import ROLE_OF

# Of those that wait, the oldest: no person decides more of them today, and each is looked at one by one.
MAX_LOOKED_AT = 400


class WarehouseExceptionApproval(models.Model):
    """Who may decide, and what follows."""

    _inherit = "warehouse.exception.approval"

    can_decide = fields.Boolean(
        "I can decide",
        compute="_compute_can_decide",
        search="_search_can_decide",
        help="To look for them goes through the 400 that have waited longest; decided ones make room for the next.",
    )

    @api.depends_context("uid")
    @api.depends("state")
    def _compute_can_decide(self):
        user = self.env.user
        # At once for all: of each case's responses alone it would be a query a decision.
        self.sudo().case_id.action_ids.fetch(["edited_by_ids"])
        for approval in self:
            approval.can_decide = approval.state == "waiting" and not approval._reason_against(user)

    def _search_can_decide(self, operator, value):
        if operator != "in":
            return NotImplemented
        # What can be said in SQL narrows down what is looked at one by one.
        user = self.env.user
        steps = [step for step, role in ROLE_OF.items() if user.has_group(f"warehouse_exception.group_{role}")]
        domain = [("state", "=", "waiting"), ("step", "in", steps), ("asked_by_id", "!=", user.id)]
        named = ["|", ("user_ids", "=", False), ("user_ids", "=", user.id)]
        mine = self.search([*domain, *named], order="id", limit=MAX_LOOKED_AT).filtered("can_decide")
        return [("id", "in" if True in value else "not in", mine.ids)]

    def _reason_against(self, user):
        """Why `user` may not take this decision, in words; nothing, if they may."""
        self.ensure_one()
        approval = self.sudo()
        case, role = approval.case_id, ROLE_OF[approval.step]
        if not user.has_group(f"warehouse_exception.group_{role}"):
            return self.env._("it needs the role '%s'", self.env.ref(f"warehouse_exception.group_{role}").sudo().name)
        if approval.user_ids and user not in approval.user_ids:
            return self.env._("the policy names others: %s", ", ".join(approval.user_ids.mapped("name")))
        if case._was_reported_by(user):
            return self.env._("who reported a case does not approve it")
        plan = case._live_actions()
        if user in approval.asked_by_id | plan.filtered(lambda a: not a.is_automatic).proposed_by_id | plan.edited_by_ids:
            return self.env._("who proposed a response does not approve it")
        others = (case.approval_ids - approval).filtered(lambda other: other.round == approval.round)
        if user in others.decided_by_id:
            return self.env._("each decision about a case is taken by another person")
        earlier = others.filtered(lambda other: other.sequence < approval.sequence and other.state != "approved")
        if earlier:
            return self.env._("another decision comes first")
        return False

    # --- The buttons -------------------------------------------------------------------------------------------------

    def action_approve(self, comment=None):
        """Approve; of several, each for itself. Refused as a whole if one of them can't be."""
        for approval in self:
            approval._check_may_decide()
            approval._check_amount()
            approval._decide("approved", comment)
            waiting = approval.sudo().case_id.approval_ids.filtered(lambda other: other.state == "waiting")
            if not waiting:
                approval.case_id._approve(comment)

    def action_send_back(self, comment=None):
        """Not like this: whoever investigates proposes something else, or finds out more."""
        for approval in self:
            approval._end(comment, "investigating")

    def action_refuse(self, comment=None):
        """Nothing is to be done about this case at all."""
        for approval in self:
            approval._end(comment, "rejected")

    def _end(self, comment, state):
        if not comment:
            raise UserError(self.env._("Say why. Whoever proposed it needs to know."))
        self._check_may_decide()
        self._decide("refused", comment)
        case = self.case_id
        case.sudo().approval_ids._void()
        if state == "rejected":
            case._withdraw_plan()
        case._step(state, comment)

    def _check_may_decide(self):
        self.check_access("read")
        if self.state != "waiting":
            raise UserError(self.env._("%s: this was decided already. Reload to see how.", self.case_id.name))
        against = self._reason_against(self.env.user)
        if against:
            raise AccessError(
                self.env._("%(case)s can't be decided by you: %(why)s.", case=self.case_id.name, why=against)
            )

    def _check_amount(self):
        """Nobody approves an amount that they were not shown."""
        case = self.sudo().case_id
        case._assess()
        if case.currency_id.compare_amounts(case.amount_at_stake, self.amount):
            raise UserError(
                self.env._(
                    "%(case)s: what is at stake has changed from %(then)s to %(now)s since this decision was asked for. "
                    "Send it back, so that it is asked for anew.",
                    case=case.name,
                    then=case.currency_id.format(self.amount),
                    now=case.currency_id.format(case.amount_at_stake),
                )
            )

    def _decide(self, state, comment):
        unsealed(self.sudo()).write(
            {"state": state, "comment": comment, "decided_by_id": self.env.uid, "decided_at": fields.Datetime.now()}
        )


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _reporters(self):
        """The users behind whoever reported, as far as they are known. Bridges add the badge's owner."""
        self.ensure_one()
        return self._reporters_in_odoo()

    def _reporters_in_odoo(self):
        return self.env["res.users"]

    def _was_reported_by(self, user):
        """The same, asked about one person, which bridges that extend the one answer for less."""
        return user in self._reporters_in_odoo()
