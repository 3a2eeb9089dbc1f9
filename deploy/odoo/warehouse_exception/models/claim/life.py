from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..base.seal import unsealed


class WarehouseExceptionClaim(models.Model):
    """Draft, sent, answered, settled. Who sends it and writes down the answer executes; money that came back is
    confirmed by those who approve in matters of finance.
    """

    _inherit = "warehouse.exception.claim"

    def action_send(self):
        """It went to the vendor, by whatever way."""
        self._require_role("execute")
        self._go("sent", ("draft",), sent_at=fields.Datetime.now())

    def _ask_to_send(self):
        """On the claim itself: who talks to the vendor may read that, and not always the case."""
        if self.user_id:
            self.sudo().activity_schedule(
                "mail.mail_activity_data_todo",
                fields.Date.context_today(self) + timedelta(days=1),
                self.env._("Send it to the vendor"),
                user_id=self.user_id.id,
            )

    def action_email(self):
        """Write to the vendor, with the claim attached. The message is edited before it goes."""
        self.ensure_one()
        self._require_role("execute")
        template = self.env.ref("warehouse_exception.mail_template_claim", raise_if_not_found=False)
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": template.id if template else False,
                "default_composition_mode": "comment",
                "force_email": True,
            },
        }

    def action_accept(self):
        self._require_role("execute")
        self._go("accepted", ("sent",), answered_at=fields.Datetime.now())

    def action_refuse(self, why=None):
        """The vendor won't make it good. That is an answer, too, and stays in the figures."""
        self._require_role("execute")
        self._go("refused", ("sent", "accepted"), answered_at=fields.Datetime.now())
        if why:
            for claim in self:
                claim.sudo()._message_log(body=why)

    def action_settle(self, recovered=None):
        """So much came back: by a credit note, by money or in goods. Without a number: all that was claimed."""
        self._require_role("approve_finance")
        for claim in self:
            amount = claim._recovered_so_far() if recovered is None else recovered
            if amount < 0 or claim.currency_id.compare_amounts(amount, claim.amount) > 0:
                raise UserError(
                    self.env._(
                        "%(claim)s is about %(claimed)s, so what came back is between nothing and that. Nothing was changed.",
                        claim=claim.name,
                        claimed=claim.currency_id.format(claim.amount),
                    )
                )
            claim._go("settled", ("accepted",), settled_at=fields.Datetime.now(), recovered=amount)

    def _recovered_so_far(self):
        """What is known to have come back. Bridges know better."""
        self.ensure_one()
        return self.amount

    def _go(self, state, before, **values):
        self.check_access("read")
        labels = dict(self._fields["state"]._description_selection(self.env))
        for claim in self:
            if claim.state not in before:
                raise UserError(
                    self.env._(
                        "%(claim)s is '%(now)s' and can't become '%(wanted)s'. Nothing was changed. Reload to see what can.",
                        claim=claim.name,
                        now=labels[claim.state],
                        wanted=labels[state],
                    )
                )
        unsealed(self.sudo()).write({"state": state, **values})
        self.sudo().activity_unlink(["mail.mail_activity_data_todo"])
