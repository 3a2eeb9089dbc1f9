from odoo import api, fields, models

from ...lib import jose


class WarehouseExceptionScan(models.Model):
    """One read of a scanner: the bytes, and what the device understood of them."""

    _name = "warehouse.exception.scan"
    _description = "Scan"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "text"
    _order = "case_id, at, id"

    case_id = fields.Many2one("warehouse.exception.case", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    role = fields.Char(required=True, help="The slot that it filled: operator, document, bin, item...")
    source = fields.Char(required=True, help="The scanner, or 'page' for what was typed.")
    at = fields.Datetime("Read at", required=True)
    raw = fields.Char(required=True, help="The bytes as the scanner sent them, base64url.")
    text = fields.Char("As text")
    text_visible = fields.Char("Read", compute="_compute_text_visible")
    kind = fields.Char("Understood as")
    flaws = fields.Char(help="What could not be understood.")

    @api.depends("raw")
    def _compute_text_visible(self):
        """Separators are part of a GS1 code, and no font shows them."""
        for scan in self:
            text = jose.b64decode(scan.raw).decode("utf-8", "replace")
            scan.text_visible = "".join(f"\u2039{ord(c):02X}\u203a" if ord(c) < 32 else c for c in text)
