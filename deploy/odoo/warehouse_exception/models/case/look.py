from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .states import FINISHED, PLANNABLE

AGES = [("overdue", "Overdue"), ("ageing", "Ageing"), ("fresh", "Fresh")]
COLORS = {"overdue": 1, "ageing": 3, "fresh": 10}  # red, yellow, green: of Odoo's own palette
AGEING_AFTER = 0.75  # of the time from the report to the deadline
SIMILAR_DAYS = 90
MAX_COUNTED = 100


class WarehouseExceptionCase(models.Model):
    """How a case looks to people: its age, its picture, what it waits for, and what whoever looks may do."""

    _inherit = "warehouse.exception.case"

    ageing_at = fields.Datetime(
        "Ageing from", compute="_compute_ageing_at", store=True, help="When three quarters of its time are used up."
    )
    age = fields.Selection(
        AGES,
        compute="_compute_age",
        search="_search_age",
        help="Fresh, then ageing when three quarters of the time to the deadline are used up, then overdue. Finished "
        "cases have none.",
    )
    age_color = fields.Integer(compute="_compute_age")
    thumbnail_id = fields.Many2one("ir.attachment", "First photo", compute="_compute_thumbnail_id")
    obstacle_text = fields.Text("What is missing", compute="_compute_obstacle_text")
    instruction_text = fields.Text("Instructions to the device", compute="_compute_instruction_text")
    waits_for = fields.Char("Waits for", compute="_compute_waits_for")
    my_approval_id = fields.Many2one(
        "warehouse.exception.approval",
        "Decision for me",
        compute="_compute_my_approval_id",
        search="_search_my_approval_id",
    )
    my_step = fields.Selection(related="my_approval_id.step", string="My decision")
    similar_count = fields.Integer(
        "Similar cases", compute="_compute_similar_count", help="Same product and bin, in the last 90 days."
    )

    @api.depends("deadline_at", "received_at")
    def _compute_ageing_at(self):
        for case in self:
            case.ageing_at = case.deadline_at and case.received_at + AGEING_AFTER * (
                case.deadline_at - case.received_at
            )

    @api.depends("ageing_at", "deadline_at", "state")
    def _compute_age(self):
        now = fields.Datetime.now()
        for case in self:
            case.age = "fresh"
            if case.state in FINISHED:
                case.age = False
            elif case.deadline_at and case.deadline_at < now:
                case.age = "overdue"
            elif case.ageing_at and case.ageing_at < now:
                case.age = "ageing"
            case.age_color = COLORS.get(case.age, 0)

    def _search_age(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        live = Domain("state", "not in", FINISHED)
        overdue, ageing = Domain("deadline_at", "<", now), Domain("ageing_at", "<", now)
        ages = {
            False: Domain("state", "in", FINISHED),
            "overdue": live & overdue,
            "ageing": live & ageing & ~overdue,
            "fresh": live & ~ageing & ~overdue,
        }
        return Domain.OR(ages[age] for age in value if age in ages)

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Age follows from the clock, so no column has it; boards and bars group by it all the same."""
        if groupby_spec != "age":
            return super()._read_group_groupby(alias, groupby_spec, query)
        self._check_field_access(self._fields["age"], "read")
        return SQL(
            "CASE WHEN %(state)s IN %(finished)s THEN NULL WHEN %(deadline)s < %(now)s THEN 'overdue'"
            " WHEN %(ageing)s < %(now)s THEN 'ageing' ELSE 'fresh' END",
            state=self._field_to_sql(alias, "state", query),
            deadline=self._field_to_sql(alias, "deadline_at", query),
            ageing=self._field_to_sql(alias, "ageing_at", query),
            finished=FINISHED,
            now=fields.Datetime.now(),
        )

    @api.depends("evidence_ids.complete")
    def _compute_thumbnail_id(self):
        for case in self:
            case.thumbnail_id = case.evidence_ids.filtered("complete")[:1].attachment_id

    @api.depends("state", "action_ids.state", "cause_id", "policy_id", "evidence_ids.complete")
    def _compute_obstacle_text(self):
        for case in self:
            obstacles = case._obstacles() if case.state in PLANNABLE else []
            case.obstacle_text = "\n".join(f"\N{BULLET} {obstacle}" for obstacle in obstacles)

    @api.depends("instructions")
    def _compute_instruction_text(self):
        for case in self:
            texts = [instruction.get("text", "") for instruction in case.instructions or []]
            case.instruction_text = "\n".join(f"\N{BULLET} {text}" for text in texts)

    @api.depends("state", "approval_ids.state")
    def _compute_waits_for(self):
        steps = dict(self.env["warehouse.exception.approval"]._fields["step"]._description_selection(self.env))
        for case in self:
            waiting = case.approval_ids.filtered(lambda approval: approval.state == "waiting")
            case.waits_for = ", ".join(steps[approval.step] for approval in waiting)

    @api.depends_context("uid")
    @api.depends("state", "approval_ids.state")
    def _compute_my_approval_id(self):
        for case in self:
            mine = case.state == "pending_approval" and case.approval_ids.filtered("can_decide")[:1]
            case.my_approval_id = mine or False

    def _search_my_approval_id(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        return [("approval_ids", operator, value)]

    def _similar_domain(self):
        """The same product in the same bin; of what isn't mapped, the same codes."""
        self.ensure_one()
        since = fields.Datetime.now() - timedelta(days=SIMILAR_DAYS)
        item = "product_id" if self.product_id else "product_code"
        place = "location_id" if self.location_id else "bin_code"
        return [
            ("id", "!=", self.id),
            ("company_id", "=", self.company_id.id),
            ("received_at", ">=", since),
            (item, "=", self[item].id if item == "product_id" else self[item]),
            (place, "=", self[place].id if place == "location_id" else self[place]),
        ]

    @api.depends("product_id", "location_id")
    def _compute_similar_count(self):
        for case in self:
            case.similar_count = case.id and self.search_count(case._similar_domain(), limit=MAX_COUNTED)

    # --- The buttons -------------------------------------------------------------------------------------------------

    def action_open_similar(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.case_action")
        return {**action, "name": self.env._("Similar cases"), "domain": self._similar_domain(), "context": {}}

    def action_open_approvals(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.approval_action")
        return {**action, "domain": [("case_id", "in", self.ids)], "context": {}}


class WarehouseExceptionStep(models.Model):
    _inherit = "warehouse.exception.step"

    duration = fields.Char("After", compute="_compute_duration", help="How long the case had been in the state before.")

    @api.depends("seconds")
    def _compute_duration(self):
        for step in self:
            minutes = int(step.seconds // 60)
            days, hours = divmod(minutes // 60, 24)
            if days:
                step.duration = self.env._("%(days)s d %(hours)s h", days=days, hours=hours)
            elif hours:
                step.duration = self.env._("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes % 60)
            elif minutes:
                step.duration = self.env._("%s min", minutes)
            else:
                step.duration = self.env._("%s s", int(step.seconds))
