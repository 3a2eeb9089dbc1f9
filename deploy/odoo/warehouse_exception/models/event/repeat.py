from odoo import api, models

from ..base.seal import unsealed

REPEATS_AT_ONCE = 50


class WarehouseExceptionEvent(models.Model):
    _inherit = "warehouse.exception.event"

    @api.model
    def _respond_to_repeats(self):
        progress = self.env["ir.cron"]
        due = self.search([("response_due", "=", True)], order="id", limit=REPEATS_AT_ONCE)
        for event in due:
            event.case_id._unless_busy(lambda _case, event=event: event._respond_to_repeat())
            if not progress._commit_progress(1):
                return
        if len(due) == REPEATS_AT_ONCE:
            self.env["warehouse.exception.case"]._trigger_responses()

    def _respond_to_repeat(self):
        if not self.response_due:
            return
        unsealed(self).write({"response_due": False})
        case = self.case_id
        failure = case._attempt(lambda: case._respond_to_report(self))
        if failure:
            case._message_log(body=self.env._("The response to a further report failed: %s", failure))
