from odoo import api, fields, models
from odoo.tools import SQL

from .cases import AT_ONCE

# Devices with something to look at that nobody has reviewed. A site with more of them has been told.
MOST_SUSPECTS = 500


class WarehouseExceptionEscalation(models.Model):
    """Devices that fell silent while others went on, and what is wrong in their chains."""

    _inherit = "warehouse.exception.escalation"

    @api.model
    def _find_silent(self):
        """A warehouse that is closed has no silent device: only one that others of it went on without is told."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT d.id, d.last_seen
                  FROM warehouse_exception_device d
                  JOIN res_company o ON o.id = d.company_id AND o.exception_silent_hours > 0
                 WHERE d.state = 'active'
                   AND d.last_seen < %(now)s - o.exception_silent_hours * interval '1 hour'
                   AND EXISTS (SELECT 1 FROM warehouse_exception_device x
                                WHERE x.warehouse_id = d.warehouse_id AND x.id <> d.id
                                  AND x.last_seen > d.last_seen + o.exception_silent_hours * interval '1 hour')
                   AND NOT EXISTS (SELECT 1 FROM warehouse_exception_escalation e
                                    WHERE e.device_id = d.id AND e.trigger = 'silent' AND e.since = d.last_seen)
                 ORDER BY d.last_seen, d.id LIMIT %(limit)s
                """,
                now=fields.Datetime.now(),
                limit=AT_ONCE,
            )
        )
        values = []
        devices = self.env["warehouse.exception.device"].browse(device_id for device_id, _last_seen in rows)
        for device, (_device_id, last_seen) in zip(devices, rows, strict=True):
            name = self.env._("%s is silent while other devices of its warehouse report", device.name)
            values.append(self._device_values(device, "silent", name, last_seen, fields.Datetime.to_string(last_seen)))
        self._escalate(values)
        return len(rows)

    @api.model
    def _find_broken_chains(self):
        """By the state that the device's page shows; the few suspects are looked at one by one."""
        now = fields.Datetime.now()
        devices = self.env["warehouse.exception.device"].search([("state", "=", "active")])
        values = []
        for device in devices._chain_suspects()[:MOST_SUSPECTS]:
            findings = device._chain_findings()
            state = findings.state(now)
            if state not in ("gap", "broken"):
                continue
            mark, name = self._chain_mark(device, state, findings, now)
            values.append(self._device_values(device, state, name, now, mark))
        self._escalate_new(values)
        return 0

    @api.model
    def _chain_mark(self, device, state, findings, now):
        """What names this finding, so that it is told once and the next one again; and it in words."""
        if state == "broken":
            name = self.env._("The reports of %s contradict each other", device.name)
            oldest = min([*findings.faults.ids, *findings.conflicts.ids], default=0)
            return f"{'fault' if findings.faults else 'conflict'} {oldest}", name
        late = [gap.first for gap in findings.gaps if not gap.is_explained and gap.is_late(now)]
        return f"from {min(late, default=0)}", self.env._("Reports of %s are missing for more than a day", device.name)

    @api.model
    def _escalate_new(self, values):
        keys = [value["key"] for value in values]
        told = set(self.search([("key", "in", keys)]).mapped("key"))
        return self._escalate([value for value in values if value["key"] not in told])

    @api.model
    def _device_values(self, device, trigger, name, since, mark):
        whom = self._able(device.warehouse_id.exception_lead_id)
        return {
            "name": name,
            "key": f"device/{device.id}/{trigger}/{mark}",
            "trigger": trigger,
            "since": since,
            "company_id": device.company_id.id,
            "warehouse_id": device.warehouse_id.id,
            "device_id": device.id,
            "user_ids": [fields.Command.set(whom.ids)],
            "nobody": not whom,
        }
