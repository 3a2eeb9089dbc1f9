from odoo import api, fields, models
from odoo.tools import SQL

from ..case.look import AGES
from ..case.states import FINISHED, KINDS, STATES


class WarehouseExceptionReport(models.Model):
    """Facts of cases, one row a case, for pivots and graphs. A query reads only the tables whose columns it names."""

    _name = "warehouse.exception.report"
    _description = "Case analysis"
    _auto = False
    _order = "received_at desc"
    _rec_name = "case_id"
    _depends = {
        "warehouse.exception.case": ["state", "deadline_at", "ended_at", "amount_at_stake", "reason_code", "cause_id"],
        "warehouse.exception.action": ["state", "amount"],
    }

    case_id = fields.Many2one("warehouse.exception.case", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True)
    exception_type = fields.Selection(KINDS, "Kind", readonly=True)
    state = fields.Selection(STATES, readonly=True)
    age = fields.Selection(AGES, readonly=True)
    source = fields.Selection([("device", "Handheld"), ("manual", "Reported in Odoo")], readonly=True)
    reason_code = fields.Char("Reason", readonly=True)
    cause_id = fields.Many2one("warehouse.exception.cause", "Root cause", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", "Product category", readonly=True)
    location_id = fields.Many2one("stock.location", "Bin", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", "Supplier or customer", readonly=True, help="Of the transfer that the case is about."
    )
    supplier_id = fields.Many2one("res.partner", readonly=True, help="Of the receipt that the case is about.")
    device_id = fields.Many2one("warehouse.exception.device", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    policy_id = fields.Many2one("warehouse.exception.policy", readonly=True)
    team_id = fields.Many2one("warehouse.exception.team", readonly=True)
    captured_at = fields.Datetime("Captured", readonly=True)
    received_at = fields.Datetime("Received", readonly=True)
    deadline_at = fields.Datetime("Deadline", readonly=True)
    ended_at = fields.Datetime("Ended", readonly=True)

    minutes_to_case = fields.Float(
        "Capture to case (min)",
        readonly=True,
        aggregator="avg",
        help="From the scan on the floor to the case in Odoo: how long the network and the outbox took.",
    )
    hours_to_end = fields.Float("Time to the end (h)", readonly=True, aggregator="avg", help="From receipt to the end.")
    hours_open = fields.Float("Open for (h)", readonly=True, aggregator="avg", help="Of unfinished cases: their age.")
    deadline_met = fields.Float(
        "Deadlines met (%)",
        readonly=True,
        aggregator="avg",
        help="Of cases that ended or are past their deadline: how many ended in time.",
    )
    overdue = fields.Integer(readonly=True, help="Unfinished and past the deadline.")
    recurrent = fields.Integer(
        "Recurrences", readonly=True, help="The same kind, product and bin as a case of the 90 days before."
    )
    recurrence_rate = fields.Float("Recurrent (%)", readonly=True, aggregator="avg")
    quantity_variance = fields.Float("Variance", readonly=True)
    amount_at_stake = fields.Monetary("At stake", readonly=True, aggregator="sum")
    amount_settled = fields.Monetary(
        "Written off, adjusted or claimed",
        readonly=True,
        aggregator="sum",
        help="By responses that touch money and were done. What was proposed and not done isn't in it.",
    )

    @property
    def _table_query(self):
        return SQL("SELECT %s FROM %s", self._select(), self._from())

    @api.model
    def _columns(self):
        """Each column with its SQL. Bridges add theirs."""
        ended = "(c.state IN %(finished)s OR c.ended_at IS NOT NULL)"
        same = """
            id company_id warehouse_id exception_type state source reason_code cause_id product_id location_id device_id
            user_id policy_id captured_at received_at deadline_at ended_at quantity_variance amount_at_stake
            """
        return {
            **{name: f"c.{name}" for name in same.split()},
            "case_id": "c.id",
            "currency_id": "company.currency_id",
            "age": f"""
                CASE WHEN {ended} THEN NULL WHEN c.deadline_at < %(now)s THEN 'overdue'
                     WHEN c.ageing_at < %(now)s THEN 'ageing' ELSE 'fresh' END""",
            "categ_id": "template.categ_id",
            "partner_id": "picking.partner_id",
            "supplier_id": "CASE WHEN type.code = 'incoming' THEN picking.partner_id END",
            "team_id": "policy.team_id",
            "minutes_to_case": """
                CASE WHEN c.source = 'device'
                     THEN GREATEST(0, EXTRACT(EPOCH FROM c.received_at - c.captured_at)) / 60 END""",
            "hours_to_end": "EXTRACT(EPOCH FROM c.ended_at - c.received_at) / 3600",
            "hours_open": f"CASE WHEN NOT {ended} THEN EXTRACT(EPOCH FROM %(now)s - c.received_at) / 3600 END",
            "deadline_met": """
                CASE WHEN c.ended_at <= c.deadline_at THEN 100.0
                     WHEN COALESCE(c.ended_at, %(now)s) > c.deadline_at THEN 0.0 END""",
            "overdue": f"(NOT {ended} AND c.deadline_at < %(now)s)::integer",
            "recurrent": "COALESCE(c.is_recurrent, false)::integer",
            "recurrence_rate": "100.0 * COALESCE(c.is_recurrent, false)::integer",
            "amount_settled": "COALESCE(settled.amount, 0)",
        }

    def _select(self):
        facts = {
            "finished": FINISHED,
            # To the second: the same query within one is the same text.
            "now": fields.Datetime.now(),
        }
        columns = [SQL("%s AS %s", SQL(text, **facts), SQL.identifier(name)) for name, text in self._columns().items()]
        return SQL(", ").join(columns)

    def _from(self):
        """Each join finds at most one row, so PostgreSQL leaves out those that a query does not need."""
        financial = tuple(self.env["warehouse.exception.action"]._financial_kinds()) or ("",)
        return SQL(
            """
            warehouse_exception_case c
            LEFT JOIN res_company company ON company.id = c.company_id
            LEFT JOIN product_product product ON product.id = c.product_id
            LEFT JOIN product_template template ON template.id = product.product_tmpl_id
            LEFT JOIN stock_picking picking ON picking.id = c.picking_id
            LEFT JOIN stock_picking_type type ON type.id = picking.picking_type_id
            LEFT JOIN warehouse_exception_policy policy ON policy.id = c.policy_id
            LEFT JOIN (
                SELECT case_id, sum(amount) AS amount
                  FROM warehouse_exception_action
                 WHERE state = 'done' AND kind IN %s
                 GROUP BY case_id
            ) settled ON settled.case_id = c.id
            """,
            financial,
        )

    def action_open_case(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "warehouse.exception.case",
            "res_id": self.case_id.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }
