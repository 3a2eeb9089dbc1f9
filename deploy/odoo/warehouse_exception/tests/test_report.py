from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from ..models.base.seal import unsealed
from .common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestReport(ExceptionCommon):
    """The figures, against cases whose figures are known."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 100
        cls.report = cls.env["warehouse.exception.report"].with_user(cls.as_user)

    def _case(self, days_ago=0, counted="5", kind="overage", **data):
        quantity = {"expected": "8", "counted": counted}
        data = {"item": {"code": GTIN_13}, "bin": {"code": "A-03-02"}, "reason": "short", **data}
        case = self.opened(self.handheld.event(kind, quantity=quantity, **data))
        unsealed(case._live_actions()).write({"state": "withdrawn"})
        if days_ago:
            received = fields.Datetime.now() - timedelta(days=days_ago)
            unsealed(case).write({"received_at": received, "captured_at": received - timedelta(minutes=30)})
        return case

    def _closed(self, case, hours):
        self.env["warehouse.exception.action"].with_user(self.as_investigate)._propose(case, "accept")
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        unsealed(case).write({"ended_at": case.received_at + timedelta(hours=hours)})
        return case

    def _facts(self, cases, *aggregates):
        [row] = self.report._read_group([("case_id", "in", cases.ids)], [], list(aggregates))
        return row

    def test_volume_deadlines_time_and_money_add_up(self):
        late = self._closed(self._case(days_ago=10), hours=100)
        soon = self._closed(self._case(days_ago=5), hours=2)
        for case in (late, soon):
            unsealed(case).write({"deadline_at": case.received_at + timedelta(hours=48)})
        waiting = self._case(days_ago=3)
        unsealed(waiting).write({"deadline_at": fields.Datetime.now() - timedelta(hours=1)})
        cases = late | soon | waiting
        row = self._facts(
            cases,
            "__count",
            "deadline_met:avg",
            "hours_to_end:avg",
            "overdue:sum",
            "amount_at_stake:sum",
            "minutes_to_case:avg",
        )
        self.assertEqual(row[0], 3)
        self.assertAlmostEqual(row[1], 100 / 3)
        self.assertAlmostEqual(row[2], 51)
        self.assertEqual(row[3:5], (1, 900))
        self.assertAlmostEqual(row[5], 30)

    def test_a_case_that_is_opened_again_has_not_ended(self):
        case = self._closed(self._case(), hours=1)
        self.assertTrue(case.ended_at)
        case.with_user(self.as_override).action_reopen("wrong")
        self.assertFalse(case.ended_at)
        self.env["warehouse.exception.action"].with_user(self.as_investigate)._propose(case, "accept")
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        ended = case.ended_at
        case.with_user(self.as_close).action_close()
        self.assertEqual(case.ended_at, ended)

    def test_only_what_was_done_and_touches_money_is_settled(self):
        action = type(self.env["warehouse.exception.action"])
        case = self._closed(self._case(), hours=1)
        self.assertEqual(self._facts(case, "amount_settled:sum"), (0,))
        self.patch(action, "_financial_kinds", lambda _self: {"accept"})
        self.assertEqual(self._facts(case, "amount_settled:sum"), (300,))
        proposed = self._case()
        self.env["warehouse.exception.action"]._propose(proposed, "accept")
        self.assertEqual(self._facts(case | proposed, "amount_settled:sum"), (300,))

    def test_the_same_again_within_ninety_days_is_a_recurrence(self):
        cases = self._case(days_ago=100) | self._case(days_ago=20) | self._case(days_ago=1)
        other = self._case(days_ago=1, bin={"code": "elsewhere"})
        recurrent = {row.case_id: row.recurrent for row in self.report.search([("case_id", "in", (cases | other).ids)])}
        self.assertEqual([recurrent[case] for case in cases], [0, 0, 1])
        self.assertEqual(recurrent[other], 0)

    def test_the_supplier_is_that_of_the_receipt(self):
        vendor = self.env["res.partner"].create({"name": "Vendor"})
        picking = self.picking(name="EXT/IN/1", picking_type_id=self.warehouse.in_type_id.id, partner_id=vendor.id)
        out = self.picking(name="EXT/OUT/1", partner_id=vendor.id)
        received = self._case(document={"code": "EXT/IN/1"})
        shipped = self._case(document={"code": "EXT/OUT/1"})
        self.assertEqual((received.picking_id, shipped.picking_id), (picking, out))
        found = {
            row.case_id: row.supplier_id for row in self.report.search([("case_id", "in", (received | shipped).ids)])
        }
        self.assertEqual(found, {received: vendor, shipped: vendor.browse()})

    def test_pareto_ranks_combinations_and_adds_their_shares_up(self):
        for _n in range(3):
            self._case(reason="often")
        self._case(reason="seldom")
        self.env.flush_all()
        rows = (
            self.env["warehouse.exception.pareto"]
            .with_user(self.as_user)
            .search([("company_id", "=", self.company.id)])
        )
        mine = rows.filtered(lambda row: row.reason_code in ("often", "seldom") and row.location_id == self.bin)
        self.assertEqual(mine.mapped("reason_code"), ["often", "seldom"])
        self.assertEqual(mine.mapped("case_count"), [3, 1])
        self.assertAlmostEqual(rows[-1].cumulated, 100)
        self.assertEqual(rows.mapped("rank"), list(range(1, len(rows) + 1)))
        opened = self.env["warehouse.exception.case"].search(mine[0].action_open_cases()["domain"])
        self.assertEqual(len(opened), 3)

    def test_turnaround_of_a_later_decision_begins_with_the_one_before(self):
        self.product.standard_price = 1000
        case = self._case()
        self.env["warehouse.exception.action"].with_user(self.as_investigate)._propose(case, "accept")
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        first, second = case.approval_ids
        asked = fields.Datetime.now() - timedelta(hours=10)
        unsealed(first).write({"asked_at": asked, "decided_at": asked + timedelta(hours=2)})
        unsealed(second).write({"asked_at": asked, "decided_at": asked + timedelta(hours=5)})
        facts = self.env["warehouse.exception.report.approval"].with_user(self.as_user)
        hours = {row.step: row.hours for row in facts.search([("case_id", "=", case.id)])}
        self.assertAlmostEqual(hours["operational"], 2)
        self.assertAlmostEqual(hours["financial"], 3)

    def test_a_query_reads_only_the_tables_that_it_needs(self):
        self.env.cr.execute(f"EXPLAIN SELECT exception_type, count(*) FROM ({self._inlined()}) x GROUP BY 1")
        plan = "\n".join(line for (line,) in self.env.cr.fetchall())
        for table in (
            "stock_picking",
            "res_company",
            "warehouse_exception_action",
            "product_template",
            "warehouse_exception_policy",
        ):
            self.assertNotIn(table, plan)

    def _inlined(self):
        query = self.report._table_query
        return self.env.cr.mogrify(query.code, query.params).decode()

    def test_who_sees_another_company_only_sees_no_figures_of_this_one(self):
        case = self._case()
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.user("stranger", "warehouse_exception.group_manager")
        stranger.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        baseline = self.env["warehouse.exception.baseline"].create({"name": "Ours", "company_id": self.company.id})
        for name in ("report", "report.approval", "pareto", "baseline", "baseline.line"):
            rows = self.env[f"warehouse.exception.{name}"].with_user(stranger).search([])
            self.assertNotIn(self.company, rows.company_id)
        self.assertTrue(self.report.search([("case_id", "=", case.id)]))
        with self.assertRaises(AccessError):
            baseline.with_user(stranger).read(["name"])

    # --- Baseline ----------------------------------------------------------------------------------------------------

    def _baseline(self, **values):
        today = fields.Date.today()
        period = {
            "date_from": today - timedelta(days=60),
            "date_to": today - timedelta(days=31),
            "compare_from": today - timedelta(days=30),
            "compare_to": today,
        }
        baselines = self.env["warehouse.exception.baseline"].with_user(self.as_manager)
        return baselines.create({"name": "Before", "warehouse_id": self.warehouse.id, **period, **values})

    def test_a_baseline_keeps_the_figures_and_compares_later_ones(self):
        self._closed(self._case(days_ago=40), hours=40)
        self._closed(self._case(days_ago=10), hours=4)
        line = self._baseline().line_ids.filtered(lambda line: line.figure == "median_hours")
        self.assertAlmostEqual(line.value, 40)
        self.assertAlmostEqual(line.compared, 4)
        self.assertAlmostEqual(line.change, -90)
        self.assertEqual(line.verdict, "better")

    def test_volume_is_by_a_thousand_stock_moves_and_unknown_without_any(self):
        self._case(days_ago=40)
        line = self._baseline().line_ids.filtered(lambda line: line.figure == "volume")
        self.assertFalse(line.has_value)
        self.stock(10)
        picking = self.picking(quantity=4, name="EXT/OUT/DONE")
        picking.action_confirm()
        picking.action_assign()
        picking.move_ids.picked = True
        picking._action_done()
        picking.move_ids.date = fields.Datetime.now() - timedelta(days=40)
        line = self._baseline().line_ids.filtered(lambda line: line.figure == "volume")
        self.assertEqual((line.has_value, line.value), (True, 1000))

    def test_what_is_frozen_stays_frozen(self):
        baseline = self._baseline()
        for values in ({"date_from": fields.Date.today()}, {"line_ids": [(5, 0, 0)]}, {"warehouse_id": False}):
            for editor in (baseline, baseline.sudo()):
                with self.assertRaises(AccessError):
                    editor.write(values)
        with self.assertRaises(AccessError):
            baseline.line_ids.sudo()[0].value = 1
        for records in (baseline, baseline.line_ids):
            with self.assertRaises(AccessError):
                records.sudo().unlink()
        baseline.compare_to = fields.Date.today() - timedelta(days=1)

    def test_a_period_that_ends_before_it_begins_is_refused(self):
        with self.assertRaises(ValidationError):
            self._baseline(date_to=fields.Date.today() - timedelta(days=90))

    def test_only_a_manager_freezes(self):
        for role in (*self.ROLES, "user"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.env["warehouse.exception.baseline"].with_user(getattr(self, f"as_{role}")).create({"name": "x"})
