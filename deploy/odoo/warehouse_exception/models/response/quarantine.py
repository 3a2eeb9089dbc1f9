from odoo import api, fields, models
from odoo.exceptions import UserError

from ...lib.quantity import plain
from ..base.seal import unsealed
from ..case.states import FINISHED

# Reports of what may not be fit for sale.
SUSPECT = ("damaged", "blocked_stock", "quality_hold", "return_discrepancy", "receiving_discrepancy")


class WarehouseExceptionAction(models.Model):
    """Into quarantine, where nothing is promised to anybody, and back out of it."""

    _inherit = "warehouse.exception.action"

    kind = fields.Selection(
        selection_add=[("quarantine", "Move to quarantine"), ("release_quarantine", "Release from quarantine")],
        ondelete={"quarantine": "cascade", "release_quarantine": "cascade"},
    )

    @api.model
    def _stock_kinds(self):
        return super()._stock_kinds() | {"quarantine", "release_quarantine"}

    @api.model
    def _release_kinds(self):
        return super()._release_kinds() | {"release_quarantine"}

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        if case.exception_type in SUSPECT:
            kinds |= {"quarantine"}
        if case.quarantine_open > 0:
            kinds |= {"release_quarantine"}
        return kinds

    @api.model
    def _defaults_for(self, case, kind):
        values = super()._defaults_for(case, kind)
        if kind == "quarantine":
            values |= {"location_id": case._suspect_place().id, "location_dest_id": case._quarantine_location().id}
        elif kind == "release_quarantine":
            values |= {**self._from_quarantine(case), "location_dest_id": case._came_from().id}
        return values

    @api.model
    def _from_quarantine(self, case):
        """What lies in quarantine goes first; else what was reported, where it was reported."""
        if case.quarantine_open > 0:
            return {"location_id": case._quarantined_at().id, "quantity": case.quarantine_open}
        return {"location_id": case._suspect_place().id}

    def _missing_for_stock(self):
        """What a response still needs before anybody can decide about it, in words."""
        self.ensure_one()
        missing = []
        if not self.product_id:
            missing.append(self.env._("which product"))
        if self.quantity <= 0:
            missing.append(self.env._("how much"))
        if not self.location_id:
            missing.append(self.env._("from where"))
        if self.product_id.tracking != "none" and not self.lot_id:
            missing.append(self.env._("which lot or serial number"))
        if self.kind == "release_quarantine" and not self.location_dest_id:
            missing.append(self.env._("to where"))
        return missing

    # --- Doing -------------------------------------------------------------------------------------------------------

    def _do_quarantine(self):
        destination = self.location_dest_id or self.case_id._quarantine_location()
        if not destination._is_quarantine():
            raise UserError(
                self.env._(
                    "%s is not a quarantine location. Nothing was moved. Choose one, or have a manager of the inventory "
                    "mark this one as 'Quarantine for exceptions'.",
                    destination.display_name,
                )
            )
        return self._move_stock(self.location_id, destination)

    def _do_release_quarantine(self):
        self._require_own_quarantine()
        if self.location_dest_id._is_quarantine():
            raise UserError(
                self.env._("%s is a quarantine, too: that is no release.", self.location_dest_id.display_name)
            )
        return self._move_stock(self.location_id, self.location_dest_id)

    def _require_own_quarantine(self):
        """Of a quarantine that several cases share, a case takes out what it brought in."""
        inside = self.location_id._is_quarantine()
        if inside and self.uom_id.compare(self.quantity, self.case_id.quarantine_open) > 0:
            raise UserError(
                self.env._(
                    "%(case)s has %(open)s %(unit)s in quarantine, not %(wanted)s. Nothing was moved.",
                    case=self.case_id.name,
                    open=plain(self.case_id.quarantine_open),
                    unit=self.uom_id.name,
                    wanted=plain(self.quantity),
                )
            )


class WarehouseExceptionCase(models.Model):
    """What a case still has in quarantine. It isn't over before somebody decided about that, too."""

    _inherit = "warehouse.exception.case"

    quarantine_open = fields.Float(
        "In quarantine",
        compute="_compute_quarantine_open",
        store=True,
        digits="Product Unit",
        index=True,
        help="What this case moved into quarantine, less what was scrapped, returned or released. In the product's unit.",
    )
    quarantine_since = fields.Datetime(
        "In quarantine since", compute="_compute_quarantine_open", store=True, help="While something is in it."
    )
    quarantine_waived = fields.Float(digits="Product Unit", readonly=True, copy=False)

    @api.depends("stock_move_ids.state", "stock_move_ids.quantity")
    def _compute_quarantine_open(self):
        for case in self:
            into, total = case.env["stock.move"], 0.0
            for move in case.stock_move_ids.filtered(lambda move: move.state == "done"):
                unit = move.product_id.uom_id
                quantity = move.product_uom._compute_quantity(move.quantity, unit, round=False)
                if not move.location_id._is_quarantine() and move.location_dest_id._is_quarantine():
                    into |= move
                    total += quantity
                elif move.location_id._is_quarantine() and not move.location_dest_id._is_quarantine():
                    total -= quantity
            inside = into and case.product_id.uom_id.compare(total, 0) > 0
            case.quarantine_open = total if inside else 0.0
            case.quarantine_since = min(into.mapped("date")) if inside else False

    # --- Where -------------------------------------------------------------------------------------------------------

    def _quarantine_location(self):
        self.ensure_one()
        return self.sudo().policy_id.quarantine_location_id or self.warehouse_id._exception_quarantine()

    def _quarantined_at(self):
        """The quarantine that this case's stock was brought to last."""
        done = self.sudo().stock_move_ids.filtered(lambda move: move.state == "done")
        return done.location_dest_id.filtered(lambda place: place._is_quarantine())[-1:]

    def _came_from(self):
        done = self.sudo().stock_move_ids.filtered(lambda move: move.state == "done")
        return done.location_id.filtered(lambda place: place.usage == "internal" and not place._is_quarantine())[-1:]

    def _suspect_place(self):
        """Where the reported stock is on record: the bin; else where its transfer takes it from or has put it."""
        if self.location_id:
            return self.location_id
        lines = self.sudo().picking_id.move_line_ids.filtered(lambda line: line.product_id == self.product_id)
        if self.lot_id:
            lines = lines.filtered(lambda line: line.lot_id == self.lot_id)
        arrived = lines.filtered(lambda line: line.state == "done").location_dest_id
        places = (arrived or lines.location_id).filtered(lambda place: place.usage == "internal")
        return places if len(places) == 1 else places.browse()

    # --- Going on ----------------------------------------------------------------------------------------------------

    def action_plan_next(self, why=None):
        """The stock is safe in quarantine: plan what becomes of it."""
        self._require_role("investigate")
        self._require_state("resolved")
        empty = self.filtered(lambda case: case.quarantine_open <= 0)
        if empty:
            raise UserError(
                self.env._("Nothing of %s is in quarantine: there is nothing to plan.", ", ".join(empty.mapped("name")))
            )
        self._step("investigating", why or self.env._("What is in quarantine has to be decided about."))

    def action_override(self, why=None):
        result = super().action_override(why)
        for case in self.sudo():
            unsealed(case).write({"quarantine_waived": case.quarantine_open})
        return result

    def _obstacles(self):
        found = super()._obstacles()
        for action in self._live_actions().filtered(lambda action: action.kind in action._stock_kinds()):
            missing = action._missing_for_stock()
            if missing:
                found.append(
                    self.env._("'%(what)s' lacks: %(missing)s", what=action.display_name, missing=", ".join(missing))
                )
        return found

    def _step(self, state, why=None):
        if state in FINISHED:
            self._check_quarantine_is_empty()
        return super()._step(state, why)

    def _check_quarantine_is_empty(self):
        """An override counts for what was in quarantine when it was given."""
        for case in self.sudo():
            left = case.quarantine_open
            if left > 0 and case.product_id.uom_id.compare(left, case.quarantine_waived) > 0:
                raise UserError(
                    self.env._(
                        "%(case)s still has %(left)s %(unit)s of %(product)s in %(place)s. Nothing was changed. Plan what "
                        "becomes of it (scrap, return or release); a return counts when it has left. Who may override can "
                        "set this rule aside, with a reason.",
                        case=case.name,
                        left=plain(left),
                        unit=case.product_id.uom_id.name,
                        product=case.product_id.display_name,
                        place=case._quarantined_at().display_name,
                    )
                )

    def _after_step(self, before):
        resolved = self.filtered(lambda case: case.state == "resolved" and case.quarantine_open > 0)
        for case in resolved:
            case._ask_to_do(
                case._supervisor(),
                self.env._("Decide about what is in quarantine"),
                self.env._(
                    "%(left)s %(unit)s of %(product)s: scrap it, return it to the supplier, or release it.",
                    left=plain(case.quarantine_open),
                    unit=case.product_id.uom_id.name,
                    product=case.product_id.display_name,
                ),
            )
        return super()._after_step(before)

    def _supervisor(self):
        """Who reviews what is in quarantine."""
        case = self.sudo()
        return case.warehouse_id.exception_lead_id or case.policy_id.team_id.leader_id or case.user_id
