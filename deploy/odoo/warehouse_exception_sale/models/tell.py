from datetime import timedelta

from odoo import fields, models

from odoo.addons.warehouse_exception.lib.quantity import plain


class WarehouseExceptionCase(models.Model):
    """The salesperson promised the goods, and talks to the customer."""

    _inherit = "warehouse.exception.case"

    def _tell_shortage(self, move, missing):
        order = (move.sale_line_id.order_id or self.sale_order_id).sudo()
        if order:
            order._tell_salesperson(self, move, missing)
        return super()._tell_shortage(move, missing)

    def _after_step(self, before):
        for case in self.sudo().filtered(lambda case: case.state in ("resolved", "rejected", "cancelled")):
            if case.sale_order_id and case.exception_type == "pick_shortage":
                case.sale_order_id._message_log(body=case._end_in_words())
        return super()._after_step(before)

    def _end_in_words(self):
        labels = dict(self._fields["state"]._description_selection(self.env))
        return self.env._("%(case)s: %(state)s.", case=self.name, state=labels[self.state])


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _tell_salesperson(self, case, move, missing):
        """An activity on the order, which they may read; not on the case, which they may not. Once for each case."""
        summary = self.env._("Short in the warehouse: %s", case.name)
        if summary in self.activity_ids.mapped("summary") or self.state == "cancel":
            return
        note = self.env._(
            "%(missing)s %(unit)s of %(product)s were not found for %(transfer)s. %(elsewhere)s",
            missing=plain(missing),
            unit=case.product_id.uom_id.name,
            product=case.product_id.display_name,
            transfer=move.reference or self.name,
            elsewhere=self._elsewhere_in_words(case, move),
        )
        self._message_log(body=f"{case.name}: {note}")
        if self.user_id:
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                fields.Date.context_today(self) + timedelta(days=1),
                summary,
                note,
                user_id=self.user_id.id,
            )

    def _elsewhere_in_words(self, case, move):
        """Whether the customer has to be told at all."""
        moved = case.action_ids.filtered(lambda action: action.kind == "reserve_elsewhere" and action.state == "done")
        if move and move in moved.move_id:
            if move.state == "assigned":
                return self.env._("All of them are reserved in other bins: the customer need not be told.")
            return self.env._("Some of them are reserved in other bins.")
        return self.env._("Nothing is reserved in other bins.")
