from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .cases import AT_ONCE

NOT_COUNTED = ("cancelled", "rejected")


class WarehouseExceptionEscalation(models.Model):
    """What no single case shows: the same product, bin, supplier or operator again and again."""

    _inherit = "warehouse.exception.escalation"

    @api.model
    def _findings(self):
        """What the job does besides the cases: callables that return how much each found."""
        steps = [
            lambda company=company, subject=subject: self._find_repeated(company, subject)
            for company in self.env["res.company"].search([])
            for subject in self._subjects()
            if company.exception_repeat_cases and company.exception_repeat_days
        ]
        return [*steps, self._find_silent, self._find_broken_chains]

    @api.model
    def _subjects(self):
        """{trigger: (the field of an escalation, the column, joins)}. Bridges may know better."""
        supplier = SQL("""JOIN stock_picking p ON p.id = c.picking_id
               JOIN stock_picking_type t ON t.id = p.picking_type_id AND t.code = 'incoming'""")
        return {
            "repeat_product": ("product_id", SQL("c.product_id"), SQL()),
            "repeat_bin": ("location_id", SQL("c.location_id"), SQL()),
            "repeat_supplier": ("partner_id", SQL("p.partner_id"), supplier),
            "repeat_operator": ("operator_badge", SQL("c.operator_badge"), SQL()),
        }

    @api.model
    def _find_repeated(self, company, trigger):
        """One finding a subject in the window: who was told of it isn't told again before the window is over."""
        field, column, joins = self._subjects()[trigger]
        now = fields.Datetime.now()
        since = now - timedelta(days=company.exception_repeat_days)
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT %(column)s, count(*), min(c.received_at), max(c.warehouse_id)
                  FROM warehouse_exception_case c %(joins)s
                 WHERE c.company_id = %(company)s AND c.received_at >= %(since)s AND c.state NOT IN %(not_counted)s
                   AND %(column)s IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM warehouse_exception_escalation e
                                    WHERE e.trigger = %(trigger)s AND e.company_id = %(company)s
                                      AND e.at >= %(since)s AND e.%(field)s = %(column)s)
                 GROUP BY %(column)s HAVING count(*) >= %(least)s
                 ORDER BY count(*) DESC, %(column)s LIMIT %(limit)s
                """,
                column=column,
                joins=joins,
                company=company.id,
                since=since,
                not_counted=NOT_COUNTED,
                trigger=trigger,
                field=SQL.identifier(field),
                least=company.exception_repeat_cases,
                limit=AT_ONCE,
            )
        )
        self._escalate(self._repeated_values(company, trigger, field, rows, now))
        return len(rows)

    @api.model
    def _repeated_values(self, company, trigger, field, rows, now):
        labels = dict(self._fields["trigger"]._description_selection(self.env))
        comodel = self._fields[field].comodel_name
        subjects = self.env[comodel].browse(row[0] for row in rows) if comodel else None
        names = {record.id: record.display_name for record in subjects} if comodel else {}
        values = []
        warehouses = self.env["stock.warehouse"].browse(row[3] for row in rows)
        for (subject, number, first, _warehouse_id), warehouse in zip(rows, warehouses, strict=True):
            whom = self._able(warehouse.exception_lead_id)
            name = self.env._(
                "%(what)s %(name)s, %(number)s cases in %(days)s days",
                what=labels[trigger],
                name=names.get(subject, subject),
                number=number,
                days=company.exception_repeat_days,
            )
            values.append(
                {
                    "name": name,
                    "key": f"{trigger}/{company.id}/{subject}/{fields.Date.to_string(now.date())}",
                    "trigger": trigger,
                    "since": first,
                    "company_id": company.id,
                    "warehouse_id": warehouse.id,
                    field: subject,
                    "number": number,
                    "user_ids": [fields.Command.set(whom.ids)],
                    "nobody": not whom,
                }
            )
        return values
