from odoo import api, fields, models

from ..case.states import KINDS


class StockWarehouse(models.Model):
    """Each kind of exception is switched on by warehouse, so that a site can begin with one."""

    _inherit = "stock.warehouse"

    exception_lead_id = fields.Many2one(
        "res.users", "Warehouse lead", domain="[('share', '=', False)]", help="Is told of exceptions, and escalated to."
    )
    # Stored is what is off: a kind that comes with a later version is then on everywhere.
    exception_kind_off_ids = fields.Many2many("warehouse.exception.kind", string="Kinds not governed yet")
    exception_kind_ids = fields.Many2many(
        "warehouse.exception.kind",
        string="Governed kinds of exception",
        compute="_compute_exception_kind_ids",
        inverse="_inverse_exception_kind_ids",
        help="Reports of the other kinds are kept as received, and taken up when their kind is switched on.",
    )

    @api.depends("exception_kind_off_ids")
    def _compute_exception_kind_ids(self):
        every = self.env["warehouse.exception.kind"].search([], limit=len(KINDS))
        for warehouse in self:
            warehouse.exception_kind_ids = every - warehouse.exception_kind_off_ids

    def _inverse_exception_kind_ids(self):
        every = self.env["warehouse.exception.kind"].search([], limit=len(KINDS))
        for warehouse in self:
            warehouse.exception_kind_off_ids = every - warehouse.exception_kind_ids

    def write(self, vals):
        result = super().write(vals)
        if {"exception_kind_ids", "exception_kind_off_ids"} & set(vals):
            self._take_up_waiting_cases()
        return result

    def _governs(self, kind):
        assert kind in dict(KINDS)
        return kind not in self.sudo().exception_kind_off_ids.mapped("code")

    def _take_up_waiting_cases(self):
        """What was received while its kind was off begins its life; the job does the work."""
        for warehouse in self.sudo():
            self.env["warehouse.exception.case"].sudo().search(
                [
                    ("warehouse_id", "=", warehouse.id),
                    ("state", "=", "received"),
                    ("exception_type", "in", warehouse.exception_kind_ids.mapped("code")),
                ]
            )._respond_later()
