from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import AccessError

from ..base.seal import is_acting


class ResCompany(models.Model):
    """Whose adjustments need an approved response. This is the one place that decides it."""

    _inherit = "res.company"

    exception_guard = fields.Selection(
        [
            ("roles", "People with a role in Warehouse Exceptions"),
            ("everyone", "Everybody"),
            ("off", "Nobody"),
        ],
        "Stock is adjusted by approved responses only, for",
        default="roles",
        required=True,
        help="They can't adjust or scrap stock or change finished transfers by hand. Jobs of the system itself can.",
    )

    def _guards(self):
        """Whether the current user is to leave it to an approved response. Rights taken with sudo() don't help, nor
        does the context.
        """
        if is_acting(self.env) or self.env.uid == SUPERUSER_ID:
            return False
        guards = set((self or self.env.company).sudo().mapped("exception_guard"))
        if "everyone" in guards:
            return True
        return "roles" in guards and self.env.user.has_group("warehouse_exception.group_user")

    def _refuse_by_hand(self, what):
        """Refuse the current user to do `what` by hand, if that is guarded."""
        if self._guards():
            raise AccessError(
                self.env._(
                    "%(what)s: not by hand. Nothing was changed. Report an exception (a variance, damage, an overage): "
                    "its case proposes what to do, and does it once that is approved.",
                    what=what,
                )
            )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    exception_guard = fields.Selection(related="company_id.exception_guard", readonly=False)
