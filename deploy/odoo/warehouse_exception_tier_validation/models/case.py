from odoo import models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.warehouse_exception.models.base.seal import unsealed


class WarehouseExceptionCase(models.Model):
    """Reviews are a second condition of 'approved'. Which steps there are, and who may take them, stays the core's."""

    _name = "warehouse.exception.case"
    _inherit = ["warehouse.exception.case", "tier.validation"]
    _state_from = ["pending_approval"]
    _state_to = ["approved"]
    _cancel_state = "cancelled"

    def write(self, vals):
        # What may be edited while a case waits is the core's to say; tiers only hold up the step to 'approved'.
        if not self.env.context.get("skip_validation_check"):
            self = self.with_context(skip_validation_check=True)
        return super().write(vals)

    def _tier_validation_check_write_remove_reviews(self, vals):
        """Reviews are removed where the plan is: see `_after_step`. They are told in the chatter before."""

    def _tier_validation_check_state_on_write(self, vals):
        """The last line: who writes the state in whichever way gets no case past its reviews, and gives none by it."""
        if vals.get("state") not in self._state_to:
            return
        for case in self.sudo():
            if case._wants_reviews() or case.review_ids.filtered(lambda review: review.status != "approved"):
                raise ValidationError(self.env._("%s is not reviewed yet, so it can't be approved.", case.name))

    def _wants_reviews(self):
        """Does a tier fit this case, none of which was asked for yet?"""
        asking = self.sudo().with_context(skip_check_state_condition=True)
        asking.invalidate_recordset(["need_validation"])
        return asking.need_validation

    def _approve(self, why=None):
        """Every approval is there. Where a review is missing the case waits, until the last one is."""
        reviewed = self.browse([case.id for case in self if case._ask_for_reviews(why)])
        return super(WarehouseExceptionCase, reviewed)._approve(why)

    def _ask_for_reviews(self, why):
        """True, if none is missing."""
        self.ensure_one()
        case = self.sudo()
        if not case.review_ids:
            if not self._wants_reviews():
                return True
            if self.state != "pending_approval":
                self._step("pending_approval", why)
            case.invalidate_recordset(["need_validation"])
            unsealed(case).request_validation()
            self._message_log_sudo(self.env._("Waits for reviews: %s", ", ".join(case.review_ids.mapped("name"))))
        return case.validation_status == "validated"

    def _submit(self, why=None):
        """Reviewers need not wait for the approvers."""
        result = super()._submit(why)
        if self.state == "pending_approval":
            self._ask_for_reviews(why)
        return result

    def _after_step(self, before):
        result = super()._after_step(before)
        # Taken back, refused or planned anew: the next plan is reviewed by itself.
        for case in self.sudo():
            if case.review_ids and case.state in ("open", "investigating", "rejected", "cancelled"):
                unsealed(case.review_ids).unlink()
        return result

    # --- The reviewers' buttons -------------------------------------------------------------------------------------

    def _validate_tier(self, tiers=False):
        self._require_waiting()
        before = self.review_ids.filtered(lambda review: review.status == "approved")
        result = super(WarehouseExceptionCase, unsealed(self))._validate_tier(tiers and unsealed(tiers))
        self.invalidate_recordset(["review_ids"])
        for review in self.sudo().review_ids.filtered(lambda review: review.status == "approved") - before.sudo():
            self._message_log_sudo(self._in_words(review, self.env._("Reviewed")))
        waiting = self.sudo().approval_ids.filtered(lambda approval: approval.state == "waiting")
        if not waiting and self.sudo().validation_status == "validated":
            self._approve(self.env._("The last review is there."))
        return result

    def _rejected_tier(self, tiers=False):
        self._require_waiting()
        result = super(WarehouseExceptionCase, unsealed(self))._rejected_tier(tiers and unsealed(tiers))
        rejected = self.sudo().review_ids.filtered(lambda review: review.status == "rejected")
        if not rejected:
            return result
        for action in self.sudo()._live_actions():
            action._back_to_proposed()
        self.sudo().approval_ids._void()
        self._step("investigating", "; ".join(self._in_words(one, self.env._("Rejected")) for one in rejected))
        return result

    def restart_validation(self):
        raise UserError(self.env._("Take the case back instead: then its reviews and approvals are asked for anew."))

    def _require_waiting(self):
        self.check_access("read")
        self._require_state("pending_approval")

    def _in_words(self, review, what):
        by = self.env._("%(what)s by %(user)s: %(tier)s", what=what, user=review.done_by.name, tier=review.name)
        return f"{by} ({review.comment})" if review.comment else by

    def _message_log_sudo(self, text):
        for case in self.sudo():
            case._message_log(body=text)

