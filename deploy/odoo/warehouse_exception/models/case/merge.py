"""One case for what several people report: the same product missing from the same bin.

A case that can be joined has a key, and an index lets one case have each. Whoever joins it writes rows of their own and
none of the case, so that reports that come at the same time don't wait for each other, nor for the response job.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models

from ..base.seal import unsealed
from .states import FINISHED

# Until somebody has decided. What is reported later is something new.
JOINABLE = ("received", "needs_mapping", "open", "investigating", "pending_approval")
MAPPING = {"product_id", "lot_id", "location_id"}


@dataclass
class Holder:
    """Who has a key: a stored `case`, or a `lead` that will be one; with when it was first and last reported."""

    first: datetime
    last: datetime
    case: models.Model = None
    lead: object = None

    def is_near(self, at, hours):
        window = timedelta(hours=hours)
        return self.first - window <= at <= self.last + window

    def add(self, at):
        self.first, self.last = min(self.first, at), max(self.last, at)


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    merge_key = fields.Char(readonly=True, copy=False, help="What further reports of this case are about.")
    report_count = fields.Integer("Reports", compute="_compute_report_count", help="By how many events it was reported.")
    repeats_told_at = fields.Datetime(readonly=True, copy=False, help="When its owner was told of further reports.")

    _merge_key_unique = models.UniqueIndex(
        "(merge_key) WHERE merge_key IS NOT NULL", "Another case is about the same: reports of it belong there."
    )

    @api.depends("event_ids")
    def _compute_report_count(self):
        events = self.env["warehouse.exception.event"]
        counts = dict(events._read_group([("case_id", "in", self.ids)], ["case_id"], ["__count"]))
        for case in self:
            case.report_count = counts.get(case, 0)

    @api.model
    def _merged_kinds(self):
        return {"pick_shortage"}

    def _merge_key(self):
        """What other reports of the same have in common; nothing, where each report is a case of its own."""
        self.ensure_one()
        if self.exception_type not in self._merged_kinds() or not self.product_id or not self.location_id:
            return False
        lot = self.lot_id.id or f"#{self.lot_code or self.serial_code or ''}"
        return f"{self.exception_type} {self.warehouse_id.id} {self.product_id.id} {self.location_id.id} {lot}"

    def _merge_hours(self):
        return self.env["warehouse.exception.policy"]._match(self).merge_hours

    # --- When events come in -----------------------------------------------------------------------------------------

    @api.model
    def _merge_repeats(self, reports):
        """Find which of `reports` repeat what an undecided case, or one of them before it, says."""
        keys = {id(report): report.draft._merge_key() for report in reports}
        hours = {id(report): report.draft._merge_hours() for report in reports if keys[id(report)]}
        merged = [report for report in reports if hours.get(id(report))]
        if not merged:
            return
        holders, stale = self._holders({keys[id(report)] for report in merged})
        begun = set()
        for report in merged:
            key, at = keys[id(report)], report.facts["captured_at"]
            holder = holders.get(key)
            if holder and holder.is_near(at, hours[id(report)]):
                report.is_repeat, report.case, report.lead = True, holder.case, holder.lead
                holder.add(at)
            elif not holder or at > holder.last:
                if holder:
                    stale |= holder.case or self
                    (holder.lead.facts if holder.lead else {}).pop("merge_key", None)
                report.facts["merge_key"] = key
                holders[key] = Holder(at, at, lead=report)
                begun.add(key)
        self._take_keys(begun, stale)

    @api.model
    def _holders(self, keys):
        """({key: Holder}, the cases that have one of the keys and can't be joined any more)."""
        holding = self.search([("merge_key", "in", list(keys))])
        joinable = holding.filtered(lambda case: case.state in JOINABLE)
        reported = self.env["warehouse.exception.event"]._read_group(
            [("case_id", "in", joinable.ids)], ["case_id"], ["captured_at:min", "captured_at:max"]
        )
        return {case.merge_key: Holder(first, last, case) for case, first, last in reported}, holding - joinable

    @api.model
    def _take_keys(self, keys, stale):
        if keys:
            # The index would tell, too; but two requests that wait for each other's would end in a deadlock.
            self.env["warehouse.exception.ingest"]._claim(f"merge {key}" for key in keys)
        if stale:
            unsealed(stale).write({"merge_key": False})
            stale.flush_recordset(["merge_key"])

    # --- Later -------------------------------------------------------------------------------------------------------

    def write(self, vals):
        result = super().write(vals)
        if MAPPING & set(vals):
            self._renew_merge_key()
        return result

    def _after_step(self, before):
        result = super()._after_step(before)
        self.filtered(lambda case: (case.state in JOINABLE) != (before[case] in JOINABLE))._renew_merge_key()
        return result

    def _renew_merge_key(self):
        """After a case was mapped or decided, or a decision taken back. Who has a key keeps it."""
        for case in self.sudo():
            joinable = case.state in JOINABLE and case._merge_hours()
            key = case._merge_key() if joinable else False
            if key and key != case.merge_key and self.sudo().search_count([("merge_key", "=", key)], limit=1):
                key = False
            if (key or False) == (case.merge_key or False):
                continue
            try:
                with self.env.cr.savepoint():
                    unsealed(case).write({"merge_key": key})
            except UniqueViolation:  # a report of the same came in at this moment, and its case has the key
                unsealed(case).write({"merge_key": False})

    # --- What a further report leads to ------------------------------------------------------------------------------

    @api.model
    def _cron_respond(self):
        result = super()._cron_respond()
        self.env["warehouse.exception.event"]._respond_to_repeats()
        return result

    def _respond_to_report(self, event):
        """A further report came, by `event`. A kind adds `_respond_again_<kind>(event)`, for instance to tell that
        picker where else to look: the case's instructions are for everybody who reported it.
        """
        self.ensure_one()
        if self.state in FINISHED:
            return
        if self.user_id and not self.repeats_told_at:
            note = self.env._("What each of them reported is on the page 'Signed events'.")
            self._ask_to_do(self.user_id, self.env._("Several people report the same"), note)
            unsealed(self).write({"repeats_told_at": fields.Datetime.now()})
        respond = getattr(self, f"_respond_again_{self.exception_type}", None)
        if respond:
            respond(event)
