from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.case.states import PLANNABLE


class WarehouseExceptionPropose(models.TransientModel):
    """What is to be done about a case: one of the responses that make sense for it."""

    _name = "warehouse.exception.propose"
    _description = "Propose a response"

    case_id = fields.Many2one("warehouse.exception.case", required=True, readonly=True)
    company_id = fields.Many2one(related="case_id.company_id")
    currency_id = fields.Many2one(related="case_id.currency_id")
    product_id = fields.Many2one(related="case_id.product_id")
    uom_id = fields.Many2one(related="case_id.product_id.uom_id")
    allowed_kinds = fields.Json(compute="_compute_allowed_kinds")
    kind = fields.Selection(selection="_selection_kind", string="What is to be done", required=True)
    quantity = fields.Float(
        compute="_compute_suggested",
        store=True,
        readonly=False,
        digits="Product Unit",
        help="In the product's own unit.",
    )
    amount = fields.Monetary(compute="_compute_amount", help="The quantity at the product's cost.")
    location_id = fields.Many2one(
        "stock.location",
        "From",
        compute="_compute_suggested",
        store=True,
        readonly=False,
        check_company=True,
        domain="[('usage', '!=', 'view')]",
    )
    location_dest_id = fields.Many2one(
        "stock.location",
        "To",
        compute="_compute_suggested",
        store=True,
        readonly=False,
        check_company=True,
        domain="[('usage', '!=', 'view')]",
        help="Empty: where this kind of response goes by itself.",
    )
    lot_id = fields.Many2one(
        "stock.lot",
        "Lot/Serial",
        compute="_compute_suggested",
        store=True,
        readonly=False,
        domain="[('product_id', '=', product_id)]",
    )
    note = fields.Char(help="For whoever decides.")

    @api.model
    def _selection_kind(self):
        return self.env["warehouse.exception.action"]._fields["kind"]._description_selection(self.env)

    @api.depends("case_id")
    def _compute_allowed_kinds(self):
        for wizard in self:
            live = wizard.case_id._live_actions().mapped("kind")
            fitting = self.env["warehouse.exception.action"]._kinds_for(wizard.case_id) - set(live)
            wizard.allowed_kinds = [kind for kind, _label in self._selection_kind() if kind in fitting]

    @api.depends("case_id", "kind")
    def _compute_suggested(self):
        """What this kind says by itself: how much (less than zero, where stock is to be taken off), from where, to where."""
        actions = self.env["warehouse.exception.action"]
        for wizard in self:
            suggested = actions._defaults_for(wizard.case_id, wizard.kind)
            for name in ("quantity", "location_id", "location_dest_id", "lot_id"):
                wizard[name] = suggested.get(name, False)

    @api.depends("quantity", "case_id")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.case_id._worth(wizard.quantity) if wizard.product_id else 0.0

    def action_propose(self):
        self.ensure_one()
        case = self.case_id
        case._require_role("investigate")
        case.check_access("read")
        case._require_state(*PLANNABLE)
        if self.kind not in (self.allowed_kinds or []):
            label = dict(self._selection_kind())[self.kind]
            raise UserError(
                self.env._(
                    "'%(kind)s' can't be proposed for %(case)s: it is proposed already, or makes no sense for this kind "
                    "of exception. Nothing was changed.",
                    kind=label,
                    case=case.name,
                )
            )
        said = {name: self[name].id for name in ("location_id", "location_dest_id", "lot_id") if self[name]}
        values = {"quantity": self.quantity, "note": self.note, **said}
        self.env["warehouse.exception.action"]._propose(case, self.kind, **values)
        return {"type": "ir.actions.act_window_close"}
