from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..base.seal import is_unsealed, unsealed

STATUSES = ("created", "duplicate", "conflict", "rejected", "retry")
COMPACTED_AT_ONCE = 1000
# Devices deliver what has piled up: so many new events in the last requests, and those no older than that.
HEAVY, LAST_REQUESTS, LATELY = 50, 20, timedelta(seconds=2)


class WarehouseExceptionTraffic(models.Model):
    """How what a device sent was answered, in numbers. A row for each request, so that two requests of one device never
    write the same; once a day is over, a job adds its rows up.
    """

    _name = "warehouse.exception.traffic"
    _description = "Traffic of a device"
    _inherit = ["warehouse.exception.append.only"]
    _rec_name = "day"
    _order = "day desc, id desc"

    device_id = fields.Many2one("warehouse.exception.device", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one(related="device_id.company_id", store=True)
    warehouse_id = fields.Many2one(related="device_id.warehouse_id")
    day = fields.Date(required=True, readonly=True, help="In UTC.")
    at = fields.Datetime("Last request", required=True, readonly=True)
    requests = fields.Integer(required=True, readonly=True)
    created = fields.Integer("New", readonly=True)
    duplicate = fields.Integer("Here already", readonly=True)
    conflict = fields.Integer("In conflict", readonly=True)
    rejected = fields.Integer("Refused", readonly=True)
    retry = fields.Integer("Not acceptable yet", readonly=True)

    _day_index = models.Index("(day, device_id)")

    @api.model
    def _note(self, device, counts):
        """One request and what became of its events: `counts` by the receipts' statuses."""
        now = fields.Datetime.now()
        answered = {status: counts[status] for status in STATUSES}
        of = {"device_id": device.id, "company_id": device.company_id.id, "day": now.date()}
        self._insert([{**of, "at": now, "requests": 1, **answered}])

    @api.model
    def _is_heavy(self):
        """Whether devices are delivering a lot right now. By the key, for a day may have a row for each of its seconds."""
        last = self.search_fetch([], ["at", "created"], order="id desc", limit=LAST_REQUESTS)
        since = fields.Datetime.now() - LATELY
        return sum(row.created for row in last if row.at >= since) >= HEAVY

    @api.model
    def _cron_compact(self):
        """One row a device and day, of the days that are over. What comes late is added up by the next run."""
        self.flush_model()
        sums = SQL(", ").join(SQL("sum(%s)", SQL.identifier(name)) for name in ("requests", *STATUSES))
        today = fields.Date.context_today(self.with_context(tz="UTC"))
        while True:
            groups = self.env.execute_query(
                SQL(
                    """
                    SELECT device_id, day, min(id), max(at), array_agg(id), %(sums)s
                      FROM warehouse_exception_traffic WHERE day < %(today)s
                     GROUP BY device_id, day HAVING count(*) > 1 LIMIT %(limit)s
                    """,
                    sums=sums,
                    today=today,
                    limit=COMPACTED_AT_ONCE,
                )
            )
            for _device, _day, kept, at, ids, *totals in groups:
                row = self.browse(kept)
                unsealed(row).write({"at": at, **dict(zip(("requests", *STATUSES), totals, strict=True))})
                unsealed(self.browse(ids) - row).unlink()
            if not self.env["ir.cron"]._commit_progress(len(groups)) or len(groups) < COMPACTED_AT_ONCE:
                return

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        """The job alone replaces rows by their sum."""
        return None if is_unsealed(self.env) else super()._unlink_except_never()
