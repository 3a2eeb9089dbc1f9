from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..base.seal import unsealed
from ..case.states import FINISHED

AT_ONCE = 100


class WarehouseExceptionEvidence(models.Model):
    """Pictures are kept as long as policy says. Then the bytes go, and what they were, who removed them and when stay."""

    _inherit = "warehouse.exception.evidence"

    removed_at = fields.Datetime(readonly=True, index="btree_not_null")
    removed_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    removed_why = fields.Char(readonly=True)

    _held_index = models.Index("(case_id, id) WHERE complete AND removed_at IS NULL")

    def action_remove(self, why=None):
        """Remove the bytes before their time: a face in a picture, a wrong file. Who and why stay."""
        self.env["warehouse.exception.case"]._require_role("override")
        self.check_access("read")
        if not why:
            raise UserError(self.env._("Say why the picture is removed. The reason is kept in its place."))
        for evidence in self:
            evidence._check_removable()
            evidence.case_id.sudo()._message_log(
                body=self.env._("Evidence removed, SHA-256 %(hash)s: %(why)s", hash=evidence.sha256, why=why),
                author_id=self.env.user.partner_id.id,
            )
        self._remove(why)

    def _check_removable(self):
        case = self.case_id
        if case.legal_hold:
            raise UserError(self.env._("%s has a legal hold: nothing of its evidence was removed.", case.name))
        if self.removed_at or not self.complete:
            raise UserError(self.env._("%s: this piece is not here (removed, or still on its way).", case.name))

    def _remove(self, why):
        """The filestore's own collector takes the files away within a day, once nothing else names them."""
        attachments = self.attachment_id.sudo()
        unsealed(self.sudo()).write(
            {
                "attachment_id": False,
                "removed_at": fields.Datetime.now(),
                "removed_by_id": self.env.uid,
                "removed_why": why,
            }
        )
        self.env.flush_all()
        unsealed(attachments).unlink()

    @api.model
    def _cron_retain(self):
        """Remove what was kept long enough, a batch a transaction. The lock is on the cases, as a legal hold's is."""
        progress = self.env["ir.cron"]
        for policy_ids, days in self._retention():
            finished_before = fields.Datetime.now() - timedelta(days=days)
            domain = [
                ("complete", "=", True),
                ("removed_at", "=", False),
                ("case_id.state", "in", FINISHED),
                ("case_id.state_since", "<=", finished_before),
                ("case_id.legal_hold", "=", False),
                *policy_ids,
            ]
            last = 0
            while found := self.search([*domain, ("id", ">", last)], order="id", limit=AT_ONCE):
                last = found[-1].id
                cases = found.case_id.try_lock_for_update(allow_referencing=True)
                due = found.filtered(lambda evidence, cases=cases: evidence.case_id in cases)
                due._remove(self.env._("Kept for %s days, as policy says.", days))
                if not progress._commit_progress(len(due)):
                    return

    @api.model
    def _retention(self):
        """[(domain, days)]: by policy; a case that never got one is kept as long as its kind's longest."""
        policies = (
            self.env["warehouse.exception.policy"].with_context(active_test=False).search([("retention_days", ">=", 0)])
        )
        found = [
            ([("case_id.policy_id", "in", of_these.ids)], days)
            for days, of_these in policies.grouped("retention_days").items()
            if days
        ]
        for kind, of_kind in policies.filtered("active").grouped("exception_type").items():
            terms = of_kind.mapped("retention_days")
            if all(terms):
                without = [("case_id.policy_id", "=", False), ("case_id.exception_type", "=", kind)]
                found.append((without, max(terms)))
        return found


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    legal_hold = fields.Boolean(
        readonly=True, copy=False, help="Evidence is kept whatever policy says, until somebody lifts this again."
    )

    def action_hold(self, why=None):
        self._set_hold(True, why)

    def action_lift_hold(self, why=None):
        self._set_hold(False, why)

    def _set_hold(self, hold, why):
        self._require_role("override", "manager")
        self.check_access("read")
        if not why:
            raise UserError(self.env._("Say why. A legal hold and its end are kept with the case, with their reasons."))
        changed = self.sudo().filtered(lambda case: case.legal_hold != hold)
        unsealed(changed).write({"legal_hold": hold})
        text = self.env._("Legal hold: %s", why) if hold else self.env._("Legal hold lifted: %s", why)
        author = self.env.user.partner_id.id
        changed._message_log_batch(bodies={case.id: text for case in changed}, author_id=author)
