from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from ...lib.quantity import plain
from ..base.seal import is_unsealed, unsealed


class WarehouseExceptionAction(models.Model):
    """The adjustment of what a bin has, safe against moves since the count that it rests on.

    What is proposed and approved is the difference, because that is what it costs. It is carried out only while the
    system still has what it had when somebody counted; else a recount is asked for, and nothing is overwritten.
    """

    _inherit = "warehouse.exception.action"

    kind = fields.Selection(selection_add=[("adjust", "Adjust the stock")], ondelete={"adjust": "cascade"})
    quantity = fields.Float(
        help="In the product's own unit. For 'Adjust the stock', the difference with its sign: what was counted minus what "
        "the system had then. 3 missing are -3, 2 found are 2. What it is worth is the difference at the product's cost."
    )
    book_quantity = fields.Float(
        "System had", digits="Product Unit", readonly=True, help="In the bin, at the time of the count."
    )
    counted_quantity = fields.Float(
        "Will have", compute="_compute_counted_quantity", digits="Product Unit", help="In the bin, once it is adjusted."
    )
    counted_at = fields.Datetime(readonly=True, help="Stock that moved since then makes a recount necessary.")
    moves_seen = fields.Integer(readonly=True)

    @api.depends("book_quantity", "quantity")
    def _compute_counted_quantity(self):
        for action in self:
            action.counted_quantity = action.book_quantity + action.quantity

    @api.model
    def _financial_kinds(self):
        return super()._financial_kinds() | {"adjust"}

    @api.model
    def _kinds_for(self, case):
        fits = (
            case.product_id.is_storable
            and case.location_id.usage == "internal"
            and case.exception_type
            in (
                "cycle_count_variance",
                "pick_shortage",
                "overage",
                "location_mismatch",
                "return_discrepancy",
            )
        )
        return super()._kinds_for(case) | ({"adjust"} if fits else set())

    @api.model
    def _defaults_for(self, case, kind):
        values = super()._defaults_for(case, kind)
        if kind == "adjust":
            values |= {"quantity": case.sudo()._adjustment(case.location_id, case.lot_id)["quantity"]}
        return values

    @api.model
    def _propose(self, case, kind, **values):
        if kind == "adjust" and "book_quantity" not in values:
            location = self.env["stock.location"].browse(values.get("location_id")) or case.location_id
            lot = self.env["stock.lot"].browse(values.get("lot_id")) or case.lot_id
            values = {**case.sudo()._adjustment(location, lot), **values}
        return super()._propose(case, kind, **values)

    def write(self, vals):
        result = super().write(vals)
        if {"location_id", "lot_id"} & set(vals) and not is_unsealed(self.env):
            # Another place: its own figures, and the difference is for whoever edits to say.
            for action in self.filtered(lambda action: action.kind == "adjust"):
                figures = action.sudo().case_id._adjustment(action.location_id, action.lot_id)
                known = ("book_quantity", "counted_at", "moves_seen")
                unsealed(action.sudo()).write({name: figures[name] for name in known})
        return result

    def _place(self):
        return (self.product_id, self.location_id, self.lot_id)

    # --- Doing -------------------------------------------------------------------------------------------------------

    def _do_adjust(self):
        self._check_adjustable()
        quant = self._quant_to_adjust()
        before = self._reservations()
        quants = quant.with_company(self.company_id).with_context(inventory_mode=True, inventory_name=self.case_id.name)
        if quant.id:
            quants.inventory_quantity = quant.quantity + self.quantity
        else:
            quants = quants.create(
                {
                    "product_id": self.product_id.id,
                    "location_id": self.location_id.id,
                    "lot_id": self.lot_id.id,
                    "inventory_quantity": self.quantity,
                }
            )
        conflict = quants.action_apply_inventory()
        if conflict:  # Odoo asks whoever sits before it; nobody does here, and nothing was applied
            raise UserError(self._stale_words() or self.env._("Odoo wants a person to look at this adjustment first."))
        self._tell_lost_reservations(before)
        return self.env["stock.move"].search(
            [
                ("is_inventory", "=", True),
                ("inventory_name", "=", self.case_id.name),
                ("product_id", "=", self.product_id.id),
                ("state", "=", "done"),
            ],
            order="id desc",
            limit=1,
        )

    def _check_adjustable(self):
        product = self.product_id
        if not product.is_storable or self.location_id.usage != "internal":
            raise UserError(self.env._("'%s' needs a product that is kept in stock, and a bin.", self.display_name))
        if product.uom_id.is_zero(self.quantity):
            raise UserError(
                self.env._("There is no difference to adjust. Withdraw this, and propose 'Accept as it is'.")
            )
        if product.tracking != "none" and not self.lot_id:
            raise UserError(
                self.env._(
                    "%s is tracked by lots or serial numbers: take the case back and say which one is adjusted.",
                    product.display_name,
                )
            )
        # Whoever moves this stock right now finishes first, or we do: neither works on the other's old figure.
        try:
            self.env["stock.quant"]._exception_quants(*self._place()).lock_for_update(allow_referencing=True)
        except LockError as error:
            words = self.env._("Somebody is moving stock in %s right now. Nothing was adjusted: try again in a moment.")
            raise UserError(words % self.location_id.display_name) from error
        stale = self._stale_words()
        if stale:
            raise UserError(stale)

    def _stale_words(self):
        """Why the count doesn't hold any more; nothing, if it does."""
        self.ensure_one()
        quants = self.env["stock.quant"]
        moves = quants._exception_moves_count(*self._place(), self.counted_at) - self.moves_seen
        now = quants._exception_on_hand(*self._place())
        if moves <= 0 and not self.product_id.uom_id.compare(now, self.book_quantity):
            return False
        return self.env._(
            "Stock of %(product)s in %(bin)s moved since it was counted (%(at)s UTC): the system had %(then)s and now has "
            "%(now)s, in %(moves)s moves. Nothing was adjusted. Count again; the result goes into this proposal.",
            product=self.product_id.display_name,
            bin=self.location_id.display_name,
            at=fields.Datetime.to_string(self.counted_at),
            then=plain(self.book_quantity),
            now=plain(now),
            moves=max(moves, 0),
        )

    def _quant_to_adjust(self):
        """The one quant that the difference is booked on; an empty one, if there is nothing yet."""
        quants = self.env["stock.quant"]._exception_quants(*self._place())
        loose = quants.filtered(lambda quant: not quant.package_id and not quant.owner_id)
        found = quants if len(quants) == 1 else loose[:1]
        unit = self.product_id.uom_id
        if unit.compare(found.quantity + self.quantity, 0) < 0:
            raise UserError(
                self.env._(
                    "%(bin)s has only %(loose)s of it outside of packages and of its own, and %(less)s are to go. Nothing "
                    "was adjusted. Unpack what is there, and count again.",
                    bin=self.location_id.display_name,
                    loose=plain(found.quantity),
                    less=plain(-self.quantity),
                )
            )
        if found.inventory_quantity_set:
            raise UserError(
                self.env._(
                    "Somebody entered a count of %(counted)s for %(bin)s in Odoo's own inventory and has not applied it. "
                    "Nothing was adjusted. Have that count cleared first.",
                    counted=plain(found.inventory_quantity),
                    bin=self.location_id.display_name,
                )
            )
        return found

    def _after_failure(self):
        if self.kind == "adjust" and self._stale_words():
            self.case_id._ask_for_count(self.location_id, self.lot_id)
        return super()._after_failure()

    # --- Reservations that can't be kept -----------------------------------------------------------------------------

    def _reservations(self):
        """Who has reserved from the bin, and how much."""
        lines = self.env["stock.move.line"].search(
            [
                ("product_id", "=", self.product_id.id),
                ("location_id", "=", self.location_id.id),
                ("lot_id", "in", [self.lot_id.id] if self.lot_id else [False]),
                ("state", "not in", ("draft", "done", "cancel")),
                ("quantity_product_uom", ">", 0),
            ]
        )
        return [(line, line.picking_id, line.quantity_product_uom) for line in lines]

    def _tell_lost_reservations(self, before):
        """Odoo takes back reservations of what is not there. It must not do that in silence."""
        lost = {}
        for line, picking, quantity in before:
            missing = quantity - (line.quantity_product_uom if line.exists() else 0)
            if self.product_id.uom_id.compare(missing, 0) > 0:
                lost[picking] = lost.get(picking, 0) + missing
        for picking, missing in lost.items():
            words = self.env._(
                "%(case)s: %(missing)s %(unit)s of %(product)s that were reserved in %(bin)s are not there.",
                case=self.case_id.name,
                missing=plain(missing),
                unit=self.product_id.uom_id.name,
                product=self.product_id.display_name,
                bin=self.location_id.display_name,
            )
            picking._message_log(body=words)
            self.case_id._message_log(body=f"{picking.name}: {words}" if picking else words)
        if lost:
            names = ", ".join(picking.name for picking in lost if picking)
            case = self.case_id
            whom = case.warehouse_id.exception_lead_id or case.user_id
            case._ask_to_do(whom, self.env._("Reservations lost: %s", names))


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _obstacles(self):
        found = super()._obstacles()
        plan = self._live_actions().filtered(lambda action: action.kind == "adjust" and not action.lot_id)
        if plan.product_id.filtered(lambda product: product.tracking != "none"):
            found.append(self.env._("which lot or serial number is to be adjusted is not said"))
        return found
