from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestPolicy(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.policies = cls.env["warehouse.exception.policy"]

    def _event(self, counted="7", kind="overage"):
        return self.handheld.event(kind, item={"code": GTIN_13}, quantity={"expected": "8", "counted": counted})

    def test_every_kind_has_a_policy_to_begin_with(self):
        for kind in self.env["warehouse.exception.kind"].search([]):
            case = self.case_of(self._event(kind=kind.code))
            self.assertEqual(self.policies._match(case).exception_type, kind.code)

    def test_the_narrowest_policy_that_fits_counts(self):
        case = self.case_of(self._event())
        parent = self.env["product.category"].create({"name": "Fish"})
        child = parent.create({"name": "Cod", "parent_id": parent.id})
        self.product.categ_id = child
        wide = self.policies._match(case)
        self.assertFalse(wide.company_id)
        for scope in (
            {"company_id": self.company.id},
            {"categ_id": parent.id},
            {"categ_id": child.id},
            {"warehouse_id": self.warehouse.id, "company_id": self.company.id},
            {"warehouse_id": self.warehouse.id, "company_id": self.company.id, "categ_id": parent.id},
        ):
            narrower = self.policies.create({"exception_type": "overage", **scope})
            self.assertEqual(self.policies._match(case), narrower, scope)
        elsewhere = self.env["stock.warehouse"].create({"name": "Elsewhere", "code": "ELS"})
        self.policies.create({"exception_type": "overage", "warehouse_id": elsewhere.id, "categ_id": child.id})
        self.assertEqual(self.policies._match(case), narrower)

    def test_one_policy_a_scope(self):
        with self.assertRaises(ValidationError):
            self.policies.create({"exception_type": "overage"})

    def test_a_case_gets_an_owner_and_a_deadline(self):
        policy = self.policies.search([("exception_type", "=", "overage")])
        policy.team_id = self.env["warehouse.exception.team"].create(
            {"name": "Night", "member_ids": [(6, 0, [self.as_investigate.id, self.as_approve.id])]}
        )
        first, second = self.opened(self._event()), self.opened(self._event("6"))
        self.assertEqual({first.user_id, second.user_id}, {self.as_investigate, self.as_approve})
        self.assertEqual((first.deadline_at - first.received_at).total_seconds(), policy.deadline_hours * 3600)

    def test_below_the_threshold_policy_decides_and_above_it_people_do(self):
        policy = self.policies.search([("exception_type", "=", "overage")])
        policy.write({"materiality_amount": 25, "immaterial": "auto", "execute_automatically": True})
        self.product.standard_price = 10
        cheap, dear = self.case_of(self._event("7")), self.case_of(self._event("2"))
        for case in cheap | dear:
            self.env["warehouse.exception.action"]._propose(case, "accept")
        self.respond()
        self.respond()
        self.assertEqual((cheap.state, cheap.approval_ids.ids), ("resolved", []))
        self.assertEqual(dear.state, "open")

    def test_a_critical_product_is_never_below_a_threshold(self):
        policy = self.policies.search([("exception_type", "=", "overage")])
        policy.write({"materiality_amount": 25, "immaterial": "auto"})
        self.product.exception_critical = True
        case = self.case_of(self._event("7"))
        self.env["warehouse.exception.action"]._propose(case, "accept")
        self.respond()
        self.assertEqual(case.state, "open")

    def test_small_cases_are_collected_for_one_decision(self):
        policy = self.policies.search([("exception_type", "=", "overage")])
        policy.write({"materiality_amount": 25, "immaterial": "batch"})
        cases = self.opened(self._event("7")) | self.opened(self._event("6"))
        for case in cases:
            self.env["warehouse.exception.action"]._propose(case, "accept")
            case.with_user(self.as_investigate).action_submit()
        self.assertEqual(cases.approval_ids.mapped("in_batch"), [True, True])
        cases.approval_ids.with_user(self.as_approve).action_approve()
        self.assertEqual(cases.mapped("state"), ["approved", "approved"])

    def test_a_kind_that_is_off_keeps_its_reports_until_it_is_switched_on(self):
        overage = self.env["warehouse.exception.kind"].search([("code", "=", "overage")])
        self.warehouse.exception_kind_ids -= overage
        case = self.opened(self._event())
        self.assertEqual(case.state, "received")
        self.warehouse.exception_kind_ids |= overage
        self.respond()
        self.assertEqual(case.state, "open")
        self.assertTrue(case.policy_id)
