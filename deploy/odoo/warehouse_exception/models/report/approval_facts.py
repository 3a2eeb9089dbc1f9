from odoo import fields, models
from odoo.tools import SQL

from ..approval.approval import STEPS
from ..case.states import KINDS


class WarehouseExceptionReportApproval(models.Model):
    """Facts of decisions, one row each: how long people wait for them, and how they end."""

    _name = "warehouse.exception.report.approval"
    _description = "Approval analysis"
    _auto = False
    _order = "asked_at desc"
    _rec_name = "case_id"
    _depends = {"warehouse.exception.approval": ["state", "decided_at", "amount"]}

    case_id = fields.Many2one("warehouse.exception.case", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True)
    exception_type = fields.Selection(KINDS, "Kind", readonly=True)
    step = fields.Selection(STEPS, "Decision", readonly=True)
    state = fields.Selection(
        [("waiting", "Waiting"), ("approved", "Approved"), ("refused", "Refused"), ("void", "Void")], readonly=True
    )
    in_batch = fields.Boolean("Decided together", readonly=True)
    round = fields.Integer("Rounds", readonly=True, aggregator="max")
    asked_at = fields.Datetime("Asked", readonly=True)
    decided_at = fields.Datetime("Decided", readonly=True)
    asked_by_id = fields.Many2one("res.users", "Asked by", readonly=True)
    decided_by_id = fields.Many2one("res.users", "Decided by", readonly=True)
    amount = fields.Monetary(readonly=True, aggregator="sum")
    hours = fields.Float("Turnaround (h)", readonly=True, aggregator="avg", help="From asking to the decision.")
    hours_waiting = fields.Float("Waiting for (h)", readonly=True, aggregator="avg", help="Of what is not decided yet.")
    refused = fields.Float("Refused or sent back (%)", readonly=True, aggregator="avg", help="Of what was decided.")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT a.id, a.case_id, a.company_id, company.currency_id, c.warehouse_id, a.exception_type, a.step, a.state,
                   a.in_batch, a.round, a.asked_at, a.decided_at, a.asked_by_id, a.decided_by_id, a.amount,
                   -- A later step waits for the one before it: its clock starts with that decision.
                   EXTRACT(EPOCH FROM a.decided_at - COALESCE(before.decided_at, a.asked_at)) / 3600 AS hours,
                   CASE WHEN a.state = 'waiting' AND (a.sequence = 0 OR before.decided_at IS NOT NULL)
                        THEN EXTRACT(EPOCH FROM %(now)s - COALESCE(before.decided_at, a.asked_at)) / 3600
                   END AS hours_waiting,
                   CASE a.state WHEN 'refused' THEN 100.0 WHEN 'approved' THEN 0.0 END AS refused
              FROM warehouse_exception_approval a
              LEFT JOIN warehouse_exception_case c ON c.id = a.case_id
              LEFT JOIN res_company company ON company.id = a.company_id
              LEFT JOIN warehouse_exception_approval before
                     ON before.case_id = a.case_id AND before.round = a.round AND before.sequence = a.sequence - 1
            """,
            now=fields.Datetime.now(),
        )
