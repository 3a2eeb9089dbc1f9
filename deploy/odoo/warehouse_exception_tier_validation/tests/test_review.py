from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.warehouse_exception.models.base.seal import unsealed
from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestReview(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 100
        cls.reviewer = cls.user("reviewer", "warehouse_exception.group_user")
        cls.second = cls.user("second reviewer", "warehouse_exception.group_user")
        cls.tier = cls._tier("Insurance", cls.reviewer)

    @classmethod
    def _tier(cls, name, reviewer, **values):
        return cls.env["tier.definition"].create(
            {
                "name": name,
                "model_id": cls.env["ir.model"]._get_id("warehouse.exception.case"),
                "review_type": "individual",
                "reviewer_id": reviewer.id,
                "company_id": cls.company.id,
                "definition_domain": "[('exception_type', '=', 'overage')]",
                **values,
            }
        )

    def _planned(self, kind="overage"):
        quantity = {"expected": "8", "counted": "5"}
        case = self.opened(self.handheld.event(kind, item={"code": GTIN_13}, quantity=quantity))
        unsealed(case._live_actions()).write({"state": "withdrawn"})
        self.env["warehouse.exception.action"]._propose(case, "accept")
        return case

    def _submitted(self, kind="overage"):
        case = self._planned(kind)
        case.with_user(self.as_investigate).action_submit()
        return case

    def test_a_review_is_asked_for_besides_the_approvals(self):
        case = self._submitted()
        self.assertEqual((case.review_ids.name, case.review_ids.status), ("Insurance", "pending"))
        self.assertTrue(case.approval_ids)
        self.assertTrue(case.with_user(self.reviewer).can_review)
        self.assertFalse(case.with_user(self.as_approve).can_review)

    def test_a_case_with_an_unfinished_review_does_not_become_approved(self):
        case = self._submitted()
        self.decide_all(case)
        self.assertEqual(set(case.approval_ids.mapped("state")), {"approved"})
        self.assertEqual((case.state, case._live_actions().state), ("pending_approval", "proposed"))
        with self.assertRaises(UserError):
            case.with_user(self.as_execute).action_execute()
        with self.assertRaises(ValidationError):
            unsealed(case).write({"state": "approved"})
        case.with_user(self.reviewer).validate_tier()
        self.assertEqual((case.state, case._live_actions().state), ("approved", "approved"))
        self.assertIn("Reviewed by reviewer: Insurance", str(case.message_ids.mapped("body")))

    def test_a_review_replaces_no_approval(self):
        case = self._submitted()
        case.with_user(self.reviewer).validate_tier()
        self.assertEqual((case.validation_status, case.state), ("validated", "pending_approval"))
        self.decide_all(case)
        self.assertEqual(case.state, "approved")

    def test_an_approver_who_also_reviews_gives_both_by_their_own_buttons(self):
        self.tier.reviewer_id = self.as_approve
        case = self._submitted()
        self.decide_all(case)
        self.assertEqual((case.state, case.review_ids.status), ("pending_approval", "pending"))
        case.with_user(self.as_approve).validate_tier()
        self.assertEqual(case.state, "approved")

    def test_below_the_threshold_a_review_is_still_needed(self):
        case = self._planned()
        unsealed(case.policy_id).write({"immaterial": "auto", "materiality_amount": 1_000_000})
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual((case.state, len(case.approval_ids)), ("pending_approval", 0))
        case.with_user(self.reviewer).validate_tier()
        self.assertEqual(case.state, "approved")

    def test_tiers_of_other_cases_ask_for_nothing(self):
        case = self._submitted("location_mismatch")
        self.assertFalse(case.review_ids)
        self.decide_all(case)
        self.assertEqual(case.state, "approved")

    def test_a_rejected_review_sends_the_case_back_and_the_next_plan_is_reviewed_anew(self):
        case = self._submitted()
        self.decide_all(case)
        case.with_user(self.reviewer).reject_tier()
        self.assertEqual((case.state, case._live_actions().state), ("investigating", "proposed"))
        self.assertIn("Rejected by reviewer: Insurance", case.step_ids[-1].why)
        self.assertFalse(case.review_ids)
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.review_ids.status, "pending")
        self.assertEqual(set(case.approval_ids.mapped("state")), {"approved", "waiting"})

    def test_a_case_that_is_taken_back_is_reviewed_anew(self):
        case = self._submitted()
        case.with_user(self.reviewer).validate_tier()
        case.with_user(self.as_investigate).action_withdraw("wait")
        self.assertFalse(case.review_ids)
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        self.assertEqual((case.review_ids.status, case.state), ("pending", "pending_approval"))

    def test_every_tier_counts(self):
        self._tier("Safety", self.second)
        case = self._submitted()
        self.decide_all(case)
        case.with_user(self.reviewer).validate_tier()
        self.assertEqual(case.state, "pending_approval")
        case.with_user(self.second).validate_tier()
        self.assertEqual(case.state, "approved")

    def test_a_tier_that_is_added_while_a_case_waits_counts_too(self):
        self.tier.active = False
        case = self._submitted()
        self.assertFalse(case.review_ids)
        self.tier.active = True
        self.decide_all(case)
        self.assertEqual((case.state, case.review_ids.status), ("pending_approval", "pending"))

    def test_reviews_change_by_their_buttons_only(self):
        case = self._submitted()
        review = case.review_ids
        everybody = (self.reviewer, self.as_investigate, self.as_manager, self.env.ref("base.user_admin"))
        for user in everybody:
            mine = review.with_user(user)
            for work in (
                lambda mine=mine: mine.write({"status": "approved"}),
                lambda mine=mine: mine.write({"res_id": 0}),
                lambda mine=mine: mine.unlink(),
                lambda mine=mine: mine.create({"model": case._name, "res_id": case.id, "status": "approved"}),
                lambda mine=mine: case.with_user(mine.env.user).restart_validation(),
            ):
                with self.subTest(user=user.login), self.assertRaises(UserError):
                    work()
        self.assertEqual((case.review_ids, review.status), (review, "pending"))

    def test_who_is_no_reviewer_reviews_nothing(self):
        case = self._submitted()
        for user in (self.as_approve, self.as_investigate):
            case.with_user(user).validate_tier()
            case.with_user(user).reject_tier()
        self.assertEqual((case.state, case.review_ids.status), ("pending_approval", "pending"))

    def test_a_flag_in_the_context_gets_nobody_past(self):
        case = self._submitted()
        sly = case.with_user(self.as_investigate).with_context(
            skip_validation_check=True, skip_check_state_condition=True, warehouse_exception_unsealed=True
        )
        with self.assertRaises(AccessError):
            sly.write({"state": "approved"})
        with self.assertRaises(AccessError):
            sly.review_ids.write({"status": "approved"})
