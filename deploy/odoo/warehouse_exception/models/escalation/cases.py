from odoo import api, fields, models
from odoo.tools import SQL

from ..base.seal import unsealed
from ..case.states import FINISHED
from .path import CASE_TRIGGERS

AT_ONCE = 100
# What is more waits for the next hour: the first thousand are enough to keep people busy.
BATCHES = 10
UNDECIDED = ("needs_mapping", "open", "investigating")


class WarehouseExceptionEscalation(models.Model):
    """The cases that stood too long, by the paths of their policies: each trigger is one query, whatever is in there."""

    _inherit = "warehouse.exception.escalation"

    @api.model
    def _cron_escalate(self):
        """A batch a transaction. Two workers skip each other's cases, and the key is unique besides."""
        progress = self.env["ir.cron"]
        for step in (self._adopt, *(self._stage(trigger) for trigger, _label in CASE_TRIGGERS), *self._findings()):
            for _batch in range(BATCHES):
                done = step()
                if not progress._commit_progress(done):
                    return
                if done < AT_ONCE:
                    break

    @api.model
    def _stage(self, trigger):
        return lambda: self._escalate_cases(trigger)

    @api.model
    def _adopt(self):
        """A case that waits to be mapped has no policy yet, and ages all the same: it gets the one that fits so far."""
        waiting = [("policy_id", "=", False), ("state", "=", "needs_mapping")]
        cases = self.env["warehouse.exception.case"].search(waiting, order="id", limit=AT_ONCE)
        cases = cases.try_lock_for_update(allow_referencing=True)
        for alike in cases.grouped(
            lambda case: (case.exception_type, case.warehouse_id, case.product_id.categ_id)
        ).values():
            policy = self.env["warehouse.exception.policy"]._match(alike[0])
            for case in alike if policy else ():
                deadline = fields.Datetime.add(case.received_at, hours=policy.deadline_hours)
                unsealed(case).write({"policy_id": policy.id, "deadline_at": case.deadline_at or deadline})
        return len(cases)

    @api.model
    def _escalate_cases(self, trigger):
        """The oldest that are due and were not told; returns how many were looked at."""
        self.env.flush_all()
        since, joins, where = self._condition(trigger)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT c.id, l.id, %(since)s
                  FROM warehouse_exception_case c
                  JOIN warehouse_exception_policy_escalation l ON l.policy_id = c.policy_id AND l.trigger = %(trigger)s
                  %(joins)s
                 WHERE c.state NOT IN %(finished)s AND %(where)s
                   AND %(since)s + l.after_hours * interval '1 hour' <= %(now)s
                   AND NOT EXISTS (SELECT 1 FROM warehouse_exception_escalation e
                                    WHERE e.case_id = c.id AND e.trigger = l.trigger AND e.level = l.level
                                      AND e.since = %(since)s)
                 ORDER BY %(since)s, c.id, l.level LIMIT %(limit)s
                """,
                since=since,
                trigger=trigger,
                joins=joins,
                finished=FINISHED,
                where=where,
                now=fields.Datetime.now(),
                limit=AT_ONCE,
            )
        )
        self._write_down(trigger, rows)
        return len(rows)

    @api.model
    def _condition(self, trigger):
        """(from when on it counts, joins, what must be true) of a trigger."""
        if trigger == "aging":
            return SQL("c.open_since"), SQL(), SQL("TRUE")
        if trigger == "deadline":
            return SQL("c.deadline_at"), SQL(), SQL("TRUE")
        if trigger == "approval":
            waiting = SQL("""JOIN LATERAL (SELECT min(a.asked_at) AS asked_at FROM warehouse_exception_approval a
                                  WHERE a.case_id = c.id AND a.state = 'waiting') a ON TRUE""")
            return SQL("a.asked_at"), waiting, SQL("c.state = 'pending_approval'")
        if trigger == "evidence":
            return SQL("c.open_since"), SQL(), SQL("c.state IN %s AND (%s)", UNDECIDED, self._evidence_missing())
        return SQL("COALESCE(c.quarantine_since, c.open_since)"), SQL(), SQL("c.quarantine_open > 0")

    @api.model
    def _evidence_missing(self):
        """As `_missing_evidence` of a case, and the photos that a device still has."""
        return SQL(
            """EXISTS (SELECT 1 FROM warehouse_exception_evidence ev WHERE ev.case_id = c.id AND ev.complete IS NOT TRUE)
            OR EXISTS (SELECT 1 FROM warehouse_exception_policy_evidence w
                        WHERE w.policy_id = c.policy_id
                          AND w.minimum > (SELECT count(*) FROM warehouse_exception_evidence ev
                                            WHERE ev.case_id = c.id AND ev.kind = w.kind AND ev.complete))"""
        )

    @api.model
    def _write_down(self, trigger, rows):
        cases = self.env["warehouse.exception.case"].browse(case_id for case_id, _step, _since in rows)
        steps = self.env["warehouse.exception.policy.escalation"].browse(step_id for _case, step_id, _since in rows)
        # Each from the whole set, so that one query reads them all.
        locked = {case.id: case for case in cases.try_lock_for_update(allow_referencing=True)}
        paths = {step.id: step for step in steps}
        labels = dict(self._fields["trigger"]._description_selection(self.env))
        values = []
        for case_id, step_id, since in rows:
            case, step = locked.get(case_id), paths[step_id]
            if not case:
                continue
            whom = self._whom(case, step)
            values.append(
                {
                    "name": self.env._("%(what)s: %(case)s", what=labels[trigger], case=case.name),
                    "key": f"case/{case.id}/{trigger}/{step.level}/{fields.Datetime.to_string(since)}",
                    "trigger": trigger,
                    "level": step.level,
                    "since": since,
                    "company_id": case.company_id.id,
                    "warehouse_id": case.warehouse_id.id,
                    "case_id": case.id,
                    "user_ids": [fields.Command.set(whom.ids)],
                    "nobody": not whom,
                }
            )
        return self._escalate(values) if values else self.browse()
