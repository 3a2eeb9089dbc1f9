from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from ..base.seal import is_unsealed, unsealed

TASK = frozenset({"task_model", "task_id", "task_name"})


class WarehouseExceptionCase(models.Model):
    """Quality or helpdesk look at a case, whichever app there is; else whoever is responsible is asked to."""

    _inherit = "warehouse.exception.case"

    # No Reference: that breaks every view of the case once the other app is uninstalled.
    task_model = fields.Char(readonly=True, copy=False)
    task_id = fields.Many2oneReference("Task in another app", model_field="task_model", readonly=True, copy=False)
    task_name = fields.Char("Task", readonly=True, copy=False, help="What quality, helpdesk or a person was asked to do.")
    has_task = fields.Boolean(compute="_compute_has_task")

    def _compute_has_task(self):
        for case in self:
            case.has_task = bool(case._task())

    def _task(self):
        """The record in the other app, if both are still there."""
        self.ensure_one()
        if not self.task_id or self.task_model not in self.env:
            return None
        return self.env[self.task_model].browse(self.task_id).exists()

    def write(self, vals):
        if TASK & set(vals) and not is_unsealed(self.env):
            raise AccessError(self.env._("Which task belongs to a case is not edited: the case opens it, once."))
        return super().write(vals)

    def _open_quality_task(self, note=None, summary=None):
        """Have somebody of quality look at this, once for each case; returns the other app's record, if there is one.

        An app that refuses is told in the case, and the next one is asked.
        """
        self.ensure_one()
        case = self.sudo()
        if case.task_name:
            return case._task()
        adapter = self.env["warehouse.exception.adapter"].sudo().with_company(case.company_id)
        for ask in (adapter._quality_check, adapter._helpdesk_ticket):
            task = case._task_by(ask)
            if task:
                unsealed(case).write({"task_model": task._name, "task_id": task.id, "task_name": task.display_name})
                if note:
                    task.message_post(body=note)
                case._message_log(body=self.env._("Task opened: %s", task.display_name))
                return task
        item = case.product_id.display_name or case.gtin or case.product_code or case.name
        summary = summary or self.env._("Inspect: %s", item)
        unsealed(case).write({"task_name": summary})
        case._ask_to_do(case._quality_responsible(), summary, note)
        return None

    def _task_by(self, ask):
        found = []
        failure = self._attempt(lambda: found.append(ask(self)))
        if failure:
            self._message_log(body=self.env._("No task could be opened in another app: %s", failure))
        return found[0] if found and not failure else None

    def _quality_responsible(self):
        """Who is asked where no other app takes the task."""
        return self.user_id or self.policy_id.team_id.leader_id or self.warehouse_id.exception_lead_id

    def action_open_task(self):
        """Show the task, as far as the other app lets this user see it."""
        self.ensure_one()
        task = self._task()
        if not task:
            raise UserError(
                self.env._(
                    "The task of %(case)s is not there any more: %(task)s", case=self.name, task=self.task_name or "-"
                )
            )
        return {"type": "ir.actions.act_window", "res_model": task._name, "res_id": task.id, "views": [(False, "form")]}

    def _task_reports(self, text):
        """What became of the task, told by the bridge: in the chatter, and to whoever is responsible."""
        for case in self.sudo():
            case._message_log(body=text)
            if case.user_id and not case.is_finished:
                case._ask_to_do(case.user_id, text)
