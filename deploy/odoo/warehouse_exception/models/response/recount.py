from odoo import fields, models
from odoo.exceptions import UserError

from ...lib.quantity import plain
from ..base.seal import unsealed
from ..case.states import FINISHED


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    kind = fields.Selection(selection_add=[("recount", "Count again")], ondelete={"recount": "cascade"})

    def _kinds_for(self, case):
        return super()._kinds_for(case) | ({"recount"} if case.product_id.is_storable and case.location_id else set())

    def _do_recount(self):
        """Ask another person than whoever reported. It only asks, so policy may let it happen at once."""
        return self.case_id._ask_for_count(self.location_id, self.lot_id)


class WarehouseExceptionCase(models.Model):
    """Asking for a recount, and what its result does to what is planned."""

    _inherit = "warehouse.exception.case"

    count_ids = fields.One2many("warehouse.exception.count", "case_id", "Recounts", readonly=True)

    def action_ask_recount(self):
        self._require_role("investigate")
        for case in self:
            case._require_state("open", "investigating", "pending_approval", "approved", "executing")
            if not case.product_id or not case.location_id:
                raise UserError(self.env._("%s: enter the product and the bin that is to be counted.", case.name))
            case.sudo()._ask_for_count(case.location_id, case.lot_id)

    def _ask_for_count(self, location, lot=None):
        """A task to count `location`, once; who has time is asked by name, and anybody with the role may do it."""
        self.ensure_one()
        lot = lot or self.env["stock.lot"]
        same = self.count_ids.filtered(
            lambda count: count.state == "asked" and count.location_id == location and count.lot_id == lot
        )
        if same:
            return same[0]
        counter = self._counter()
        values = {"product_id": self.product_id.id, "location_id": location.id, "lot_id": lot.id, "user_id": counter.id}
        count = unsealed(self.env["warehouse.exception.count"].sudo()).create({"case_id": self.id, **values})
        self._ask_to_do(
            counter, count.display_name, self.env._("Blind: enter what is there, whatever anybody expects.")
        )
        return count.with_env(self.env)

    def _counter(self):
        """Of the team, the responsible and the warehouse's lead: whoever may count and has the least to do."""
        team = self.policy_id.sudo().team_id
        people = team.member_ids | team.leader_id | self.user_id | self.warehouse_id.sudo().exception_lead_id
        roles = [f"warehouse_exception.group_{role}" for role in ("investigate", "execute")]
        may = (people - self._reporters()).filtered(lambda user: any(user.has_group(role) for role in roles))
        return team._least_busy(may)

    def _open_counts(self):
        return self.count_ids.filtered(lambda count: count.state == "asked")

    def _last_count(self, location, lot):
        """The newest figure of a second person about this place."""
        return self.count_ids.filtered(
            lambda count: count.state == "counted" and count.location_id == location and count.lot_id == lot
        ).sorted("id")[-1:]

    def _obstacles(self):
        waiting = self._open_counts().mapped("location_id.display_name")
        found = super()._obstacles()
        if waiting:
            found.append(self.env._("the recount of %s is not there yet", ", ".join(waiting)))
        return found

    def _take_count(self, count):
        """What a second person counted goes before every earlier figure. What was decided about another difference is
        decided anew; the same difference stays decided, and can now be carried out.
        """
        self.ensure_one()
        place = (count.product_id, count.location_id, count.lot_id)
        plan = self.sudo()._live_actions().filtered(lambda action: action.kind == "adjust" and action._place() == place)
        self.sudo()._message_log(body=count._in_words())
        if plan and not count.uom_id.compare(plan[0].quantity, count.difference):
            unsealed(plan[0]).write(count._figures())
        else:
            self._take_back(self.env._("Counted again: what is to be done is decided anew."))
            self.sudo()._plan_after_count(count, plan)
        if self.state == "open":
            self.sudo()._assess()
            self.sudo()._settle_immaterial()

    def _plan_after_count(self, count, plan):
        if count.uom_id.is_zero(count.difference):
            unsealed(plan).write({"state": "withdrawn"})
            if not self._live_actions():
                note = self.env._("The recount agrees with the system.")
                self.env["warehouse.exception.action"]._propose(self, "accept", is_automatic=True, note=note)
        elif plan:
            unsealed(plan[0]).write({"quantity": count.difference, **count._figures()})
        else:
            agreed = self._live_actions().filtered(lambda action: action.kind == "accept" and action.is_automatic)
            unsealed(agreed).write({"state": "withdrawn"})
            self._propose_adjustment(count.location_id, count.lot_id)

    def _take_back(self, why):
        """Nothing that was asked for or decided holds any more. What was done stays done."""
        if self.state not in ("pending_approval", "approved", "executing"):
            return
        self.sudo().approval_ids._void()
        for action in self.sudo()._live_actions():
            action._back_to_proposed()
        self._step("investigating", why)

    def _after_step(self, before):
        over = self.filtered(lambda case: case.state in ("resolved", *FINISHED))
        over.sudo().count_ids._withdraw()
        return super()._after_step(before)


class WarehouseExceptionCount(models.Model):
    _inherit = "warehouse.exception.count"

    def _figures(self):
        """What an adjustment needs to know of the count that it rests on."""
        return {"book_quantity": self.book_quantity, "counted_at": self.counted_at, "moves_seen": self.moves_seen}

    def _in_words(self):
        return self.env._(
            "%(user)s counted %(counted)s %(unit)s of %(product)s in %(bin)s, where the system has %(book)s.",
            user=self.counted_by_id.name,
            counted=plain(self.quantity),
            unit=self.uom_id.name,
            product=self.product_id.display_name,
            bin=self.location_id.display_name,
            book=plain(self.book_quantity),
        )
