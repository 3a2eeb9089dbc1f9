from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..base.seal import is_unsealed, unsealed

REASONS = [
    ("suspect", "Suspect stock"),
    ("blocked", "Blocked"),
    ("expired", "Expired"),
    ("quality", "Quality hold"),
]
OURS = ("internal", "transit")  # what lies anywhere else is not ours to lock


class WarehouseExceptionHold(models.Model):
    """One entry of the compliance register: stock that nobody may reserve or take away until it is released.

    It covers a product, of it one lot, all that is below one location, or both. The entry is written when the stock is
    locked and once more when it is released. Locking it again is another entry.
    """

    _name = "warehouse.exception.hold"
    _description = "Hold"
    _inherit = ["warehouse.exception.append.only"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True)
    state = fields.Selection(
        [("active", "Held"), ("released", "Released")], default="active", required=True, readonly=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="restrict")
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, index=True, ondelete="restrict", check_company=True
    )
    lot_id = fields.Many2one(
        "stock.lot",
        "Lot/Serial",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Empty: any lot.",
    )
    location_id = fields.Many2one(
        "stock.location",
        "Location",
        readonly=True,
        ondelete="restrict",
        check_company=True,
        help="Only what lies in it or below. Empty: wherever it is.",
    )
    reason = fields.Selection(REASONS, required=True, readonly=True, index=True)
    note = fields.Char(readonly=True)
    case_id = fields.Many2one(
        "warehouse.exception.case",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The case that decides about it. Without one, the first case about this lot takes it over.",
    )
    expiration_date = fields.Datetime(readonly=True, help="Of the lot, as it was then.")
    placed_at = fields.Datetime("Held since", required=True, readonly=True, default=fields.Datetime.now)
    placed_by_id = fields.Many2one(
        "res.users", "Held by", required=True, readonly=True, default=lambda self: self.env.uid, ondelete="restrict"
    )
    released_at = fields.Datetime(readonly=True)
    released_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    release_reason = fields.Char("Why released", readonly=True)

    _active_index = models.Index("(product_id, company_id) WHERE state = 'active'")
    # Two workers that sweep at the same time make one entry.
    _swept_once = models.UniqueIndex(
        "(lot_id, company_id) WHERE state = 'active' AND reason = 'expired' AND case_id IS NULL AND location_id IS NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("Stock is locked by a response to a case, not by writing into the register."))
        for vals in vals_list:
            vals["name"] = self.env["ir.sequence"].next_by_code(self._name)
        return super().create(vals_list)

    # --- Locking and setting free ----------------------------------------------------------------------------------------

    @api.model
    def _place(self, company, product, reason, lot=None, location=None, case=None, note=None):
        """Lock this stock for `case`, once. What was reserved of it and not picked yet is free again, for nobody."""
        scope = {
            "company_id": company.id,
            "product_id": product.id,
            "lot_id": lot.id if lot else False,
            "location_id": location.id if location else False,
            "reason": reason,
        }
        same = [*((name, "=", value) for name, value in scope.items()), ("state", "=", "active")]
        of_case = self.sudo().search([*same, ("case_id", "=", case.id if case else False)], limit=1)
        if of_case:
            return of_case.with_env(self.env)
        ownerless = self.sudo().search([*same, ("case_id", "=", False)], limit=1)
        if ownerless:
            unsealed(ownerless).write({"case_id": case.id})
            return ownerless.with_env(self.env)
        expires = lot.sudo().expiration_date if lot else False
        values = {**scope, "note": note, "case_id": case.id if case else False, "expiration_date": expires}
        hold = unsealed(self.sudo()).create(values).with_env(self.env)
        hold._free_reservations()
        return hold

    def _release(self, why):
        """Set free what an approved response decided about; the user is whoever carries it out."""
        values = {
            "state": "released",
            "released_at": fields.Datetime.now(),
            "released_by_id": self.env.uid,
            "release_reason": why,
        }
        unsealed(self.sudo().filtered(lambda hold: hold.state == "active")).write(values)

    # --- What it covers --------------------------------------------------------------------------------------------------

    def _domain(self):
        """What of the stock, or of the move lines, it covers: both have these fields."""
        self.ensure_one()
        domain = Domain("product_id", "=", self.product_id.id) & Domain("company_id", "in", (False, self.company_id.id))
        if self.lot_id:
            domain &= Domain("lot_id", "=", self.lot_id.id)
        if self.location_id:
            domain &= Domain("location_id", "child_of", self.location_id.id)
        return domain

    @api.model
    def _active_for(self, products, companies):
        """Those in force that can concern `products`. Whoever asks need not be allowed to read the register."""
        domain = [
            ("state", "=", "active"),
            ("product_id", "in", products.ids),
            ("company_id", "in", companies.ids),
        ]
        return self.sudo().search(domain)

    def _covers(self, product, company, location, lot):
        return (
            self.product_id == product
            and (not company or self.company_id == company)
            and (not self.lot_id or self.lot_id == lot)
            and (not self.location_id or location._child_of(self.location_id))
        )

    def _quants(self):
        """The stock that is there of what it covers."""
        there = Domain("quantity", ">", 0) & Domain("location_id.usage", "in", OURS)
        return self.env["stock.quant"].sudo().search(Domain.OR(hold._domain() for hold in self) & there)

    def _free_reservations(self):
        """Take back what was reserved of it. What is picked already stays as it is, since somebody holds it in their
        hands; it can't be validated.
        """
        self.ensure_one()
        reserved = Domain("state", "in", ("waiting", "confirmed", "partially_available", "assigned"))
        reserved &= Domain("location_id.usage", "in", OURS) & Domain("quantity", ">", 0)
        lines = self.env["stock.move.line"].sudo().search(self._domain() & reserved)
        lines = lines.filtered(lambda line: not line.location_dest_id._is_quarantine())
        picked = lines.filtered("picked")
        self._tell_transfers(lines - picked, self.env._("was reserved and is not any more"))
        self._tell_transfers(picked, self.env._("is picked already and can't be validated"))
        (lines - picked).unlink()

    def _tell_transfers(self, lines, what):
        for picking, of_picking in lines.grouped("picking_id").items():
            body = self.env._(
                "%(product)s: %(quantity)s %(unit)s %(what)s, because the stock is held (%(hold)s).",
                product=self.product_id.display_name,
                quantity=sum(of_picking.mapped("quantity_product_uom")),
                unit=self.product_id.uom_id.name,
                what=what,
                hold=self.case_id.name or self.name,
            )
            if picking:
                picking._message_log(body=body)
