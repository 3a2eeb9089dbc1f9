from odoo import fields, models

from .states import STATES


class WarehouseExceptionStep(models.Model):
    """One step in the life of a case: who, when, why, and how long the case had stood where it was."""

    _name = "warehouse.exception.step"
    _description = "Step of a case"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "to_state"
    _order = "id"

    case_id = fields.Many2one("warehouse.exception.case", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    from_state = fields.Selection(STATES, "From", required=True)
    to_state = fields.Selection(STATES, "To", required=True, index=True)
    at = fields.Datetime("When", required=True)
    user_id = fields.Many2one("res.users", "Who", required=True, ondelete="restrict")
    why = fields.Char(help="In the words of whoever took the step, or of the policy that did.")
    seconds = fields.Float("Time before it (s)", digits=0, help="How long the case had been in the state before.")
