from odoo import api, fields, models
from odoo.exceptions import UserError

CASE = "warehouse.exception.case"
APPROVAL = "warehouse.exception.approval"
MAX_LINES = 20


class WarehouseExceptionReason(models.TransientModel):
    """Asks why, and then presses the button: one dialog for every step that wants a word. The button's own method
    checks who may and when.
    """

    _name = "warehouse.exception.reason"
    _description = "Reason for a step"

    target = fields.Selection(selection="_selection_target", required=True, readonly=True)
    record_ids = fields.Json(required=True, readonly=True, default=lambda self: self._default_record_ids())
    about = fields.Text(compute="_compute_about", string="This is about")
    is_required = fields.Boolean(compute="_compute_about")
    explanation = fields.Char(compute="_compute_about")
    why = fields.Char()

    @api.model
    def _targets(self):
        """The buttons, as 'model,method': their label, what they do in a sentence, and whether they must have a reason.
        Other parts add theirs; the method takes the reason as its only argument.
        """
        return {
            f"{CASE},action_cancel": (
                self.env._("Cancel the case"),
                self.env._("Nobody works on it any more, and what was proposed is withdrawn. What was reported stays."),
                True,
            ),
            f"{CASE},action_withdraw": (
                self.env._("Take the case back"),
                self.env._("What was asked for or approved is undone. Nothing of it has been done yet."),
                False,
            ),
            f"{CASE},action_replan": (
                self.env._("Plan anew"),
                self.env._("What was done stays done; the rest is planned and decided anew."),
                False,
            ),
            f"{CASE},action_override": (
                self.env._("Set a rule aside"),
                self.env._("The case may go on although something is missing. That replaces no approval."),
                True,
            ),
            f"{CASE},action_reopen": (
                self.env._("Open again"),
                self.env._("What was done stays done; a new plan goes on from there."),
                True,
            ),
            f"{APPROVAL},action_approve": (
                self.env._("Approve"),
                self.env._("You approve what is proposed, and the amounts below."),
                False,
            ),
            f"{APPROVAL},action_send_back": (
                self.env._("Send back"),
                self.env._("Not like this: whoever investigates proposes something else, or finds out more."),
                True,
            ),
            f"{APPROVAL},action_refuse": (
                self.env._("Refuse"),
                self.env._("Nothing is to be done about this case at all. It is rejected."),
                True,
            ),
        }

    @api.model
    def _selection_target(self):
        return [(target, label) for target, (label, _text, _required) in self._targets().items()]

    @api.model
    def _default_record_ids(self):
        return self.env.context.get("active_ids") or []

    def _records(self):
        self.ensure_one()
        # The list is what counts: Odoo does not check a selection that a method makes.
        if self.target not in self._targets():
            raise UserError(self.env._("There is no such button. Nothing was changed."))
        model = self.target.partition(",")[0]
        return self.env[model].browse(self.record_ids or []).exists()

    @api.depends("target", "record_ids")
    def _compute_about(self):
        targets = self._targets()
        for wizard in self:
            _label, wizard.explanation, wizard.is_required = targets.get(wizard.target, ("", "", False))
            lines = wizard._lines() if wizard.target in targets else []
            if len(lines) > MAX_LINES:
                more = self.env._("... and %s more", len(lines) - MAX_LINES)
                lines = [*lines[:MAX_LINES], more]
            wizard.about = "\n".join(lines)

    def _lines(self):
        """One line a record: the number, and for a decision what is proposed and its amount."""
        records = self._records()
        if records._name == CASE:
            return records.mapped("name")
        lines = []
        for approval in records:
            proposed = ", ".join(approval.case_id.sudo()._live_actions().mapped("display_name"))
            amount = approval.currency_id.format(approval.amount)
            lines.append(f"{approval.case_id.name}   {amount}   {proposed}")
        if len(records) > 1:
            for currency in records.currency_id:
                mine = records.filtered(lambda approval, currency=currency: approval.currency_id == currency)
                lines.insert(0, self.env._("Together: %s", currency.format(sum(mine.mapped("amount")))))
        return lines

    def action_go(self):
        records = self._records()
        if self.is_required and not (self.why or "").strip():
            raise UserError(self.env._("Say why. The reason is kept with the case."))
        _model, _comma, method = self.target.partition(",")
        records.check_access("read")
        getattr(records, method)(self.why)
        return {"type": "ir.actions.act_window_close"}
