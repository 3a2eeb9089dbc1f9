from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

DAYS = 365


class WarehouseExceptionPareto(models.Model):
    """The few combinations of reason, supplier and bin that make the most cases of the last year, each with the share
    that it and all before it have: what to mend first.
    """

    _name = "warehouse.exception.pareto"
    _description = "Pareto of reason, supplier and bin"
    _auto = False
    _order = "rank"
    _rec_name = "reason_code"
    _depends = {"warehouse.exception.case": ["reason_code", "location_id", "picking_id", "amount_at_stake"]}

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    rank = fields.Integer(readonly=True, aggregator="min", help="By the number of cases, in its company.")
    reason_code = fields.Char("Reason", readonly=True)
    supplier_id = fields.Many2one("res.partner", readonly=True)
    location_id = fields.Many2one("stock.location", "Bin", readonly=True)
    case_count = fields.Integer("Cases", readonly=True)
    amount = fields.Monetary("At stake", readonly=True, aggregator="sum")
    share = fields.Float("Share (%)", readonly=True, aggregator="sum")
    cumulated = fields.Float(
        "Cumulated (%)", readonly=True, aggregator="max", help="Its own share and that of all with a higher rank."
    )

    @property
    def _table_query(self):
        # The id is the first case of each combination: the same one, as long as its year lasts.
        return SQL(
            """
            SELECT id, company_id, currency_id, rank, reason_code, supplier_id, location_id, case_count, amount,
                   100.0 * case_count / total AS share,
                   100.0 * sum(case_count) OVER (PARTITION BY company_id ORDER BY rank) / total AS cumulated
              FROM (
                SELECT groups.*,
                       row_number() OVER (PARTITION BY company_id ORDER BY case_count DESC, amount DESC, id) AS rank,
                       sum(case_count) OVER (PARTITION BY company_id) AS total
                  FROM (
                    SELECT min(c.id) AS id, c.company_id, company.currency_id, c.reason_code, c.location_id,
                           CASE WHEN type.code = 'incoming' THEN picking.partner_id END AS supplier_id,
                           count(*) AS case_count, COALESCE(sum(c.amount_at_stake), 0) AS amount
                      FROM warehouse_exception_case c
                      JOIN res_company company ON company.id = c.company_id
                      LEFT JOIN stock_picking picking ON picking.id = c.picking_id
                      LEFT JOIN stock_picking_type type ON type.id = picking.picking_type_id
                     WHERE c.received_at >= %(since)s
                     GROUP BY c.company_id, company.currency_id, c.reason_code, c.location_id, supplier_id
                  ) groups
              ) ranked
            """,
            since=fields.Datetime.now() - timedelta(days=DAYS),
        )

    def action_open_cases(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.case_action")
        domain = [
            ("company_id", "=", self.company_id.id),
            ("reason_code", "=", self.reason_code),
            ("location_id", "=", self.location_id.id),
            ("received_at", ">=", fields.Datetime.now() - timedelta(days=DAYS)),
        ]
        if self.supplier_id:
            domain += [
                ("picking_id.partner_id", "=", self.supplier_id.id),
                ("picking_id.picking_type_code", "=", "incoming"),
            ]
        return {**action, "domain": domain, "context": {}}
