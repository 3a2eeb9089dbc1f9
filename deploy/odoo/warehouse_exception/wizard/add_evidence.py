import base64
import binascii

from odoo import fields, models
from odoo.exceptions import UserError

from ..models.event.added import MAX_BYTES
from ..models.event.evidence import KINDS_OF_EVIDENCE, NotStored


class WarehouseExceptionAddEvidence(models.TransientModel):
    """Takes a file and adds it to a case's evidence, byte for byte."""

    _name = "warehouse.exception.add.evidence"
    _description = "Add evidence"

    case_id = fields.Many2one("warehouse.exception.case", required=True, readonly=True, ondelete="cascade")
    kind = fields.Selection(KINDS_OF_EVIDENCE, required=True, default="delivery_note")
    # Not as an attachment: Odoo would make a large picture smaller on its way there, and its hash another one.
    file = fields.Binary(required=True, attachment=False)
    file_name = fields.Char()
    note = fields.Char()

    def action_add(self):
        case = self.case_id
        case._require_role("investigate")
        case.check_access("write")
        try:
            self.env["warehouse.exception.evidence"]._add(case, self.kind, self._bytes(), self.note)
        except NotStored as error:
            raise UserError(
                self.env._("The server's filestore did not take the file (%s). Nothing was added; try again.", error)
            ) from error
        return {"type": "ir.actions.act_window_close"}

    def _bytes(self):
        text = self.file or b""
        if len(text) > MAX_BYTES * 2:  # base64 makes four characters of three bytes, and lines may be broken
            raise UserError(self.env._("The file is too large: %s bytes are the most. Nothing was added.", MAX_BYTES))
        try:
            return base64.b64decode(text)
        except (binascii.Error, ValueError) as error:
            raise UserError(self.env._("The file arrived damaged. Nothing was added; try again.")) from error


class WarehouseExceptionKeepEvidence(models.TransientModel):
    """Asks for the reason of a legal hold, of its end, or of a removal."""

    _name = "warehouse.exception.keep.evidence"
    _description = "Legal hold and removal of evidence"

    case_id = fields.Many2one("warehouse.exception.case", readonly=True, ondelete="cascade")
    evidence_ids = fields.Many2many(
        "warehouse.exception.evidence", "warehouse_exception_keep_evidence_rel", string="Evidence to remove"
    )
    mode = fields.Selection(
        [("hold", "Put under legal hold"), ("lift", "Lift the legal hold"), ("remove", "Remove pictures for good")],
        required=True,
        default="hold",
    )
    why = fields.Char("Reason", required=True)

    def action_do(self):
        """The records check the role and the reason themselves: they can be called without this dialog."""
        if self.mode == "hold":
            self.case_id.action_hold(self.why)
        elif self.mode == "lift":
            self.case_id.action_lift_hold(self.why)
        else:
            self.evidence_ids.action_remove(self.why)
        return {"type": "ir.actions.act_window_close"}
