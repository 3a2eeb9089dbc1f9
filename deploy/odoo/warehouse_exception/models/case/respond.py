import logging
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..base.seal import unsealed

_logger = logging.getLogger(__name__)

AT_ONCE = 50
MAX_TRIES = 5
# While devices deliver a lot, a response is followed by a rest of so many times what it took, and of no more seconds.
REST, LONGEST_REST = 3, 0.5


class WarehouseExceptionCase(models.Model):
    """What happens to a case by itself. It runs after the event was acknowledged, in a job of its own: a response that
    fails or takes long must cost no device its receipt, and no case its existence.
    """

    _inherit = "warehouse.exception.case"

    policy_id = fields.Many2one("warehouse.exception.policy", readonly=True, index=True, ondelete="restrict")
    deadline_at = fields.Datetime("Deadline", readonly=True, index=True, copy=False)
    response_due = fields.Boolean(readonly=True, copy=False, help="Something is to happen by itself, in a moment.")
    response_at = fields.Datetime("Not before", readonly=True, copy=False)
    response_tries = fields.Integer(readonly=True, copy=False)
    instructions = fields.Json(readonly=True, copy=False, help="What the device shows to whoever reported.")

    _due_index = models.Index("(id) WHERE response_due")

    def _respond_later(self, delay=None):
        if not self:
            return
        at = fields.Datetime.now() + delay if delay else False
        unmarked = self.filtered(lambda case: not case.response_due or case.response_at != at)
        unsealed(unmarked.sudo()).write({"response_due": True, "response_at": at})
        self._trigger_responses(at)

    @api.model
    def _trigger_responses(self, at=None):
        cron = self.env.ref("warehouse_exception.cron_respond", raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger(at or None)

    def _after_step(self, before):
        opened = self.filtered(lambda case: case.state == "open")
        opened._respond_later()
        return super()._after_step(before)

    @api.model
    def _cron_respond(self):
        """Respond to what is due, one case a transaction; two workers share the work by locks on the cases."""
        due = [("response_due", "=", True), "|", ("response_at", "=", False), ("response_at", "<=", fields.Datetime.now())]
        progress = self.env["ir.cron"]
        progress._commit_progress(remaining=self.search_count(due))
        for case in self.search(due, order="id", limit=AT_ONCE):
            began = time.monotonic()
            case._unless_busy(lambda case: case.filtered_domain(due)._respond_each())
            rest = self._rest_after(time.monotonic() - began)
            if not progress._commit_progress(1):
                return
            time.sleep(rest)  # with no transaction open
        if self.search_count(due, limit=1):
            self.env.ref("warehouse_exception.cron_respond")._trigger()

    @api.model
    def _rest_after(self, took):
        """Seconds to leave to the devices: a receipt is what they wait for with the only copy, a response may come later."""
        return min(REST * took, LONGEST_REST) if self.env["warehouse.exception.traffic"]._is_heavy() else 0

    def _unless_busy(self, work):
        """Do `work` with the case, in a transaction of its own. Somebody else is at it: the next run does it."""
        try:
            case = self.try_lock_for_update(allow_referencing=True)
            if case:
                work(case)
                self.env.flush_all()
        except (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError):
            self.env.cr.rollback()
            _logger.info("Case %s was changed by somebody else: its response waits for the next run.", self.id)

    def _respond_each(self):
        for case in self:
            case._respond_and_settle()

    def _respond_and_settle(self):
        self.ensure_one()
        # Before and not after: a response may want another one to follow.
        unsealed(self).write({"response_due": False, "response_at": False})
        failure = self._attempt(self._respond)
        if not failure:
            unsealed(self).write({"response_tries": 0})
            return
        tries = self.response_tries + 1
        unsealed(self).write({"failure": failure, "response_tries": tries})
        self._message_log(body=self.env._("The automatic response failed (try %(n)s): %(why)s", n=tries, why=failure))
        if tries < MAX_TRIES:
            self._respond_later(timedelta(minutes=2**tries))

    def _respond(self):
        """Everything that policy lets happen by itself in the case's state."""
        self.ensure_one()
        if self.state == "received":
            self._classify()
        if self.state == "open":
            self._apply_policy()
            self._respond_to_kind()
            self._assess()
            self._settle_immaterial()
        elif self.state == "approved" and self.policy_id.execute_automatically:
            self._execute()

    def _apply_policy(self):
        """Owner and deadline, by the policy that fits best."""
        policy = self.env["warehouse.exception.policy"]._match(self)
        values = {"policy_id": policy.id}
        if not self.deadline_at:
            hours = policy.deadline_hours or self.company_id.exception_deadline_hours
            values["deadline_at"] = self.received_at + timedelta(hours=hours)
        unsealed(self).write(values)
        if not self.user_id:
            self.user_id = policy._owner(self)

    def _respond_to_kind(self):
        """The response to this kind of exception: `_respond_<kind>`, each in a file of `models/response`."""
        respond = getattr(self, f"_respond_{self.exception_type}", None)
        if respond:
            respond()

    def _settle_immaterial(self):
        """Below the policy's threshold nobody needs to look, if the policy says so."""
        if self.policy_id.immaterial == "auto" and self.policy_id._is_immaterial(self) and not self._obstacles():
            self._submit(self.env._("Below the threshold of %s.", self.policy_id.display_name))

    def _instruct(self, code, text, **facts):
        """Tell whoever reported what to do. `code` and `facts` are for programs, `text` is for people. A fact that isn't
        known is left out.
        """
        told = {"code": code, "text": text, **{name: fact for name, fact in facts.items() if fact}}
        unsealed(self.sudo()).write({"instructions": [*(self.instructions or []), told]})

    @api.model
    def _code_of(self, location):
        """What a scanner reads at a bin, as far as it has a label."""
        return location.barcode or location.name

    def _ask_to_do(self, user, summary, note=None, days=1):
        """An activity for `user`, once: who has the same one open isn't asked again. Nobody is no error."""
        self.ensure_one()
        same = self.sudo().activity_ids.filtered(lambda todo: todo.user_id == user and todo.summary == summary)
        if user and not same:
            self.sudo().activity_schedule(
                "mail.mail_activity_data_todo",
                fields.Date.context_today(self) + timedelta(days=days),
                summary,
                note or "",
                user_id=user.id,
            )
