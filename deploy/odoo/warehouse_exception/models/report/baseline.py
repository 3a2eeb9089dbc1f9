from datetime import datetime, time, timedelta

import pytz

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from ..base.seal import is_unsealed, unsealed

# With what is better: more (1) or less (-1).
FIGURES = {
    "volume": -1,
    "median_hours": -1,
    "deadline_met": 1,
    "approval_hours": -1,
    "minutes_to_case": -1,
    "recurrence": -1,
    "amount_at_stake": -1,
    "amount_settled": -1,
}
FROZEN = frozenset("company_id warehouse_id date_from date_to line_ids frozen_by_id frozen_at".split())


class WarehouseExceptionBaseline(models.Model):
    """The figures of a period, written down before things change, so that later ones can be compared with them."""

    _name = "warehouse.exception.baseline"
    _description = "Baseline"
    _order = "date_from desc, id desc"

    name = fields.Char(required=True, default=lambda self: self.env._("Before"))
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    warehouse_id = fields.Many2one(
        "stock.warehouse", check_company=True, ondelete="restrict", help="Empty: all of them."
    )
    date_from = fields.Date("From", required=True, default=lambda self: fields.Date.today() - timedelta(days=90))
    date_to = fields.Date("To", required=True, default=fields.Date.today, help="The last day of the period.")
    frozen_at = fields.Datetime("Frozen", readonly=True, default=fields.Datetime.now, required=True)
    frozen_by_id = fields.Many2one(
        "res.users", "By", readonly=True, default=lambda self: self.env.uid, ondelete="restrict"
    )
    compare_from = fields.Date(
        "Compare from", compute="_compute_compare", store=True, readonly=False, help="The first day to compare it with."
    )
    compare_to = fields.Date("Compare to", compute="_compute_compare", store=True, readonly=False)
    line_ids = fields.One2many("warehouse.exception.baseline.line", "baseline_id", "Figures", readonly=True)

    @api.constrains("date_from", "date_to", "compare_from", "compare_to")
    def _check_periods(self):
        for baseline in self:
            if baseline.date_to < baseline.date_from:
                raise ValidationError(self.env._("The period ends before it begins. Nothing was frozen."))
            compare = (baseline.compare_from, baseline.compare_to)
            if all(compare) and compare[1] < compare[0]:
                raise ValidationError(self.env._("The period to compare with ends before it begins."))

    @api.depends("date_from", "date_to")
    def _compute_compare(self):
        """The same number of days, up to today."""
        today = fields.Date.context_today(self)
        for baseline in self:
            if not baseline.compare_to and baseline.date_from and baseline.date_to:
                baseline.compare_to = today
                baseline.compare_from = max(
                    today - (baseline.date_to - baseline.date_from), baseline.date_to + timedelta(days=1)
                )
                baseline.compare_from = min(baseline.compare_from, today)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            for sealed in ("line_ids", "frozen_by_id", "frozen_at"):
                vals.pop(sealed, None)
        baselines = super().create(vals_list)
        for baseline in baselines:
            baseline._freeze()
        return baselines

    def write(self, vals):
        if FROZEN & set(vals) and not is_unsealed(self.env):
            raise AccessError(
                self.env._("A baseline is frozen: what it says of its period can't be changed. Make another one.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("A baseline can't be deleted: others may have quoted it."))

    def _freeze(self):
        self.ensure_one()
        figures = self._figures(self.date_from, self.date_to)
        lines = [
            Command.create({"figure": figure, "sequence": place, "value": value, "has_value": value is not None})
            for place, (figure, value) in enumerate(figures.items())
        ]
        unsealed(self.sudo()).write({"line_ids": lines})

    def _moment(self, day, end=False):
        """The first moment of `day` (or of the next) by the clocks of the company, in UTC."""
        zone = pytz.timezone(self.company_id.partner_id.tz or self.env.user.tz or "UTC")
        local = zone.localize(datetime.combine(day + timedelta(days=end), time.min))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    def _figures(self, first, last):
        """Each figure of the days from `first` to `last`; None where there is nothing to count. Parts add theirs."""
        self.ensure_one()
        start, end = self._moment(first), self._moment(last, end=True)
        where = SQL("company_id = %s", self.company_id.id)
        if self.warehouse_id:
            where = SQL("%s AND warehouse_id = %s", where, self.warehouse_id.id)
        cases, *rest = self._case_figures(SQL("%s AND received_at >= %s AND received_at < %s", where, start, end))
        names = ("median_hours", "deadline_met", "minutes_to_case", "recurrence", "amount_at_stake", "amount_settled")
        found = dict(zip(names, rest, strict=True))
        # Money too: a busier month has more of everything.
        moves = self._moves(start, end)
        for figure, total in (("volume", cases), *((name, found[name] or 0.0) for name in names[-2:])):
            found[figure] = 1000.0 * total / moves if moves else None
        decided = SQL("%s AND decided_at >= %s AND decided_at < %s", where, start, end)
        found["approval_hours"] = self._approval_figure(decided)
        return {figure: found[figure] for figure in FIGURES}

    def _case_figures(self, where):
        report = self.env["warehouse.exception.report"]._table_query
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_end), avg(deadline_met),
                       percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes_to_case), avg(recurrence_rate),
                       sum(amount_at_stake), sum(amount_settled)
                  FROM (%s) cases WHERE %s
                """,
                report,
                where,
            )
        )
        return self.env.cr.fetchone()

    def _approval_figure(self, where):
        report = self.env["warehouse.exception.report.approval"]._table_query
        self.env.cr.execute(
            SQL("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY hours) FROM (%s) decisions WHERE %s", report, where)
        )
        return self.env.cr.fetchone()[0]

    def _moves(self, start, end):
        """Done stock moves of the period: what the volume of exceptions is measured by."""
        domain = [
            ("company_id", "=", self.company_id.id),
            ("state", "=", "done"),
            ("date", ">=", start),
            ("date", "<", end),
        ]
        if self.warehouse_id:
            inside = self.warehouse_id.view_location_id.id
            domain += ["|", ("location_id", "child_of", inside), ("location_dest_id", "child_of", inside)]
        return self.env["stock.move"].sudo().search_count(domain)


class WarehouseExceptionBaselineLine(models.Model):
    """One figure: as it was frozen, and as it is in the period to compare with."""

    _name = "warehouse.exception.baseline.line"
    _description = "Figure of a baseline"
    _inherit = ["warehouse.exception.append.only"]
    _order = "baseline_id, sequence, id"
    _rec_name = "figure"

    baseline_id = fields.Many2one(
        "warehouse.exception.baseline", "Belongs to", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="baseline_id.company_id", store=True)
    sequence = fields.Integer()
    figure = fields.Selection(
        [
            ("volume", "Cases per 1,000 stock moves"),
            ("median_hours", "Median time to the end (h)"),
            ("deadline_met", "Deadlines met (%)"),
            ("approval_hours", "Median approval turnaround (h)"),
            ("minutes_to_case", "Median from capture to case (min)"),
            ("recurrence", "Recurrent cases (%)"),
            ("amount_at_stake", "At stake per 1,000 stock moves"),
            ("amount_settled", "Written off, adjusted or claimed per 1,000 stock moves"),
        ],
        required=True,
        readonly=True,
    )
    value = fields.Float("Baseline", readonly=True)
    has_value = fields.Boolean(readonly=True)
    compared = fields.Float(compute="_compute_compared")
    has_compared = fields.Boolean(compute="_compute_compared")
    change = fields.Float("Change (%)", compute="_compute_compared")
    verdict = fields.Selection(
        [("better", "Better"), ("same", "Same"), ("worse", "Worse")], compute="_compute_compared"
    )

    @api.depends("baseline_id.compare_from", "baseline_id.compare_to", "value")
    def _compute_compared(self):
        figures = {}
        for baseline in self.baseline_id:
            if baseline.compare_from and baseline.compare_to:
                figures[baseline] = baseline._figures(baseline.compare_from, baseline.compare_to)
        for line in self:
            value = figures.get(line.baseline_id, {}).get(line.figure)
            both = value is not None and line.has_value
            difference = value - line.value if both else 0.0
            line.has_compared = value is not None
            line.compared = value or 0.0
            line.change = 100.0 * difference / line.value if both and line.value else 0.0
            line.verdict = both and self._verdict(line.figure, difference)

    @api.model
    def _verdict(self, figure, difference):
        if abs(difference) < 0.005:
            return "same"
        return "better" if difference * FIGURES[figure] > 0 else "worse"

    @api.model_create_multi
    def create(self, vals_list):
        if not is_unsealed(self.env):
            raise AccessError(self.env._("The figures of a baseline are counted and not typed in."))
        return super().create(vals_list)
