from odoo import api, models

from odoo.addons.warehouse_exception.models.base.seal import unsealed


class WarehouseExceptionAdapter(models.AbstractModel):
    """A request shows that a decision is waited for. The decision itself is taken in the case: what is clicked in the
    request decides nothing, since it knows neither who reported nor what is at stake."""

    _inherit = "warehouse.exception.adapter"

    @api.model
    def _approvals_asked(self, approval):
        result = super()._approvals_asked(approval)
        labels = dict(approval._fields["step"]._description_selection(approval.env))
        case = approval.case_id
        values = {
            "name": f"{self._title(case)} ({labels[approval.step]})",
            "category_id": self._approval_category(case.company_id).id,
            "request_owner_id": approval.asked_by_id.id,
            "reason": self._as_html(case),
            "reference": case.name,
            "amount": approval.amount,
            "date": approval.asked_at,
        }
        request = self.env["approval.request"].create(self._known("approval.request", values))
        unsealed(approval).write({"request_id": request.id})
        return result

    @api.model
    def _approvals_settled(self, approval):
        result = super()._approvals_settled(approval)
        if not approval.request_id:
            return result
        labels = dict(approval._fields["state"]._description_selection(approval.env))
        who = approval.decided_by_id.name or "-"
        said = self.env._("%(case)s: %(state)s (%(who)s)", case=approval.case_id.name, state=labels[approval.state], who=who)
        approval.request_id.message_post(body=said)
        if approval.request_id.request_status in ("new", "pending"):
            # Nothing is waited for any more, and the message says what was decided.
            approval.request_id.action_cancel()
        return result

    @api.model
    def _approval_category(self, company):
        categories = self.env["approval.category"]
        name = self.env._("Warehouse exceptions")
        found = categories.search([("name", "=", name), ("company_id", "=", company.id)], limit=1)
        values = {"name": name, "company_id": company.id, "approval_minimum": 1}
        return found or categories.create(self._known("approval.category", values))
