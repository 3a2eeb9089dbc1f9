from odoo import api, fields, models

# From what nobody looked at yet to what is decided: the least advanced unfinished case is what the order shows.
_STATES = [("open", "Being looked at"), ("deciding", "To be decided"), ("doing", "Being put right")]
_SHOWN = {
    "pending_approval": "deciding",
    "approved": "doing",
    "executing": "doing",
}
_FINISHED = ("resolved", "closed", "rejected", "cancelled")


class SaleOrder(models.Model):
    """Whoever promised the goods sees that something is wrong with them, whether or not they may read the case."""

    _inherit = "sale.order"

    exception_case_ids = fields.One2many(
        "warehouse.exception.case",
        "sale_order_id",
        "Exceptions in the warehouse",
        readonly=True,
        groups="warehouse_exception.group_user",
    )
    exception_state = fields.Selection(
        _STATES,
        "Warehouse exception",
        compute="_compute_exception_state",
        search="_search_exception_state",
        compute_sudo=True,
        help="Something was reported about this order's goods, and is not put right yet.",
    )
    exception_count = fields.Integer("Exceptions", compute="_compute_exception_state", compute_sudo=True)

    @api.depends("exception_case_ids.state")
    def _compute_exception_state(self):
        found = self.env["warehouse.exception.case"]._read_group(
            [("sale_order_id", "in", self.ids)], ["sale_order_id", "state"], ["__count"]
        )
        rank = [state for state, _label in _STATES]
        shown, counts = {}, {}
        for order, state, count in found:
            counts[order.id] = counts.get(order.id, 0) + count
            if state not in _FINISHED:
                shown.setdefault(order.id, []).append(_SHOWN.get(state, "open"))
        for order in self:
            order.exception_count = counts.get(order._origin.id, 0)
            order.exception_state = min(shown.get(order._origin.id, []), key=rank.index, default=False)

    def _search_exception_state(self, operator, value):
        """Good for "with an exception" and for a single state; the cases are few beside the orders."""
        if operator != "in":
            return NotImplemented
        cases = self.env["warehouse.exception.case"].sudo()
        found = cases._read_group(
            [("sale_order_id", "!=", False), ("state", "not in", _FINISHED)], ["sale_order_id"], ["id:recordset"]
        )
        wanted = self.browse([order.id for order, _cases in found]).filtered(
            lambda order: order.exception_state in value
        )
        if False in value:
            other = [order.id for order, _cases in found if order not in wanted]
            return [("id", "not in", other)]
        return [("id", "in", wanted.ids)]

    def action_view_exceptions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.case_action")
        return {**action, "view_mode": "list,form", "domain": [("sale_order_id", "=", self.id)], "context": {}}
