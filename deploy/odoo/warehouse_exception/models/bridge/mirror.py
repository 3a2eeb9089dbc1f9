from odoo import api, models


class WarehouseExceptionApproval(models.Model):
    """Other apps may show which decisions are waited for. They take none."""

    _inherit = "warehouse.exception.approval"

    @api.model
    def _ask(self, case, steps):
        asked = super()._ask(case, steps)
        asked._tell_adapters("_approvals_asked")
        return asked

    def _decide(self, state, comment):
        result = super()._decide(state, comment)
        self._tell_adapters("_approvals_settled")
        return result

    def _void(self):
        waiting = self.filtered(lambda approval: approval.state == "waiting")
        result = super()._void()
        waiting._tell_adapters("_approvals_settled")
        return result

    def _tell_adapters(self, hook):
        """A mirror that fails is no reason to refuse a decision; the case says that it failed."""
        for approval in self.sudo():
            adapter = self.env["warehouse.exception.adapter"].sudo().with_company(approval.company_id)
            failure = approval.case_id._attempt(lambda adapter=adapter, one=approval: getattr(adapter, hook)(one))
            if failure:
                approval.case_id._message_log(body=self.env._("Another app could not show this decision: %s", failure))
