from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.warehouse_exception.models.base.seal import unsealed
from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestRules(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        for user in (cls.as_release, cls.as_investigate):
            user.email = f"{user.login.replace(' ', '.')}@example.com"
        cls.warehouse.exception_lead_id = cls.as_release

    def _opened(self):
        return self.opened(
            self.handheld.event("overage", item={"code": GTIN_13}, quantity={"expected": "8", "counted": "5"})
        )

    def _mails(self, words):
        return self.env["mail.mail"].search([("subject", "like", words)])

    def test_the_lead_is_mailed_about_a_critical_product_and_no_other(self):
        self._opened()
        self.assertFalse(self._mails("is critical"))
        self.product.exception_critical = True
        case = self._opened()
        mail = self._mails("is critical")
        self.assertEqual((len(mail), mail.recipient_ids), (1, self.as_release.partner_id))
        self.assertIn(case.name, mail.subject)

    def test_who_is_told_of_an_escalation_is_mailed(self):
        case = self._opened()
        case.user_id = self.as_investigate
        unsealed(case).write({"open_since": fields.Datetime.now() - timedelta(hours=50)})
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1):
            self.env["warehouse.exception.escalation"]._cron_escalate()
        mail = self._mails(f"Escalation: Not finished: {case.name}")
        self.assertEqual(mail.recipient_ids, self.as_investigate.partner_id)

    def test_the_owners_rule_waits_to_be_switched_on(self):
        rule = self.env.ref("warehouse_exception_automation.rule_owner")
        self.assertFalse(rule.active)
        rule.active = True
        case = self._opened()
        case.user_id = self.as_investigate
        self.assertEqual(self._mails(f"{case.name} is yours").recipient_ids, self.as_investigate.partner_id)

    def test_rules_and_templates_stay_as_a_site_edits_them(self):
        data = self.env["ir.model.data"].search([("module", "=", "warehouse_exception_automation")])
        records = data.filtered(lambda each: each.model in ("base.automation", "ir.actions.server", "mail.template"))
        self.assertEqual(len(records), 9)
        self.assertTrue(all(records.mapped("noupdate")))
