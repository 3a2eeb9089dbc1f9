from odoo import models
from odoo.tools.sql import column_exists


class IrModel(models.Model):
    _inherit = "ir.model"

    def unlink(self):
        """A response whose result was a record of an app that goes must stay readable: it keeps the result's name."""
        self.env["warehouse.exception.action"]._forget_results(self.mapped("model"))
        return super().unlink()


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    def _forget_results(self, models_gone):
        # While the core itself goes, its columns went before.
        if not models_gone or not column_exists(self.env.cr, self._table, "result"):
            return
        self.flush_model(["result", "note"])
        self.env.cr.execute(
            """
            UPDATE warehouse_exception_action
               SET note = concat_ws(' ', note, '(' || result || ')'), result = NULL
             WHERE split_part(result, ',', 1) = ANY(%s)
            """,
            [list(models_gone)],
        )
        self.invalidate_model(["result", "note"])
