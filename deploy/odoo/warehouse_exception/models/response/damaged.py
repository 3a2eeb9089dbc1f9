from odoo import api, models

from ...lib.quantity import plain


class WarehouseExceptionCase(models.Model):
    """Damaged: set it aside, have it looked at, and only then decide whether it is scrapped, returned or released."""

    _inherit = "warehouse.exception.case"

    @api.depends("exception_type")
    def _compute_quantity_at_stake(self):
        """What was counted is what is damaged, however much the document speaks of."""
        result = super()._compute_quantity_at_stake()
        for case in self.filtered(lambda case: case.exception_type == "damaged"):
            case.quantity_at_stake = case._in_product_unit(case.quantity_counted)
        return result

    def _find_expected(self):
        """No transfer expects anything to be damaged."""
        return {} if self.exception_type == "damaged" else super()._find_expected()

    def _respond_damaged(self):
        if self.product_id:
            self.env["warehouse.exception.action"]._propose(self, "quarantine", is_automatic=True)
            self._tell_to_set_aside()
        self._quality_task()

    def _tell_to_set_aside(self):
        quantity, unit = plain(self.quantity_at_stake), self.product_id.uom_id.name
        self._instruct(
            "set_aside",
            self.env._(
                "Set %(quantity)s %(unit)s of %(product)s aside, label it with %(case)s, and don't pick it.",
                quantity=quantity,
                unit=unit,
                product=self.product_id.display_name,
                case=self.name,
            ),
            bin=self._code_of(self._suspect_place()) or self.bin_code,
            quantity=quantity,
            unit=unit,
        )

    def _quality_task(self):
        """Somebody has to look at it."""
        self._open_quality_task(
            self.env._(
                "%(quantity)s %(unit)s of %(product)s, reported in %(bin)s. Reason: %(reason)s.",
                quantity=plain(self.quantity_at_stake),
                unit=self.product_id.uom_id.name or self.unit_code or "",
                product=self.product_id.display_name or self.product_code or "",
                bin=self._suspect_place().display_name or self.bin_code or "?",
                reason=self.reason_code or "?",
            ),
            self.env._("Inspect what is damaged"),
        )
