from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import float_compare

from ..base.seal import acting, is_unsealed, unsealed
from ..case.states import PLANNABLE

EDITABLE = frozenset("quantity location_id location_dest_id lot_id note sequence".split())


class WarehouseExceptionAction(models.Model):
    """One response to a case: proposed, approved, and then done by `_do_<kind>`, or withdrawn.

    A kind adds its label to `kind`, a method `_do_<kind>` that does it and returns the record that came of it (or
    nothing), and itself to the sets below where that is true of it.
    """

    _name = "warehouse.exception.action"
    _description = "Response"
    _inherit = ["warehouse.exception.roles"]
    _order = "case_id, sequence, id"
    _rec_name = "kind"

    case_id = fields.Many2one("warehouse.exception.case", required=True, index=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    sequence = fields.Integer(default=10)
    kind = fields.Selection([("accept", "Accept as it is")], required=True, readonly=True)
    state = fields.Selection(
        [
            ("proposed", "Proposed"),
            ("approved", "Approved"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("withdrawn", "Withdrawn"),
        ],
        default="proposed",
        required=True,
        readonly=True,
        index=True,
    )
    product_id = fields.Many2one("product.product", readonly=True, ondelete="restrict")
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    lot_id = fields.Many2one(
        "stock.lot", "Lot/Serial", domain="[('product_id', '=', product_id)]", ondelete="restrict", check_company=True
    )
    quantity = fields.Float(digits="Product Unit", help="In the product's own unit.")
    location_id = fields.Many2one("stock.location", "From", ondelete="restrict", check_company=True)
    location_dest_id = fields.Many2one("stock.location", "To", ondelete="restrict", check_company=True)
    move_id = fields.Many2one("stock.move", "Concerns the move", readonly=True, ondelete="restrict")
    amount = fields.Monetary(compute="_compute_amount", store=True, help="The quantity at the product's cost.")
    is_financial = fields.Boolean(compute="_compute_is_financial", help="Needs a financial approval, by another person.")
    is_automatic = fields.Boolean(readonly=True, help="Proposed by policy.")
    note = fields.Char()
    failure = fields.Char(readonly=True)
    proposed_by_id = fields.Many2one("res.users", readonly=True, default=lambda self: self.env.uid, ondelete="restrict")
    edited_by_ids = fields.Many2many("res.users", readonly=True, string="Edited by")
    done_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    done_at = fields.Datetime(readonly=True)
    result = fields.Reference(selection="_selection_result", readonly=True, help="What came of it.")

    @api.model
    def _selection_result(self):
        """Any model: each kind makes records of its own."""
        return [(model.model, model.name) for model in self.env["ir.model"].sudo().search([])]

    # --- What is true of a kind ----------------------------------------------------------------------------------------

    @api.model
    def _financial_kinds(self):
        """Kinds that write something off, claim it, or change what stock is worth."""
        return set()

    @api.model
    def _release_kinds(self):
        """Kinds that set free what was blocked."""
        return set()

    @api.model
    def _editable_fields(self):
        """What a person may change in a proposal, until somebody is asked to approve it. Other parts add theirs."""
        return EDITABLE

    @api.model
    def _kinds_for(self, case):
        """The kinds that make sense for `case`, for people to choose from."""
        return {"accept"}

    def _is_release(self):
        return self.kind in self._release_kinds()

    @api.depends("kind")
    def _compute_is_financial(self):
        financial = self._financial_kinds()
        for action in self:
            action.is_financial = action.kind in financial

    @api.depends("quantity", "product_id")
    def _compute_amount(self):
        for action in self:
            action.amount = action.case_id._worth(action.quantity) if action.product_id else 0.0

    # --- Proposing ---------------------------------------------------------------------------------------------------

    @api.model
    def _propose(self, case, kind, **values):
        """Propose a response; the same one once."""
        values = {**self._defaults_for(case, kind), **values}
        about = values.get("move_id")
        same = case.sudo()._live_actions().filtered(
            lambda action: action.kind == kind and (not about or action.move_id.id == about)
        )
        if same:
            return same[0]
        return unsealed(self.sudo()).create({**values, "case_id": case.id, "kind": kind}).with_env(self.env)

    @api.model
    def _defaults_for(self, case, kind):
        """What a new proposal of this kind says, as far as it isn't told. Kinds that know better than the case add theirs."""
        return {
            "product_id": case.product_id.id,
            "lot_id": case.lot_id.id,
            "quantity": case.quantity_at_stake,
            "location_id": case.location_id.id,
        }

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("Responses are proposed on their case, by its button 'Propose'."))
        return super().create(vals_list)

    def write(self, vals):
        if not is_unsealed(self.env):
            self._check_may_edit(vals)
            # Whoever changes a proposal proposes, too, and so does not approve it.
            vals = {**vals, "edited_by_ids": [fields.Command.link(self.env.uid)]}
        return super().write(vals)

    def _check_may_edit(self, vals):
        self._require_role("investigate")
        sealed = set(vals) - self._editable_fields()
        if sealed:
            raise AccessError(self.env._("This is decided by buttons, not by editing: %s.", ", ".join(sorted(sealed))))
        for action in self:
            if action.state != "proposed" or action.case_id.state not in PLANNABLE:
                raise UserError(
                    self.env._(
                        "%(case)s waits for a decision on this response or has it already. Take the case back to change it.",
                        case=action.case_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("A response can't be deleted. Withdraw it: it stays readable for an audit."))

    def action_withdraw(self):
        self._require_role("investigate")
        self._check_may_edit({})
        unsealed(self.sudo()).write({"state": "withdrawn"})

    def _back_to_proposed(self):
        unsealed(self).write({"state": "proposed", "failure": False})

    # --- Doing -------------------------------------------------------------------------------------------------------

    def _run(self):
        """Do it. Raises UserError with what stands in the way; then nothing of it was done."""
        self.ensure_one()
        if self.state not in ("approved", "failed"):
            raise UserError(self.env._("'%s' was not approved, so it can't be done.", self.display_name))
        result = getattr(acting(self, self.case_id), f"_do_{self.kind}")()
        unsealed(self).write(
            {
                "state": "done",
                "failure": False,
                "done_by_id": self.env.uid,
                "done_at": fields.Datetime.now(),
                "result": f"{result._name},{result.id}" if result else False,
            }
        )

    def _run_at_once(self):
        """What policy lets happen without an approval, because it can be undone and moves no stock."""
        self.ensure_one()
        unsealed(self).write({"state": "approved", "is_automatic": True})
        self._run()

    def _after_failure(self):
        """What follows from a failure, once all that was done is undone. Kinds add theirs."""
        self.ensure_one()

    def _leave_proposed(self, failure):
        """What policy would have done at once could not be done: it waits for people, and says why."""
        unsealed(self.sudo()).write({"state": "proposed", "failure": failure})
        self.case_id.sudo()._message_log(
            body=self.env._("'%(what)s' could not be done at once: %(why)s", what=self.display_name, why=failure)
        )

    def _do_accept(self):
        """Nothing is to be done, and somebody with the right to say so has said so."""

    def _require_quantity(self):
        rounding = self.product_id.uom_id.rounding
        if not self.product_id or float_compare(self.quantity, 0, precision_rounding=rounding) <= 0:
            raise UserError(self.env._("'%s' needs a product and a quantity above zero.", self.display_name))
