from datetime import UTC

from odoo import api, models

from ...lib.quantity import plain


def _time(moment):
    return moment.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z") if moment else None


class WarehouseExceptionCase(models.Model):
    """What the outbox tells about a case, written in the transaction that changed it."""

    _inherit = "warehouse.exception.case"

    @api.model_create_multi
    def create(self, vals_list):
        cases = super().create(vals_list)
        cases._announce("on_created", "case.created")
        return cases

    def _after_step(self, before):
        result = super()._after_step(before)
        if self.env["warehouse.exception.webhook"]._subscribed():
            for state, cases in self.grouped(before.get).items():
                cases._announce("on_step", "case.step", previous_state=state)
        return result

    def _announce(self, subscription, event, **facts):
        webhooks = self.env["warehouse.exception.webhook"]
        if not webhooks._subscribed():
            return
        for case in self.sudo():
            told = webhooks._for(subscription, case.company_id.id, case.exception_type)
            if told:
                data = {**case._as_data(), **facts}
                self.env["warehouse.exception.webhook.delivery"]._queue(told, event, data, case)

    def _as_data(self):
        """A case in plain JSON. Nothing in it needs another look into Odoo, and no badge or login is in it."""
        known = self.is_counted and self.expected_source != "unknown"
        return {
            "case": self.name,
            "id": self.id,
            "url": f"{self.get_base_url()}/odoo/{self._name}/{self.id}",
            "kind": self.exception_type,
            "state": self.state,
            "warehouse": self.warehouse_id.code,
            "company": self.company_id.name,
            "product": self.product_id.display_name or self.product_code or None,
            "gtin": self.gtin or None,
            "lot": self.lot_id.name or self.lot_code or None,
            "bin": self.location_id.display_name or self.bin_code or None,
            "document": self.picking_id.name or self.document_code or None,
            "reason": self.reason_code or None,
            "expected": plain(self.quantity_expected) if known else None,
            "counted": plain(self.quantity_counted) if self.is_counted else None,
            "unit": self.uom_id.name or self.unit_code or None,
            "amount_at_stake": plain(self.amount_at_stake),
            "currency": self.currency_id.name,
            "responsible": self.user_id.name or None,
            "deadline": _time(self.deadline_at),
            "captured": _time(self.captured_at),
            "received": _time(self.received_at),
        }


class WarehouseExceptionEscalation(models.Model):
    _inherit = "warehouse.exception.escalation"

    @api.model
    def _escalate(self, vals_list):
        written = super()._escalate(vals_list)
        for escalation in written:
            case = escalation.case_id
            facts = {"trigger": escalation.trigger, "level": escalation.level, "what": escalation.name}
            if case:
                case._announce("on_escalated", "case.escalated", escalation=facts)
            else:
                escalation._announce_finding(facts)
        return written

    def _announce_finding(self, facts):
        told = self.env["warehouse.exception.webhook"]._for("on_escalated", self.company_id.id, None)
        if told and self.trigger != "repeat_operator":  # whose badge it is stays in the house
            data = {**facts, "warehouse": self.warehouse_id.code, "cases": self.number}
            self.env["warehouse.exception.webhook.delivery"]._queue(told, "finding", data)
