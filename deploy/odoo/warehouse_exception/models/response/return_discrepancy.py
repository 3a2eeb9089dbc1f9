from odoo import models


class WarehouseExceptionCase(models.Model):
    """A customer sent back something else than the return says."""

    _inherit = "warehouse.exception.case"

    def _respond_return_discrepancy(self):
        self._link_line()
        self._tell_document()
        self._ask_lead()
        self._plan_at_the_dock()

    def _kind_for_short(self):
        # A vendor owes the rest and sends it. Of a customer who kept some of it nothing more is to be expected.
        return "short_close" if self.exception_type == "return_discrepancy" else super()._kind_for_short()
