from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError

from ...lib.quantity import plain


class WarehouseExceptionAction(models.Model):
    """What helps an order that found its bin short: stock from another bin, or new stock."""

    _inherit = "warehouse.exception.action"

    kind = fields.Selection(
        selection_add=[("reserve_elsewhere", "Reserve from another bin"), ("replenish", "Replenish")],
        ondelete={"reserve_elsewhere": "cascade", "replenish": "cascade"},
    )

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        if case._short_move():
            kinds |= {"reserve_elsewhere"}
        if case.exception_type == "pick_shortage" and case._orderpoint():
            kinds |= {"replenish"}
        return kinds

    @api.model
    def _defaults_for(self, case, kind):
        values = super()._defaults_for(case, kind)
        return {**values, "move_id": case.sudo()._short_move().id} if kind == "reserve_elsewhere" else values

    # --- Reserve from another bin --------------------------------------------------------------------------------------

    def _do_reserve_elsewhere(self):
        """Move this order's reservation, and nobody else's, from the bin that was short to bins that have it free.

        What no other bin has stays reserved where it is: given up, another order would run into the same gap.
        """
        self._require_quantity()
        move = self.move_id
        if not move or move.state in ("done", "cancel", "draft"):
            raise UserError(
                self.env._("The transfer is finished or has no such product any more. Nothing was reserved.")
            )
        if move.picked and move._get_picked_quantity() >= move.product_uom_qty:
            raise UserError(self.env._("%s is picked already. Nothing was reserved anew.", move.reference))
        lines = self._reserved_in_bin(move)
        missing = max(move.product_qty - sum(move.move_line_ids.mapped("quantity_product_uom")), 0)
        wanted = min(self.quantity, missing + sum(lines.mapped("quantity_product_uom")))
        plan = self._plan_reservation(move, wanted)
        found = sum(quantity for _quant, quantity in plan)
        unit = self.product_id.uom_id
        if unit.compare(found, 0) <= 0:
            raise UserError(
                self.env._(
                    "No other bin has %(product)s free. What is reserved for %(order)s stays as it is.",
                    product=self.product_id.display_name,
                    order=move.reference,
                )
            )
        self._give_up(lines, max(found - missing, 0))
        for quant, quantity in plan:
            taken = move._update_reserved_quantity(
                quantity, quant.location_id, quant.lot_id, quant.package_id, quant.owner_id, strict=True
            )
            if unit.compare(taken, quantity):
                raise UserError(
                    self.env._("The stock is being reserved by somebody else right now. Nothing was changed.")
                )
        move._recompute_state()
        self._tell_reservation(move, plan)
        return move

    def _reserved_in_bin(self, move):
        """What is reserved for this order where it is missing, and not in somebody's hands yet."""
        return move.move_line_ids.filtered(
            lambda line: not line.picked and self.location_id and line.location_id._child_of(self.location_id)
        )

    def _plan_reservation(self, move, wanted):
        """From which quants how much, in the order of the removal strategy."""
        plan, unit = [], self.product_id.uom_id
        quants = self.env["stock.quant"]._exception_free_quants(
            self.product_id, move.location_id, self.company_id, self.location_id
        )
        for quant in quants:
            quantity = min(quant.quantity - quant.reserved_quantity, wanted)
            if unit.compare(quantity, 0) <= 0:
                break
            plan.append((quant, quantity))
            wanted -= quantity
        return plan

    def _give_up(self, lines, quantity):
        """Reduce the lines by `quantity` in all, the last one first."""
        unit = self.product_id.uom_id
        for line in lines.sorted("id", reverse=True):
            part = min(line.quantity_product_uom, quantity)
            if unit.compare(part, 0) <= 0:
                return
            quantity -= part
            if not unit.compare(part, line.quantity_product_uom):
                line.unlink()
            else:
                left = line.quantity_product_uom - part
                line.quantity = unit._compute_quantity(left, line.product_uom_id, rounding_method="HALF-UP")

    def _tell_reservation(self, move, plan):
        where = ", ".join(
            f"{plain(quantity)} {self.uom_id.name}: {quant.location_id.name}" for quant, quantity in plan
        )
        body = self.env._("%(case)s: reserved from other bins (%(where)s).", case=self.case_id.name, where=where)
        (move.picking_id or self.case_id)._message_log(body=body)

    # --- Replenish -----------------------------------------------------------------------------------------------------

    def _do_replenish(self):
        """Let the reordering rule bring what is proposed: by a purchase, a transfer or what else its route says."""
        self._require_quantity()
        orderpoint = self.case_id._orderpoint()
        if not orderpoint:
            raise UserError(
                self.env._(
                    "%(product)s has no reordering rule in %(warehouse)s, so nothing was ordered. Make one, or withdraw this.",
                    product=self.product_id.display_name,
                    warehouse=self.case_id.warehouse_id.name,
                )
            )
        moves = self.env["stock.move"]
        product = [("product_id", "=", self.product_id.id), ("company_id", "=", self.company_id.id)]
        last = moves.search(product, order="id desc", limit=1)
        orderpoint = orderpoint.with_company(self.company_id)
        orderpoint.qty_to_order = self.quantity
        try:
            orderpoint.action_replenish()
        except RedirectWarning as warning:  # it wants to lead a person to the product; nobody sits before this
            raise UserError(str(warning.args[0])) from warning
        # Odoo removes a rule that it made itself and that has done its work.
        return moves.search([*product, ("id", ">", last.id)], order="id", limit=1) or orderpoint.exists()
