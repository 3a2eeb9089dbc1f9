import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError

from ..base.seal import unsealed
from .states import PLANNABLE

_logger = logging.getLogger(__name__)


class WarehouseExceptionCase(models.Model):
    """From what is proposed to what is done: submit, approve, execute, and the ways back before that."""

    _inherit = "warehouse.exception.case"

    action_ids = fields.One2many("warehouse.exception.action", "case_id", "Responses")
    cause_id = fields.Many2one("warehouse.exception.cause", "Root cause", tracking=True, ondelete="restrict")
    override_reason = fields.Char("Override", readonly=True, copy=False, help="Why a rule was set aside, and by whom.")
    failure = fields.Char(
        "Last failure", readonly=True, copy=False, help="Why a response could not be done. Nothing of it was."
    )

    def _live_actions(self):
        return self.action_ids.filtered(lambda action: action.state in ("proposed", "approved", "failed"))

    def _obstacles(self):
        """What stands in the way of asking for a decision, in words. Other parts add theirs."""
        self.ensure_one()
        found = []
        if not self._live_actions():
            found.append(self.env._("nothing is proposed (if nothing is to be done, propose 'Accept as it is')"))
        if self.policy_id.cause_required and not self.cause_id:
            found.append(self.env._("the root cause is missing"))
        return found

    # --- The buttons -------------------------------------------------------------------------------------------------

    def action_submit(self):
        """Ask those for a decision whom the policy names."""
        self._require_role("investigate")
        for case in self:
            case._require_state(*PLANNABLE)
            obstacles = case._obstacles()
            if obstacles and not (case.override_reason and case._live_actions()):
                raise UserError(
                    self.env._("%(case)s can't be decided yet: %(why)s.", case=case.name, why="; ".join(obstacles))
                )
            case._submit()

    def action_override(self, why=None):
        """Let a case go on although something that the policy asks for is missing. It never replaces an approval."""
        self._require_role("override")
        if not why:
            raise UserError(self.env._("Say why the rule is set aside. The reason is kept with the case."))
        text = self.env._("%(user)s: %(why)s", user=self.env.user.name, why=why)
        unsealed(self.sudo()).write({"override_reason": text})
        for case in self:
            case.sudo()._message_log(body=self.env._("Rules set aside. %s", text))

    def action_withdraw(self, why=None):
        """Undo what was asked for or approved, before any of it is done."""
        self._require_role("investigate")
        self._require_state("pending_approval", "approved")
        self.sudo().approval_ids._void()
        for action in self.sudo()._live_actions():
            action._back_to_proposed()
        self._step("investigating", why)

    def action_execute(self):
        """Do what was approved."""
        for case in self:
            case._require_role(*case._execution_roles())
            case._execute()

    def action_replan(self, why=None):
        """A response failed, and trying again won't help. What was done stays; the rest is planned anew."""
        self._require_role("investigate")
        self._require_state("executing")
        for action in self.sudo()._live_actions():
            action._back_to_proposed()
        self._step("investigating", why)

    # --- How -----------------------------------------------------------------------------------------------------------

    def _require_state(self, *states):
        labels = dict(self._fields["state"]._description_selection(self.env))
        for case in self:
            if case.state not in states:
                raise UserError(
                    self.env._(
                        "%(case)s is '%(now)s': this can't be done in that state. Reload to see what can.",
                        case=case.name,
                        now=labels[case.state],
                    )
                )

    def _submit(self, why=None):
        """Assess, and ask for the approvals that policy wants; none of them, and the case is approved by policy."""
        self.ensure_one()
        self._assess()
        needed = self.policy_id._approvals_needed(self)
        if needed:
            self._step("pending_approval", why)
            self.env["warehouse.exception.approval"].sudo()._ask(self, needed)
        else:
            self._approve(why or self.env._("Approved by policy: it is below the threshold."))

    def _approve(self, why=None):
        """Every decision that was asked for is there."""
        for action in self.sudo()._live_actions():
            unsealed(action).write({"state": "approved"})
        self._step("approved", why)
        self.filtered("policy_id.execute_automatically")._respond_later()

    def _execution_roles(self):
        """Any of these may execute. Releasing what was blocked is a role of its own."""
        return ("release",) if any(action._is_release() for action in self._live_actions()) else ("execute",)

    def _execute(self):
        """Do each approved response, in order. The first that fails stops the rest; what was done stays done."""
        self.ensure_one()
        if self.state == "approved":
            self._step("executing")
        self._require_state("executing")
        for action in self.sudo()._live_actions().sorted("sequence"):
            failure = self._attempt(action._run)
            unsealed(self.sudo()).write({"failure": failure})
            if failure:
                unsealed(action).write({"state": "failed", "failure": failure})
                self.sudo()._message_log(body=self.env._("Could not be done: %s", failure))
                action._after_failure()
                return
        self._step("resolved")

    @api.model
    def _attempt(self, work):
        """Do `work`, or undo all of it and say why it failed."""
        try:
            with self.env.cr.savepoint():
                work()
                self.env.flush_all()
        except (OperationalError, ConcurrencyError):
            raise  # the whole transaction is tried again
        except (UserError, AccessError) as error:
            return str(error)
        except Exception as error:  # another addon's rule, or a bug: the case must not be stuck without a word
            _logger.exception("A response of a case failed.")
            return self.env._("Unexpected error (the server's log has more): %s", error)
        return False

    def _withdraw_plan(self):
        for case in self.sudo():
            case.approval_ids._void()
            unsealed(case._live_actions()).write({"state": "withdrawn"})
        return super()._withdraw_plan()
