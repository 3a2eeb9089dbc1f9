from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.case.states import KINDS


class WarehouseExceptionReportWizard(models.TransientModel):
    """An exception that somebody saw without a handheld."""

    _name = "warehouse.exception.report.wizard"
    _description = "Report an exception"

    exception_type = fields.Selection(KINDS, "What is wrong", required=True)
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        required=True,
        default=lambda self: self.env["stock.warehouse"].search([("company_id", "=", self.env.company.id)], limit=1),
    )
    company_id = fields.Many2one(related="warehouse_id.company_id")
    view_location_id = fields.Many2one(related="warehouse_id.view_location_id")
    product_id = fields.Many2one("product.product", check_company=True, domain="[('type', '=', 'consu')]")
    tracking = fields.Selection(related="product_id.tracking")
    lot_id = fields.Many2one("stock.lot", "Lot/Serial", domain="[('product_id', '=', product_id)]", check_company=True)
    location_id = fields.Many2one(
        "stock.location",
        "Bin",
        check_company=True,
        domain="[('id', 'child_of', view_location_id), ('usage', '=', 'internal')]",
    )
    picking_id = fields.Many2one(
        "stock.picking", "Document", check_company=True, help="The receipt, delivery or internal transfer it is about."
    )
    uom_id = fields.Many2one("uom.uom", "Unit", compute="_compute_uom_id", store=True, readonly=False)
    is_counted = fields.Boolean("I counted", default=True)
    quantity_counted = fields.Float("Counted", digits="Product Unit")
    is_expected = fields.Boolean("I know how much there should be")
    quantity_expected = fields.Float("Expected", digits="Product Unit")
    reason_code = fields.Char("Reason", help="In a word or two; cases are grouped by it.")
    note = fields.Text()
    photo_ids = fields.Many2many("ir.attachment", string="Photos")

    @api.depends("product_id")
    def _compute_uom_id(self):
        for wizard in self:
            wizard.uom_id = wizard.product_id.uom_id

    @api.onchange("product_id")
    def _onchange_product_id(self):
        if self.lot_id.product_id != self.product_id:
            self.lot_id = False

    def action_report(self):
        self.ensure_one()
        if not (self.product_id or self.location_id or self.picking_id or self.note):
            raise UserError(
                self.env._(
                    "Say at least which product, bin or document this is about, or write a note. Nothing was kept."
                )
            )
        values = {
            "exception_type": self.exception_type,
            "warehouse_id": self.warehouse_id.id,
            "product_id": self.product_id.id,
            "lot_id": self.lot_id.id,
            "location_id": self.location_id.id,
            "picking_id": self.picking_id.id,
            "uom_id": self.uom_id.id,
            "is_counted": self.is_counted,
            "quantity_counted": self.quantity_counted if self.is_counted else 0.0,
            "reason_code": self.reason_code,
            "note": self.note,
        }
        if self.is_expected:
            values["quantity_expected"] = self.quantity_expected
        photos = [(photo.name, photo.raw) for photo in self.photo_ids]
        case = self.env["warehouse.exception.case"].action_report(values, photos)
        # They live on as evidence, to the byte; what was uploaded for this dialog is not needed twice.
        self.photo_ids.filtered(lambda photo: photo.res_model == self._name).unlink()
        return {
            "type": "ir.actions.act_window",
            "res_model": case._name,
            "res_id": case.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "current",
        }
