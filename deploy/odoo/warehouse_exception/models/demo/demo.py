import logging
from datetime import timedelta

from odoo import api, fields, models

from ..base.seal import unsealed
from .handheld import Handheld, digest, photo
from .script import CASES, DEVICES, TEAMS

_logger = logging.getLogger(__name__)
PEOPLE = {"operational": "operations", "second": "operations_too", "financial": "finance"}


class WarehouseExceptionDemo(models.AbstractModel):
    """Demo cases, made as real ones are: signed events come in, and people with one role each press the buttons. Only
    the moments are moved into the past afterwards, so that there is something to look back on.
    """

    _name = "warehouse.exception.demo"
    _description = "Demo data of warehouse exceptions"

    @api.model
    def _load(self):
        """Once: what was made before stays as it is."""
        if self.env["warehouse.exception.device"].search_count([("uuid", "=", Handheld(DEVICES[0][0]).uuid)], limit=1):
            return
        self._stock_up()
        self._name_lead()
        self._add_policy()
        handhelds = [self._enrol(*device) for device in DEVICES]
        for number, line in enumerate(CASES):
            handheld, device = handhelds[number % len(handhelds)]
            case = self._report(handheld, device, number, dict(line))
            self._walk(case, line)
            self._date_back(case, line)
        self._report_by_hand()
        self._freeze_a_baseline()

    def _ref(self, name):
        return self.env.ref(f"warehouse_exception.demo_{name}")

    def _as(self, name):
        return self.env(user=self._ref(f"user_{name}"))

    # --- What is there before anything goes wrong ----------------------------------------------------------------------

    def _stock_up(self):
        quants = self.env["stock.quant"]
        for product, place, quantity in (
            ("tea", "bin_a1", 120),
            ("tea", "bin_a2", 40),
            ("pump", "bin_b1", 14),
            ("sensor", "bin_b2", 30),
            ("paint", "bin_c1", 64),
            ("gloves", "bin_c2", 400),
        ):
            quants._update_available_quantity(self._ref(f"product_{product}"), self._ref(place), quantity)
        lot = self._ref("lot_yogurt")
        quants._update_available_quantity(lot.product_id, self._ref("bin_a3"), 48, lot_id=lot)
        (self._ref("receipt") | self._ref("delivery")).action_confirm()
        self._ref("delivery").action_assign()

    def _name_lead(self):
        """Whom escalations go to, where nobody else is named."""
        warehouse = self.env.ref("stock.warehouse0")
        warehouse.exception_lead_id = warehouse.exception_lead_id or self._ref("user_lead")

    def _add_policy(self):
        """One that is narrower than those that come with the addon, which stay as they are."""
        warehouse = self.env.ref("stock.warehouse0")
        scope = {"company_id": warehouse.company_id.id, "warehouse_id": warehouse.id}
        policies = self.env["warehouse.exception.policy"]
        own = [("exception_type", "=", "location_mismatch"), ("warehouse_id", "=", warehouse.id)]
        everywhere = self.env.ref("warehouse_exception.policy_location_mismatch", raise_if_not_found=False)
        if everywhere and not policies.search_count(own, limit=1):
            everywhere.copy({**scope, "team_id": self._ref("team_control").id, "deadline_hours": 12})

    def _assign(self, case):
        """As a shift lead does in the morning: each kind to whoever of its team has the least to do."""
        if not case.user_id and case.state == "open":
            team = self._ref(f"team_{TEAMS[case.exception_type]}")
            case.user_id = team._least_busy(team.member_ids)

    def _enrol(self, name, hours_silent, model):
        handheld = Handheld(name)
        device = self.env["warehouse.exception.device"].create(
            {
                "name": name,
                "uuid": handheld.uuid,
                "warehouse_id": self.env.ref("stock.warehouse0").id,
                "agent_version": "0.1.0",
                "hardware_model": model,
                "hostname": name.lower(),
                "last_seen": fields.Datetime.now() - timedelta(hours=hours_silent),
            }
        )
        key = {"device_id": device.id, "kid": handheld.kid, "x": handheld.x}
        self.env["warehouse.exception.device.key"].create(key)
        return handheld, device

    # --- What goes wrong -------------------------------------------------------------------------------------------------

    def _report(self, handheld, device, number, line):
        photos = [photo(number + n, line["kind"] == "damaged") for n in range(line.get("photos", 0))]
        data = dict(line.get("data", {}))
        if photos:
            data["photos"] = [
                {"sha256": digest(picture), "size": len(picture), "media_type": "image/png"} for picture in photos
            ]
        captured = fields.Datetime.now() - timedelta(hours=line["hours_ago"], minutes=line.get("offline", 1))
        [receipt] = self.env["warehouse.exception.ingest"]._receive(
            device, [handheld.event(line["kind"], captured, data)]
        )
        for picture in photos[: len(photos) - line.get("missing", 0)]:
            self.env["warehouse.exception.evidence"]._receive(device, digest(picture), 0, len(picture), picture)
        case = self.env["warehouse.exception.case"].search([("name", "=", receipt["case"])])
        case._respond_and_settle()
        self._assign(case)
        return case

    def _walk(self, case, line):
        """As far as `line` says, each step by somebody who has the role. Where a rule stands in the way, it ends there."""
        for step in line.get("walk", "").split():
            failure = case._attempt(lambda step=step: getattr(self, f"_walk_{step}")(case, line))
            if failure:
                _logger.info("The demo case %s stays '%s': %s", case.name, case.state, failure)
                return

    def _walk_take(self, case, _line):
        case.with_env(self._as("control")).action_take()

    def _walk_submit(self, case, line):
        case = case.with_env(self._as("control"))
        if line.get("cause") and not case.cause_id:
            case.cause_id = self.env.ref(f"warehouse_exception.cause_{line['cause']}")
        actions = self.env["warehouse.exception.action"].with_env(case.env)
        if "propose" in line:
            case._live_actions().action_withdraw()
        if not case._live_actions():
            actions._propose(case, line.get("propose", "accept"), note=line.get("proposal"))
        if "close" in line["walk"] and case._active_holds() and not case._live_actions().filtered("location_dest_id"):
            actions._propose(case, "release", note=self.env._("Counted again: the rest is fit to be picked."))
        if case._obstacles():
            case.with_env(self._as("lead")).action_override(self.env._("The carrier is waiting at the dock."))
        case.action_submit()

    def _waiting(self, case):
        return case.approval_ids.filtered(lambda approval: approval.state == "waiting").sorted("sequence")

    def _walk_approve(self, case, _line):
        for approval in self._waiting(case):
            approval.with_env(self._as(PEOPLE[approval.step])).action_approve()

    def _walk_approve_first(self, case, _line):
        first = self._waiting(case)[:1]
        first.with_env(self._as(PEOPLE[first.step])).action_approve()

    def _walk_send_back(self, case, line):
        first = self._waiting(case)[:1]
        first.with_env(self._as(PEOPLE[first.step])).action_send_back(line["why"])

    def _walk_refuse(self, case, line):
        first = self._waiting(case)[:1]
        first.with_env(self._as(PEOPLE[first.step])).action_refuse(line["why"])

    def _walk_execute(self, case, _line):
        if case.state == "approved":
            case.with_env(self._as("lead")).action_execute()

    def _walk_scrap(self, case, _line):
        """What lies in quarantine is decided about by itself."""
        case.with_env(self._as("control")).action_plan_next()
        self.env["warehouse.exception.action"].with_env(self._as("control"))._propose(case, "scrap")

    def _walk_close(self, case, _line):
        case.with_env(self._as("lead")).action_close()

    def _walk_cancel(self, case, line):
        case.with_env(self._as("control")).action_cancel(line["why"])

    # --- As if it had taken its time -------------------------------------------------------------------------------------

    def _date_back(self, case, line):
        """Everything that the server noted of this case, `hours_ago` earlier, and its steps apart as people take them."""
        received = fields.Datetime.now() - timedelta(hours=line["hours_ago"])
        at, apart = received, timedelta(hours=line.get("took", 4) / max(len(case.step_ids), 1))
        for step in case.step_ids.sorted("id"):
            before, at = at, min(at + apart, fields.Datetime.now())
            unsealed(step).write({"at": at, "seconds": (at - before).total_seconds()})
        for approval in case.approval_ids:
            asked = case.step_ids.filtered(lambda step: step.to_state == "pending_approval")[-1:].at or at
            decided = approval.decided_at and min(asked + apart * (approval.sequence + 1) / 2, at)
            unsealed(approval).write({"asked_at": asked, "decided_at": decided})
        deadline = case.deadline_at and received + (case.deadline_at - case.received_at)
        values = {"received_at": received, "state_since": at, "deadline_at": deadline}
        if case.ended_at:
            values["ended_at"] = at
        unsealed(case).write(values)
        unsealed(case.event_ids).write({"received_at": received})

    # --- The rest --------------------------------------------------------------------------------------------------------

    def _report_by_hand(self):
        values = {
            "exception_type": "damaged",
            "warehouse_id": self.env.ref("stock.warehouse0").id,
            "product_id": self._ref("product_paint").id,
            "location_id": self._ref("bin_c1").id,
            "uom_id": self._ref("product_paint").uom_id.id,
            "is_counted": True,
            "quantity_counted": 2,
            "reason_code": "Leaking",
            "note": "Two tins leak. Found on the evening round, without a handheld.",
        }
        cases = self.env["warehouse.exception.case"].with_env(self._as("lead"))
        case = cases.action_report(values, [("tins.png", photo(7, damaged=True))])
        case = case.sudo()
        case._respond_and_settle()
        self._assign(case)

    def _freeze_a_baseline(self):
        today = fields.Date.today()
        self.env["warehouse.exception.baseline"].create(
            {
                "name": "Before the handhelds",
                "company_id": self.env.ref("base.main_company").id,
                "date_from": today - timedelta(days=60),
                "date_to": today - timedelta(days=31),
                "compare_from": today - timedelta(days=30),
                "compare_to": today,
            }
        )
