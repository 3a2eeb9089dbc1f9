from collections import defaultdict

from odoo import fields, models

MEMBER = "warehouse_exception.group_user"


class WarehouseExceptionEscalation(models.Model):
    """Whom an escalation reaches, and how: an activity on the case, or on the escalation where there is no case."""

    _inherit = "warehouse.exception.escalation"

    def _tell(self):
        """All of them with a number of queries that does not grow with them. Mails are for automation rules."""
        self._add_activities()
        bodies = defaultdict(list)
        for escalation in self.filtered("case_id"):
            bodies[escalation.case_id.id].append(escalation._in_words())
        if bodies:
            texts = {case_id: "; ".join(words) for case_id, words in bodies.items()}
            self.case_id.sudo()._message_log_batch(bodies=texts)

    def _add_activities(self):
        todo = self.env.ref("mail.mail_activity_data_todo")
        today = fields.Date.context_today(self)
        values = [
            {
                "activity_type_id": todo.id,
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "user_id": user.id,
                "summary": escalation.name,
                "date_deadline": today,
            }
            for escalation in self
            for record in [escalation.case_id or escalation]
            for user in escalation.user_ids
        ]
        if values:
            self.env["mail.activity"].sudo().with_context(mail_activity_quick_update=True).create(values)

    def _in_words(self):
        names = ", ".join(self.user_ids.mapped("name")) or self.env._("nobody, for nobody is named")
        return self.env._(
            "Escalated (level %(level)s): %(what)s. Told: %(who)s.", level=self.level, what=self.name, who=names
        )

    def _able(self, users):
        """Of `users`, those who may open what they are told of."""
        return users.filtered(lambda user: user.active and not user.share and user.has_group(MEMBER))

    def _whom(self, case, step):
        """Who is told of `case` by this step of the path; where nobody is named, the next one up."""
        policy, lead = case.policy_id, case.warehouse_id.exception_lead_id
        up = {
            "user": [step.user_id, lead],
            "owner": [case.user_id, policy.team_id.leader_id, lead, policy.user_id],
            "leader": [policy.team_id.leader_id, lead, policy.user_id],
            "lead": [lead, policy.team_id.leader_id, policy.user_id],
        }
        return next((able for user in up[step.to] if (able := self._able(user))), self.env["res.users"])
