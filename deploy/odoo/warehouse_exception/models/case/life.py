from odoo import fields, models
from odoo.exceptions import UserError

from ..base.seal import unsealed
from .states import FINISHED, STEPS


class WarehouseExceptionCase(models.Model):
    """The steps from one state to the next. There is no other way, and each is told with who, when and why."""

    _name = "warehouse.exception.case"
    _inherit = ["warehouse.exception.case", "warehouse.exception.roles"]

    step_ids = fields.One2many("warehouse.exception.step", "case_id", "Steps", readonly=True)
    state_since = fields.Datetime("In this state since", readonly=True, index=True, copy=False)
    is_finished = fields.Boolean(compute="_compute_is_finished", search="_search_is_finished")

    # Whose turn it is, is asked for each new case, and most cases are finished.
    _unfinished_index = models.Index("(user_id) WHERE state NOT IN ('closed', 'rejected', 'cancelled')")

    def _compute_is_finished(self):
        for case in self:
            case.is_finished = case.state in FINISHED

    def _search_is_finished(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("state", "in" if True in value else "not in", FINISHED)]

    def _step(self, state, why=None):
        """Go to `state`, or say why that can't be. Whoever calls this has checked the role.

        Written with more rights than a person has, since most roles may only read cases; the step names the person.
        """
        self.check_access("read")
        labels = dict(self._fields["state"]._description_selection(self.env))
        for case in self:
            if case.state not in STEPS[state]:
                raise UserError(
                    self.env._(
                        "%(case)s is '%(now)s' and can't become '%(wanted)s'. Somebody may have been faster: reload.",
                        case=case.name,
                        now=labels[case.state],
                        wanted=labels[state],
                    )
                )
        before = {case: case.state for case in self}
        now = fields.Datetime.now()
        self._note_steps(state, why, now)
        unsealed(self.sudo()).write({"state": state, "state_since": now})
        if why:
            for case in self:
                case.sudo()._message_log(body=why)
        self._after_step(before)

    def _note_steps(self, state, why, now):
        self.env["warehouse.exception.step"].sudo().create(
            [self._step_values(case, case.state, state, why, now) for case in self]
        )

    def _step_values(self, case, before, state, why, now):
        return {
            "case_id": case.id,
            "company_id": case.company_id.id,
            "from_state": before,
            "to_state": state,
            "at": now,
            "user_id": self.env.uid,
            "why": why,
            "seconds": (now - (case.state_since or case.received_at)).total_seconds(),
        }

    def _note_first_steps(self, now):
        """New cases that were created in the state that they begin with: what a step there would have noted and told."""
        for state, cases in self.grouped("state").items():
            if state == "received":
                continue
            self.env["warehouse.exception.step"].sudo()._insert(
                [cases._step_values(case, "received", state, None, now) for case in cases]
            )
            cases._after_step(dict.fromkeys(cases, "received"))

    def _after_step(self, before):
        """What follows from a step. `before` has each case's earlier state. Other parts add theirs."""
        finished = self.filtered(lambda case: case.state in FINISHED)
        if finished:
            finished.sudo().activity_unlink(["mail.mail_activity_data_todo"])

    # --- The buttons -------------------------------------------------------------------------------------------------

    def action_take(self):
        """Begin to investigate; who begins is responsible, if nobody is yet."""
        self._require_role("investigate")
        self._step("investigating")
        for case in self.filtered(lambda case: not case.user_id):
            case.user_id = self.env.user

    def action_cancel(self, why=None):
        self._require_role("investigate")
        self._withdraw_plan()
        self._step("cancelled", why)

    def action_close(self):
        self._require_role("close")
        self._step("closed")

    def action_reopen(self, why=None):
        """A decision or a result turned out to be wrong. What was done stays done; a new plan goes on from there."""
        self._require_role("override")
        if not why:
            raise UserError(self.env._("Say why this case is opened again. The reason is kept with the case."))
        wrong = self.filtered(lambda case: case.state not in ("resolved", "rejected"))
        if wrong:
            raise UserError(
                self.env._("Only resolved and rejected cases can be opened again: %s.", ", ".join(wrong.mapped("name")))
            )
        self._step("investigating", why)

    def _withdraw_plan(self):
        """Nothing of what was proposed or approved is to be done any more. The responses extend this."""
