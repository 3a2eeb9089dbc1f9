from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.warehouse_exception.models.base.seal import is_unsealed

CASE = "warehouse.exception.case"
# Waiting reviews become pending by themselves, and a comment is written before the decision.
FREE = frozenset({"comment", "last_reminder_date"})


class TierDefinition(models.Model):
    _inherit = "tier.definition"

    @api.model
    def _get_tier_validation_model_names(self):
        return [*super()._get_tier_validation_model_names(), CASE]


class TierReview(models.Model):
    """Every internal user may write reviews. Those of a case are decisions, so they change by the buttons only."""

    _inherit = "tier.review"

    def _check_not_by_hand(self):
        if not is_unsealed(self.env) and any(review.model == CASE for review in self.sudo()):
            raise AccessError(self.env._("A review of a case is given by its buttons, and not edited or deleted."))

    @api.model_create_multi
    def create(self, vals_list):
        reviews = super().create(vals_list)
        reviews._check_not_by_hand()
        return reviews

    def write(self, vals):
        if set(vals) - FREE and vals != {"status": "pending"}:
            self._check_not_by_hand()
        elif vals == {"status": "pending"}:
            self.filtered(lambda review: review.status != "waiting")._check_not_by_hand()
        return super().write(vals)

    def unlink(self):
        # While addons are uninstalled, too: the core's own uninstallation drops the cases with a statement.
        self._check_not_by_hand()
        return super().unlink()
