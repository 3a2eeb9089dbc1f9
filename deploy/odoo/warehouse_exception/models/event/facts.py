from odoo import api, fields, models


class WarehouseExceptionEvent(models.Model):
    """What the event says, to be listed and counted: several events may belong to one case, and each has its own."""

    _inherit = "warehouse.exception.event"

    document_code = fields.Char("Document", readonly=True)
    operator_badge = fields.Char("Badge", readonly=True, index="btree_not_null")
    is_expected_known = fields.Boolean(readonly=True, help="Whether the device told how much it expected.")
    quantity_expected = fields.Float("Expected", digits=0, readonly=True)
    is_counted = fields.Boolean(readonly=True, help="Some kinds of exception are not about a quantity.")
    quantity_counted = fields.Float("Counted", digits=0, readonly=True)
    unit_code = fields.Char("Unit", readonly=True)
    reason_code = fields.Char("Reason", readonly=True)

    picking_id = fields.Many2one(
        "stock.picking", "Transfer", readonly=True, index="btree_not_null", ondelete="restrict", help="If it was found."
    )
    is_repeat = fields.Boolean(
        "Further report", readonly=True, help="Somebody had reported the same already: it belongs to that case."
    )
    response_due = fields.Boolean(readonly=True, help="The case's response has not looked at this further report yet.")
    scan_ids = fields.One2many("warehouse.exception.scan", "event_id", "Scans", readonly=True)

    _due_index = models.Index("(id) WHERE response_due")
    _repeat_index = models.Index("(case_id) WHERE is_repeat")

    @api.model
    def _fact_values(self, event):
        return {
            "document_code": event.document,
            "operator_badge": event.badge,
            "is_expected_known": event.expected is not None,
            "quantity_expected": float(event.expected or 0),
            "is_counted": event.counted is not None,
            "quantity_counted": float(event.counted or 0),
            "unit_code": event.unit,
            "reason_code": event.reason,
        }


class WarehouseExceptionScan(models.Model):
    _inherit = "warehouse.exception.scan"

    event_id = fields.Many2one("warehouse.exception.event", readonly=True, index="btree_not_null", ondelete="restrict")
