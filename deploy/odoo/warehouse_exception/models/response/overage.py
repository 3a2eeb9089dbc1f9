from odoo import models


class WarehouseExceptionCase(models.Model):
    """There is more in a bin, or in a pick, than there should be."""

    _inherit = "warehouse.exception.case"

    def _respond_overage(self):
        """More than the books say is a count to correct, or goods that belong elsewhere. Which, a second count tells; so
        that is asked for, and the correction waits for it. Both are responses of other kinds of exception as well.
        """
        self._link_line()
        self._tell_document()
        self._ask_lead()
        self._instruct("leave_surplus", self.env._("Leave the surplus where it is. Somebody will count again."))
        actions = self.env["warehouse.exception.action"]
        if self.product_id and self.location_id and self.quantity_variance > 0 and actions._has_kind("adjust"):
            actions._propose(self, "adjust", is_automatic=True)
            if self.policy_id.auto_recount and actions._has_kind("recount"):
                actions._propose(self, "recount", is_automatic=True)._run_at_once()


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    def _has_kind(self, kind):
        return kind in self._fields["kind"].get_values(self.env)

    def _kinds_for(self, case):
        wanted = {"adjust", "relocate"} if case.exception_type == "overage" else set()
        return super()._kinds_for(case) | {kind for kind in wanted if self._has_kind(kind)}
