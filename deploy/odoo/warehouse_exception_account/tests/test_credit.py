from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.warehouse_exception.tests.common import GTIN_13
from odoo.addons.warehouse_exception.tests.dock import DockCommon


@tagged("post_install", "-at_install")
class TestCredit(DockCommon):
    """Drafts for the accountants. Nothing of them is ever posted by a case."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The journals of the company may be the demo data's or none: these are ours.
        journals = cls.env["account.journal"].with_company(cls.company)
        accounts = cls.env["account.account"].with_company(cls.company)
        cls.expense = accounts.create({"code": "EXT600", "name": "Goods", "account_type": "expense"})
        cls.income = accounts.create({"code": "EXT400", "name": "Sales", "account_type": "income"})
        payable = accounts.create(
            {"code": "EXT210", "name": "Payable", "account_type": "liability_payable", "reconcile": True}
        )
        receivable = accounts.create(
            {"code": "EXT110", "name": "Receivable", "account_type": "asset_receivable", "reconcile": True}
        )
        for kind, account in (("purchase", cls.expense), ("sale", cls.income)):
            if not journals.search([("type", "=", kind), ("company_id", "=", cls.company.id)], limit=1):
                journals.create({"name": kind, "code": f"X{kind[0]}", "type": kind, "default_account_id": account.id})
        cls.customer = cls.env["res.partner"].create({"name": "Customer"})
        for partner in cls.vendor | cls.customer:
            partner.with_company(cls.company).write(
                {"property_account_payable_id": payable.id, "property_account_receivable_id": receivable.id}
            )
        cls.product.lst_price = 150
        cls.product.taxes_id = cls.product.supplier_taxes_id = False
        cls.accountant = cls.user("accountant", "account.group_account_invoice")

    def _propose(self, case, kind, **values):
        return self.env["warehouse.exception.action"]._propose(case, kind, **values)

    def _claimed(self):
        case = self.reported(self.receipt((self.product, 10)), "8")
        self.plan(case, "short_close")
        self._propose(case, "claim")
        return case

    def _shortage(self):
        self.stock(5, self.shelf)
        delivery = self.picking(8, name="EXT/OUT/SHORT", partner_id=self.customer.id)
        delivery.action_confirm()
        event = self.handheld.event(
            "pick_shortage", item={"code": GTIN_13}, document={"code": delivery.name}, counted="5"
        )
        case = self.opened(event)
        for action in case._live_actions():
            action.with_user(self.as_investigate).action_withdraw()
        return case

    def test_an_approved_claim_becomes_a_draft_that_only_accountants_post(self):
        case = self._claimed()
        action = self._propose(case, "credit_vendor")
        self.assertEqual((action.is_financial, action.quantity, action.amount), (True, 2, 200))
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.approval_ids.mapped("step"), ["operational", "financial"])
        case.approval_ids[0].with_user(self.as_approve).action_approve()
        self.assertFalse(self.env["account.move"].search([("exception_case_id", "=", case.id)]))
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        note = action.result
        self.assertEqual((case.state, self.shelved()), ("resolved", 8))
        self.assertEqual((note.move_type, note.state, note.partner_id), ("in_refund", "draft", self.vendor))
        self.assertEqual((note.amount_untaxed, note.invoice_line_ids.quantity, note.auto_post), (200, 2, "no"))
        self.assertEqual((note.exception_claim_id, note.exception_case_id), (case.claim_ids, case))
        case.with_user(self.as_close).action_close()
        self.assertEqual(note.state, "draft")
        for role in (*self.ROLES, "user", "manager"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                note.with_user(getattr(self, f"as_{role}")).action_post()
        self.assertEqual(note.state, "draft")

    def test_what_was_posted_is_what_was_recovered(self):
        case = self._claimed()
        self._propose(case, "credit_vendor")
        self.carried_out(case)
        claim, note = case.claim_ids, case.claim_ids.credit_note_ids
        self.assertEqual((claim._recovered_so_far(), claim.with_user(self.as_user).credit_note_count), (200, 1))
        note.invoice_line_ids.price_unit = 60
        note.invoice_date = claim.drafted_on
        note.with_user(self.accountant).action_post()
        claim.with_user(self.as_execute).action_send()
        claim.with_user(self.as_execute).action_accept()
        claim.with_user(self.as_approve_finance).action_settle()
        self.assertEqual((claim.state, claim.recovered), ("settled", 120))

    def test_a_vendors_credit_note_needs_a_claim(self):
        case = self.reported(self.receipt((self.product, 10)), "8")
        kinds = self.env["warehouse.exception.action"]._kinds_for(case)
        self.assertNotIn("credit_vendor", kinds)
        self._propose(case, "credit_vendor", quantity=2)
        with self.assertRaisesRegex(UserError, "without a claim"):
            case.with_user(self.as_investigate).action_submit()
        self._propose(case, "claim")
        self.assertIn("credit_vendor", self.env["warehouse.exception.action"]._kinds_for(case))

    def test_a_claim_is_credited_once(self):
        case = self._claimed()
        self._propose(case, "credit_vendor")
        self.carried_out(case)
        case.with_user(self.as_override).action_reopen("once more")
        self._propose(case, "credit_vendor", quantity=2)
        with self.assertRaisesRegex(UserError, "without a claim"):
            case.with_user(self.as_investigate).action_submit()
        self.assertEqual(len(case.claim_ids.credit_note_ids), 1)

    def test_a_confirmed_shortage_becomes_a_draft_for_the_customer(self):
        case = self._shortage()
        self.assertIn("credit_customer", self.env["warehouse.exception.action"]._kinds_for(case))
        action = self._propose(case, "credit_customer")
        self.assertEqual((action.is_financial, action.quantity, action.amount), (True, 3, 450))
        before = self.shelved()
        self.carried_out(case)
        note = action.result
        self.assertEqual((note.move_type, note.state, note.partner_id), ("out_refund", "draft", self.customer))
        self.assertEqual((note.amount_untaxed, note.exception_case_id, self.shelved()), (450, case, before))

    def test_a_policy_can_propose_the_customers_credit(self):
        self.env["warehouse.exception.policy"].search([]).write({"propose_credit": True})
        delivery = self.picking(8, name="EXT/OUT/AUTO", partner_id=self.customer.id)
        event = self.handheld.event(
            "pick_shortage", item={"code": GTIN_13}, document={"code": delivery.name}, counted="5"
        )
        credit = self.opened(event)._live_actions().filtered(lambda action: action.kind == "credit_customer")
        self.assertEqual((credit.quantity, credit.is_automatic), (3, True))

    def test_a_return_is_credited_by_what_came_back(self):
        customers = self.env.ref("stock.stock_location_customers")
        back = self.receipt((self.product, 6), source=customers, partner_id=self.customer.id)
        case = self.reported(back, "4", kind="return_discrepancy")
        action = self._propose(case, "credit_customer")
        self.assertEqual((action.quantity, action.amount), (4, 600))
        self.carried_out(case)
        note = action.result
        self.assertEqual((note.state, note.partner_id, note.amount_untaxed), ("draft", self.customer, 600))
        self.assertEqual((self.shelved(), back.state), (4, "done"))

    def test_nobody_drafts_one_without_the_financial_approval(self):
        case = self._shortage()
        self._propose(case, "credit_customer")
        case.with_user(self.as_investigate).action_submit()
        case.approval_ids[0].with_user(self.as_approve).action_approve()
        for role in self.ROLES:
            with self.subTest(role=role), self.assertRaises(UserError):
                case.with_user(getattr(self, f"as_{role}")).action_execute()
        with self.assertRaises(AccessError):
            case.approval_ids[1].with_user(self.as_approve_too).action_approve()
        self.assertFalse(self.env["account.move"].search([("exception_case_id", "=", case.id)]))

    def test_an_accountant_without_a_role_here_reads_the_draft_and_not_the_case(self):
        case = self._claimed()
        self._propose(case, "credit_vendor")
        self.carried_out(case)
        note = case.claim_ids.credit_note_ids.with_user(self.accountant)
        self.assertTrue(note.web_read({"name": {}, "amount_untaxed": {}, "invoice_line_ids": {"fields": {"name": {}}}}))
        with self.assertRaises(AccessError):
            case.with_user(self.accountant).read(["name"])
