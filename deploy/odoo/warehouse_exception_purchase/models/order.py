from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models


class PurchaseOrder(models.Model):
    """An order shows the cases about it, and what is claimed of its vendor."""

    _inherit = "purchase.order"

    exception_case_ids = fields.One2many("warehouse.exception.case", "purchase_order_id", "Exceptions", readonly=True)
    exception_case_count = fields.Integer("Number of exceptions", compute="_compute_exception_counts")
    exception_claim_count = fields.Integer("Number of claims", compute="_compute_exception_counts")

    def _compute_exception_counts(self):
        def counted(model):
            found = (
                self.env[model]
                .sudo()
                ._read_group([("purchase_order_id", "in", self.ids)], ["purchase_order_id"], ["__count"])
            )
            return {order.id: count for order, count in found}

        cases, claims = counted("warehouse.exception.case"), counted("warehouse.exception.claim")
        for order in self:
            order.exception_case_count = cases.get(order._origin.id, 0)
            order.exception_claim_count = claims.get(order._origin.id, 0)

    def action_exception_cases(self):
        """The cases about this order; the one, if it is one."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.case_action")
        action |= {"domain": [("purchase_order_id", "=", self.id)], "context": {}}
        cases = self.exception_case_ids
        if len(cases) == 1:
            action |= {"views": [(False, "form")], "res_id": cases.id}
        return action

    def action_exception_claims(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.claim_action")
        return action | {"domain": [("purchase_order_id", "=", self.id)], "context": {}}

    def _ask_buyer_about(self, case, note):
        """An activity on the order, which the buyer may read; not on the case, which they may not. Once for each case."""
        summary = self.env._("Delivered otherwise than ordered: %s", case.name)
        for order in self.filtered("user_id"):
            if summary not in order.activity_ids.mapped("summary"):
                order.activity_schedule(
                    "mail.mail_activity_data_todo",
                    fields.Date.context_today(self) + timedelta(days=1),
                    summary,
                    note,
                    user_id=order.user_id.id,
                )

    def _note_exception(self, case, text):
        """A line in the chatter that leads to the case."""
        for order in self.sudo():
            order._message_log(body=Markup("%s %s") % (case._get_html_link(), text))
