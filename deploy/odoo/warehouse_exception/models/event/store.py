"""What a request brings, written in batches: one `create` for each model, however many events there are.

References are looked up before a case exists, for all of them at once, and a case is created as what it turned out to
be. What is stored of other records (the company) is given, too. So nothing is written twice.
"""

from dataclasses import dataclass, field

from markupsafe import Markup, escape

from odoo import api, fields, models

from ..base.remember import remembering
from ..case.case import variance


@dataclass
class Report:
    """One event on its way into the database. It begins a case, or repeats what `lead` or a stored `case` says."""

    item: object
    draft: models.Model
    facts: dict
    state: str = "received"
    missing: list = field(default_factory=list)
    lead: "Report" = None
    case: models.Model = None

    is_repeat: bool = False


class WarehouseExceptionStore(models.AbstractModel):
    _name = "warehouse.exception.store"
    _description = "Stores verified events"

    @api.model
    def _store(self, device, items):
        """The events of verified `items` that are new, with all that belongs to them, in order."""
        now = fields.Datetime.now()
        reports = self._reports(device, items, now)
        self.env["warehouse.exception.case"]._merge_repeats(reports)
        self._begin_cases([report for report in reports if not report.is_repeat], now)
        for report in reports:
            if report.lead:
                report.case = report.lead.case
        events = self._create_events(device, reports, now)
        self._create_scans(reports, events)
        events._join_chain()
        self.env["warehouse.exception.evidence"]._expect(
            [(event, report.item.event.photos) for event, report in zip(events, reports, strict=True)]
        )
        self._log(device, reports)
        if any(report.is_repeat for report in reports):
            self.env["warehouse.exception.case"]._trigger_responses()
        return events

    # --- What it means -----------------------------------------------------------------------------------------------

    @api.model
    def _reports(self, device, items, now):
        """Each event's case as it would begin, with what can be found of its references."""
        cases = self.env["warehouse.exception.case"].with_context(tracking_disable=True, mail_create_nolog=True)
        cases = remembering(cases)
        reports = []
        for item in items:
            facts = {**self._case_values(device, item.event), "received_at": now}
            reports.append(Report(item, cases._draft(facts), facts))
        cases.browse().concat(*(report.draft for report in reports))._prepare_references()
        governed = {kind: device.warehouse_id._governs(kind) for kind in {item.event.kind for item in items}}
        for report in reports:
            facts = report.facts
            facts |= report.draft._map_draft()
            facts["quantity_variance"] = variance(
                facts["is_counted"], facts["expected_source"], facts["quantity_counted"], facts["quantity_expected"]
            )
            if governed[facts["exception_type"]]:
                report.state, report.missing = report.draft._first_state()
        return reports

    @api.model
    def _case_values(self, device, event):
        item = event.item
        return {
            "exception_type": event.kind,
            "device_id": device.id,
            "warehouse_id": device.warehouse_id.id,
            "company_id": device.company_id.id,
            "captured_at": event.time.replace(microsecond=0),
            "product_code": item and item.code,
            "gtin": item and item.gtin,
            "lot_code": item and item.lot,
            "serial_code": item and item.serial,
            "expiry_date": item and item.expiry,
            "bin_code": event.bin,
            "document_code": event.document,
            "operator_badge": event.badge,
            "unit_code": event.unit,
            "quantity_expected": float(event.expected or 0),
            "expected_source": "unknown" if event.expected is None else "event",
            "quantity_counted": float(event.counted or 0),
            "is_counted": event.counted is not None,
            "reason_code": event.reason,
            "note": event.note,
        }

    # --- Writing -----------------------------------------------------------------------------------------------------

    @api.model
    def _begin_cases(self, reports, now):
        cases = self.env["warehouse.exception.case"].with_context(tracking_disable=True, mail_create_nolog=True)
        made = cases.create(
            [
                {
                    **report.facts,
                    "state": report.state,
                    "state_since": report.state != "received" and now,
                    "response_due": report.state == "open",
                }
                for report in reports
            ]
        )
        for report, case in zip(reports, made, strict=True):
            report.case = case
        made._note_first_steps(now)

    @api.model
    def _create_events(self, device, reports, now):
        events = self.env["warehouse.exception.event"]
        return events.create([self._event_values(device, report, now) for report in reports])

    @api.model
    def _event_values(self, device, report, now):
        item, event = report.item, report.item.event
        return {
            "event_id": event.id,
            "digest": item.digest,
            "jws": item.text,
            "device_id": device.id,
            "company_id": device.company_id.id,
            "key_id": item.key.id,
            "case_id": report.case.id,
            "event_type": event.kind,
            "sequence": event.sequence,
            "prevhash": event.prevhash,
            "captured_at": event.time.replace(microsecond=0),
            "received_at": now,
            "is_repeat": report.is_repeat,
            "response_due": report.is_repeat,
            "picking_id": report.facts.get("picking_id"),
            **self.env["warehouse.exception.event"]._clock_values(event.clock),
            **self.env["warehouse.exception.event"]._fact_values(event),
        }

    @api.model
    def _create_scans(self, reports, events):
        self.env["warehouse.exception.scan"]._insert(
            [
                self._scan_values(report.case, event, scan)
                for event, report in zip(events, reports, strict=True)
                for scan in report.item.event.scans
            ]
        )

    @api.model
    def _scan_values(self, case, event, scan):
        return {
            "case_id": case.id,
            "company_id": event.company_id.id,
            "event_id": event.id,
            "role": scan.role,
            "source": scan.source,
            "at": scan.at.replace(microsecond=0),
            "raw": scan.raw,
            "text": scan.text,
            "kind": scan.kind,
            "flaws": ", ".join(scan.flaws),
        }

    # --- Telling -----------------------------------------------------------------------------------------------------

    @api.model
    def _log(self, device, reports):
        """One message for each case, also if several of these events belong to it."""
        bodies = {}
        first = escape(self.env._("Reported by %(device)s.", device=device.name))
        for report in reports:
            bodies.setdefault(report.case, []).append(self._body(device, report, first))
        self.env["warehouse.exception.case"]._log_many(
            {case: Markup("<br/>").join(lines) for case, lines in bodies.items()}
        )

    @api.model
    def _body(self, device, report, first):
        body = escape(self._repeat_in_words(device, report.item.event)) if report.is_repeat else first
        if report.missing:
            body += " " + self.env._("Not known here: %s", "; ".join(report.missing))
        return body

    @api.model
    def _repeat_in_words(self, device, event):
        said = [self.env._("badge %s", event.badge)] if event.badge else []
        if event.document:
            said.append(self.env._("document %s", event.document))
        if event.counted is not None and event.expected is not None:
            quantities = {"counted": event.counted, "expected": event.expected}
            said.append(self.env._("counted %(counted)s of %(expected)s", **quantities))
        elif event.counted is not None:
            said.append(self.env._("counted %s", event.counted))
        if event.unit:
            said.append(event.unit)
        return self.env._("Also reported by %(device)s: %(said)s.", device=device.name, said=", ".join(said))
