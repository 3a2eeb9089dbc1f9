from odoo import api, models


class WarehouseExceptionAdapter(models.AbstractModel):
    _inherit = "warehouse.exception.adapter"

    @api.model
    def _quality_check(self, case):
        """An alert, since a check needs a control point that somebody has set up. Its team is the app's own default."""
        earlier = super()._quality_check(case)
        if earlier:
            return earlier
        values = {
            "title": self._title(case),
            "description": self._as_html(case),
            "company_id": case.company_id.id,
            "product_tmpl_id": case.product_id.product_tmpl_id.id,
            "product_id": case.product_id.id,
            "picking_id": case.picking_id.id,
            # One lot in some releases, several in others.
            "lot_id": case.lot_id.id,
            "lot_ids": [(6, 0, case.lot_id.ids)] if case.lot_id else False,
        }
        return self.env["quality.alert"].create(self._known("quality.alert", values))
