from datetime import timedelta

from odoo import api, fields, models

PRIOR_MOVES = 30
# For kinds that don't say it by their figures: whether the bin has less than the system thinks.
LESS = frozenset({"pick_shortage"})


class WarehouseExceptionCase(models.Model):
    """A count that differs from the system: what happened in that bin before, a second person's count, an adjustment."""

    _inherit = "warehouse.exception.case"

    expected_source = fields.Selection(
        selection_add=[("stock", "Stock at that time"), ("unknown",)], ondelete={"stock": "set default"}
    )
    prior_move_line_ids = fields.Many2many(
        "stock.move.line", compute="_compute_prior_move_line_ids", string="Moves of this product in this bin"
    )

    @api.depends("product_id", "location_id", "lot_id")
    def _compute_prior_move_line_ids(self):
        for case in self:
            lines = self.env["stock.move.line"]
            if case.product_id and case.location_id:
                lines = lines.search(case._prior_moves_domain(), order="date desc, id desc", limit=PRIOR_MOVES)
            case.prior_move_line_ids = lines

    def _prior_moves_domain(self):
        self.ensure_one()
        return self.env["stock.quant"]._exception_moves_domain(self.product_id, self.location_id, self.lot_id)

    def action_open_prior_moves(self):
        """All of them, for whoever looks for where it went."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Moves: %(product)s, %(bin)s", product=self.product_id.name, bin=self.location_id.name),
            "res_model": "stock.move.line",
            "view_mode": "list,form",
            "domain": self._prior_moves_domain(),
            "context": {"create": False, "edit": False, "delete": False},
        }

    # --- The figures -------------------------------------------------------------------------------------------------

    def _find_expected(self):
        """A blind count is compared with what the system had when it was made."""
        found = super()._find_expected()
        blind = self.exception_type == "cycle_count_variance" and self.is_counted and self.expected_source == "unknown"
        if found or not blind or not self.location_id or not self.uom_id or not self.product_id.is_storable:
            return found
        book = self._book_figures(self.location_id, self.lot_id)["book_quantity"]
        expected = self.product_id.uom_id._compute_quantity(book, self.uom_id, round=False)
        return {"quantity_expected": expected, "expected_source": "stock"}

    def _counted_when(self):
        """The earliest time at which the device may have counted: what moved from then on may be in the count or not."""
        event = self.event_ids[:1]
        unsure = (
            timedelta(milliseconds=event.clock_uncertainty_ms) if event.clock_knowledge == "measured" else timedelta()
        )
        latest = self.received_at or fields.Datetime.now()
        return min(self.captured_at - unsure, latest).replace(microsecond=0)

    def _book_figures(self, location, lot):
        """What the system had when the device counted."""
        at = self._counted_when()
        book = self.env["stock.quant"]._exception_on_hand_at(at, self.product_id, location, lot)
        return {"book_quantity": book, "counted_at": at, "moves_seen": 0}

    def _adjustment(self, location, lot):
        """The values of an adjustment of `location`, by the best figure there is: a recount, else what was reported."""
        place = {"location_id": location.id, "lot_id": lot.id}
        count = self._last_count(location, lot)
        if count:
            return {**place, **count._figures(), "quantity": count.difference}
        figures = self._book_figures(location, lot)
        return {**place, **figures, "quantity": self._reported_difference(figures["book_quantity"])}

    def _reported_difference(self, book):
        if self.exception_type == "cycle_count_variance" and self.is_counted:
            return self.product_id.uom_id.round(self._in_product_unit(self.quantity_counted) - book)
        if self.is_counted and self.expected_source != "unknown":
            return self._in_product_unit(self.quantity_variance)
        return -self.quantity_at_stake if self.exception_type in LESS else self.quantity_at_stake

    def _propose_adjustment(self, location, lot):
        action = self.env["warehouse.exception.action"]
        return action._propose(self, "adjust", is_automatic=True, **self._adjustment(location, lot))

    # --- The response ------------------------------------------------------------------------------------------------

    def _respond_cycle_count_variance(self):
        product = self.product_id
        if not self.is_counted or not product.is_storable or self.location_id.usage != "internal":
            return
        if not self._live_actions():
            figures = self._adjustment(self.location_id, self.lot_id)
            if product.uom_id.is_zero(figures["quantity"]):
                note = self.env._("The system had exactly what was counted, at the time of the count.")
                self.env["warehouse.exception.action"]._propose(self, "accept", is_automatic=True, note=note)
                return
            self._propose_adjustment(self.location_id, self.lot_id)
        self._assess()
        self._recount_by_policy()

    def _recount_by_policy(self):
        """A second person counts what is not below the threshold, and what moved since the first count."""
        plan = self._live_actions().filtered(lambda action: action.kind == "adjust")
        stale = any(action._stale_words() for action in plan)
        policy = self.policy_id
        small = policy.immaterial == "auto" and policy._is_immaterial(self)
        if policy.auto_recount and (stale or not small) and not self.count_ids:
            self._do_at_once("recount")

    def _do_at_once(self, kind, **values):
        """Propose, and do it without an approval, as policy says. If it fails, it stays proposed, with the reason."""
        action = self.env["warehouse.exception.action"]._propose(self, kind, **values)
        failure = self._attempt(action._run_at_once)
        if failure:
            action._leave_proposed(failure)
        return action
