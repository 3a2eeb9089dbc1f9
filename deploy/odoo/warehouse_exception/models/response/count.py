from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..base.seal import is_unsealed, unsealed

EDITABLE = frozenset({"quantity", "note"})


class WarehouseExceptionCount(models.Model):
    """A bin that somebody else is to count again. Blind: who counts is not shown what anybody expects."""

    _name = "warehouse.exception.count"
    _description = "Recount"
    _inherit = ["warehouse.exception.roles"]
    _order = "id desc"

    case_id = fields.Many2one("warehouse.exception.case", required=True, index=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    product_id = fields.Many2one("product.product", required=True, readonly=True, ondelete="restrict")
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    lot_id = fields.Many2one("stock.lot", "Lot/Serial", readonly=True, ondelete="restrict")
    location_id = fields.Many2one("stock.location", "Bin", required=True, readonly=True, ondelete="restrict")
    user_id = fields.Many2one("res.users", "Asked", readonly=True, index="btree_not_null", ondelete="restrict")
    excluded_user_ids = fields.Many2many(
        "res.users", compute="_compute_excluded_user_ids", string="Not by", help="Who reported does not check it."
    )
    state = fields.Selection(
        [("asked", "To count"), ("counted", "Counted"), ("withdrawn", "Withdrawn")],
        default="asked",
        required=True,
        readonly=True,
        index=True,
    )
    quantity = fields.Float("Counted", digits="Product Unit", help="In the product's own unit.")
    note = fields.Char()
    counted_at = fields.Datetime(readonly=True)
    counted_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    book_quantity = fields.Float("System had", digits="Product Unit", readonly=True, help="At the time of this count.")
    difference = fields.Float(compute="_compute_difference", digits="Product Unit")
    # Moves of the very second of the count, already in `book_quantity`: time alone can't tell them from later ones.
    moves_seen = fields.Integer(readonly=True)

    @api.depends("product_id", "location_id")
    def _compute_display_name(self):
        for count in self:
            count.display_name = self.env._(
                "Count %(product)s in %(bin)s",
                product=count.product_id.display_name,
                bin=count.location_id.display_name,
            )

    @api.depends("state", "quantity", "book_quantity")
    def _compute_difference(self):
        for count in self:
            known = count.state == "counted"
            count.difference = count.uom_id.round(count.quantity - count.book_quantity) if known else 0.0

    @api.depends("case_id")
    def _compute_excluded_user_ids(self):
        for count in self:
            count.excluded_user_ids = count.sudo().case_id._reporters()

    # --- The buttons -------------------------------------------------------------------------------------------------

    def action_counted(self):
        """What was entered is there. The case goes on with it."""
        self.ensure_one()
        if not self.quantity:
            raise UserError(
                self.env._("Enter what you counted, or press 'The bin is empty' if that is what you found.")
            )
        self._take()

    def action_empty(self):
        self.ensure_one()
        self._check_may_count()
        unsealed(self.sudo()).write({"quantity": 0})
        self._take()

    def action_withdraw(self):
        self._require_role("investigate")
        for count in self:
            count._require_asked()
        self._withdraw()

    def _withdraw(self):
        unsealed(self.sudo().filtered(lambda count: count.state == "asked")).write({"state": "withdrawn"})

    # --- How -----------------------------------------------------------------------------------------------------------

    def _require_asked(self):
        if self.state != "asked":
            raise UserError(self.env._("This recount is finished or withdrawn. Reload to see what became of it."))

    def _check_may_count(self):
        self._require_role("investigate", "execute")
        for count in self:
            count._require_asked()
            if self.env.user in count.excluded_user_ids:
                raise AccessError(
                    self.env._(
                        "You reported %(case)s, so another person counts %(bin)s again. Nothing was changed.",
                        case=count.case_id.name,
                        bin=count.location_id.display_name,
                    )
                )

    def _take(self):
        self._check_may_count()
        if self.product_id.uom_id.compare(self.quantity, 0) < 0:
            raise UserError(self.env._("There can't be less than nothing in a bin. Nothing was changed."))
        if self.product_id.tracking == "serial" and self.quantity > 1 and self.lot_id:
            raise UserError(self.env._("A serial number is there once or not at all. Nothing was changed."))
        unsealed(self.sudo()).write(
            {"state": "counted", "counted_by_id": self.env.uid, **self.sudo()._book_now()},
        )
        self.case_id._take_count(self)

    def _book_now(self):
        """What the system has at this moment, so that the figure and the count belong to the same time."""
        quants = self.env["stock.quant"]
        place = (self.product_id, self.location_id, self.lot_id)
        now = fields.Datetime.now()
        return {
            "counted_at": now,
            "book_quantity": quants._exception_on_hand(*place),
            "moves_seen": quants._exception_moves_count(*place, now),
        }

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("A recount is asked for on its case, by its button 'Ask for a recount'."))
        return super().create(vals_list)

    def write(self, vals):
        if not is_unsealed(self.env):
            sealed = set(vals) - EDITABLE
            if sealed:
                raise AccessError(self.env._("Only the quantity and the note are entered: not %s.", ", ".join(sealed)))
            self._check_may_count()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("A recount can't be deleted. Withdraw it: it stays readable for an audit."))
