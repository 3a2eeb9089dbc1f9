from odoo import api, fields, models
from odoo.exceptions import UserError


class WarehouseExceptionAction(models.Model):
    """Locking stock, which moves nothing and can happen at once, and setting it free, which is a decision."""

    _inherit = "warehouse.exception.action"

    kind = fields.Selection(
        selection_add=[("hold", "Lock the stock"), ("release", "Release the stock")],
        ondelete={"hold": "cascade", "release": "cascade"},
    )

    @api.model
    def _release_kinds(self):
        return super()._release_kinds() | {"release"}

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        if case.product_id:
            kinds |= {"hold"}
        if case._active_holds() or case.lot_id._expired(case.company_id):
            kinds |= {"release"}
        return kinds

    def _do_hold(self):
        """Without a lot and a bin the whole product is meant. That is for people to decide."""
        if not self.product_id:
            raise UserError(self.env._("Nothing was locked: the case has no product yet. Map the case first."))
        if self.is_automatic and not (self.lot_id or self.location_id):
            raise UserError(
                self.env._(
                    "Nothing was locked: neither the lot nor the bin is known, and all of %s is not locked without an "
                    "approval.",
                    self.product_id.display_name,
                )
            )
        return self.env["warehouse.exception.hold"]._place(
            self.company_id,
            self.product_id,
            self.case_id._hold_reason(),
            lot=self.lot_id,
            location=self.location_id,
            case=self.case_id,
            note=self.note,
            spares_reserved=self.case_id._hold_spares_reserved(),
        )

    def _do_release(self):
        """All that is locked for this case. What another case locked is that one's to decide."""
        case, holds = self.case_id, self.case_id._active_holds()
        if case.exception_type == "blocked_stock" and self.lot_id._expired(case.company_id):
            # Its being past the date is what was decided about, whether the register has it from the case, from the
            # sweep, or from nobody yet.
            holds |= self.env["warehouse.exception.hold"]._place(
                case.company_id, self.product_id, "expired", lot=self.lot_id, case=case, note=self.note
            )
        if not holds:
            raise UserError(self.env._("Nothing is locked for %s any more, so there is nothing to release.", case.name))
        holds.with_env(self.env)._release(self.note or self.env._("Approved in %s.", case.name))
        return holds[0]


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _hold_at_once(self, **values):
        """Lock what the case is about, if its policy lets that happen by itself; returns the entry in the register.

        Where it may not, or where it is not known what to lock, the response waits for people's decision.
        """
        self.ensure_one()
        holds = self._active_holds()
        if holds or not self.product_id:
            return holds
        action = self.env["warehouse.exception.action"]._propose(self, "hold", is_automatic=True, **values)
        if self.policy_id.auto_hold and (action.lot_id or action.location_id):
            action._run_at_once()
        return self._active_holds()

    def _held_scope(self):
        """A lot is held as a whole, a product without one where it was found."""
        return {"location_id": False if self.lot_id else self.location_id.id}

    def _escalate_to_quality(self, summary):
        """To quality's own app, else to whoever is responsible, with what there is to decide about."""
        held = self._active_holds()
        where = held._quants() if held else self.env["stock.quant"]
        lines = [
            self.env._(
                "%(quantity)s %(unit)s in %(where)s",
                quantity=quant.quantity,
                unit=quant.product_uom_id.name,
                where=quant.location_id.display_name,
            )
            for quant in where[:20]
        ]
        note = "; ".join(lines) or self.env._("Nothing is locked yet: see the proposed response.")
        self._open_quality_task(note, summary)

    def _tell_not_to_take(self):
        what = self.product_id.display_name or self.product_code
        if self._active_holds():
            text = self.env._("Don't take %s: it is locked until quality has decided.", what)
        else:
            text = self.env._("Don't take %s until quality has decided.", what)
        self._instruct("do_not_take", text, bin=self.bin_code)

    def _hold_spares_reserved(self):
        """Whether what is reserved of the locked stock stays so. It does where only its quantity is in doubt."""
        return False
