from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..models.approval import deciding
from ..models.base.seal import unsealed
from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestLook(ExceptionCommon):
    """What people see of a case, and that boards with many cases ask no query a case."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 100

    def _case(self, **data):
        quantity = {"expected": "8", "counted": "5"}
        data = {"item": {"code": GTIN_13}, "bin": {"code": "A-03-02"}, "quantity": quantity, **data}
        case = self.opened(self.handheld.event("overage", **data))
        unsealed(case._live_actions()).write({"state": "withdrawn"})
        return case

    def _aged(self, received, deadline):
        """A case that was received and is due so many hours from now."""
        case = self._case()
        now = fields.Datetime.now()
        moments = {"received_at": now + timedelta(hours=received), "deadline_at": now + timedelta(hours=deadline)}
        unsealed(case).write(moments)
        return case

    def test_a_case_is_fresh_then_ageing_then_overdue_then_done(self):
        cases = {
            "fresh": self._aged(-1, 9),
            "ageing": self._aged(-9, 1),
            "overdue": self._aged(-9, -1),
            False: self._aged(-9, -1),
        }
        cases[False].with_user(self.as_investigate).action_cancel("no")
        every = self.env["warehouse.exception.case"].browse([case.id for case in cases.values()])
        for age, case in cases.items():
            self.assertEqual(case.age, age)
            self.assertEqual(every.search([("id", "in", every.ids), ("age", "=", age)]), case)
        groups = dict(every._read_group([("id", "in", every.ids)], ["age"], ["id:recordset"]))
        self.assertEqual(groups, cases)
        bar = {"field": "age", "colors": {"overdue": "danger", "ageing": "warning", "fresh": "success"}}
        counted = every.read_progress_bar([("id", "in", every.ids)], "state", bar)
        self.assertEqual(counted["open"], {"overdue": 1, "ageing": 1, "fresh": 1})

    def test_what_is_missing_is_said_until_it_is_there(self):
        case = self._case()
        self.assertIn("nothing is proposed", case.obstacle_text)
        self.env["warehouse.exception.action"]._propose(case, "accept")
        self.assertNotIn("nothing is proposed", case.obstacle_text)

    def test_my_decision_is_shown_to_those_who_may_take_it(self):
        case = self._case()
        self.env["warehouse.exception.action"].with_user(self.as_investigate)._propose(case, "accept")
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.with_user(self.as_approve).my_approval_id, case.approval_ids[0])
        self.assertIn("Operational", case.waits_for)
        for user in (self.as_investigate, self.as_user, self.as_approve_finance, self.as_audit):
            self.assertFalse(case.with_user(user).my_approval_id)
        mine = [("approval_ids.can_decide", "=", True)]
        cases = self.env["warehouse.exception.case"]
        self.assertIn(case, cases.with_user(self.as_approve).search(mine))
        self.assertNotIn(case, cases.with_user(self.as_investigate).search(mine))

    def test_who_decides_is_shown_what_has_waited_longest(self):
        self.env.cr.execute("UPDATE warehouse_exception_approval SET state = 'void'")
        self.env.invalidate_all()
        cases = [self._case(), self._case()]
        for case in cases:
            self.env["warehouse.exception.action"].with_user(self.as_investigate)._propose(case, "accept")
            case.with_user(self.as_investigate).action_submit()
        approvals = self.env["warehouse.exception.approval"].with_user(self.as_approve)
        with patch.object(deciding, "MAX_LOOKED_AT", 1):
            for case in cases:
                found = approvals.search([("can_decide", "=", True)])
                self.assertEqual(found, case.approval_ids[0].with_user(self.as_approve))
                found.action_approve()

    def test_similar_cases_are_the_same_product_in_the_same_bin(self):
        first, second = self._case(), self._case()
        self._case(bin={"code": "elsewhere"})
        self.assertEqual((first.similar_count, first.search(first._similar_domain())), (1, second))

    def test_a_board_asks_no_query_a_case(self):
        shown = {
            name: {}
            for name in "name age age_color thumbnail_id photo_summary obstacle_text waits_for amount_at_stake".split()
        }
        few = self.env["warehouse.exception.case"].browse([self._case().id for _n in range(3)])
        many = few | few.browse([self._case().id for _n in range(20)])

        def queries(cases):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            cases.with_user(self.as_user).web_read(shown)
            return self.env.cr.sql_log_count - before

        queries(few)
        self.assertLessEqual(queries(many), queries(few) + 2)

    def test_every_menu_opens_for_its_role(self):
        """Each action of the application loads its views and finds its records as an ordinary user and as a manager."""
        menus = self.env["ir.ui.menu"].search([("id", "child_of", self.env.ref("warehouse_exception.menu_root").id)])
        for user in (self.as_user, self.as_manager, self.as_approve, self.as_audit):
            visible = menus.with_user(user)._filter_visible_menus()
            self.assertTrue(visible)
            for action in visible.sudo().mapped("action"):
                if not action or action._name != "ir.actions.act_window" or action.res_model == "res.config.settings":
                    continue
                with self.subTest(user=user.login, action=action.name):
                    model = self.env[action.res_model].with_user(user)
                    if model._transient:
                        continue
                    model.get_views([(False, view) for view in action.view_mode.split(",")])
                    model.search([], limit=5)

    def test_a_team_counts_the_unfinished_cases_of_its_policies(self):
        team = self.env["warehouse.exception.team"].create({"name": "Dock", "leader_id": self.as_investigate.id})
        scope = {"company_id": self.company.id, "warehouse_id": self.warehouse.id, "team_id": team.id}
        self.env.ref("warehouse_exception.policy_overage").copy(scope)
        case, other = self._case(), self._case()
        self.assertEqual((team.case_count, case.user_id), (2, self.as_investigate))
        other.with_user(self.as_investigate).action_cancel("no")
        team.invalidate_recordset(["case_count"])
        self.assertEqual(team.case_count, 1)
