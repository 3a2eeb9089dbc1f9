import json

from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestDashboard(TransactionCase):
    """The figures that the dashboard names are there: a field that was renamed would show as an error in a cell."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env.ref("warehouse_exception_dashboard.dashboard")
        cls.data = json.loads(cls.dashboard.spreadsheet_data)
        cls.reader = new_test_user(cls.env, "reads figures", "warehouse_exception.group_user")

    def test_every_pivot_can_be_read_by_an_ordinary_user(self):
        self.assertTrue(self.data["pivots"])
        for pivot in self.data["pivots"].values():
            model = self.env[pivot["model"]].with_user(self.reader)
            aggregates = [
                f"{measure['fieldName']}:{measure['aggregator']}" if measure.get("aggregator") else measure["fieldName"]
                for measure in pivot["measures"]
            ]
            model._read_group(pivot["domain"], [row["fieldName"] for row in pivot["rows"]], aggregates)
            self.assertTrue(self.env.ref(pivot["actionXmlId"]))

    def test_every_chart_can_be_read_by_an_ordinary_user(self):
        figures = [figure["data"] for sheet in self.data["sheets"] for figure in sheet["figures"]]
        charts = [figure for figure in figures if figure["type"] != "scorecard"]
        self.assertGreater(len(charts), 3)
        for chart in charts:
            meta = chart["metaData"]
            model = self.env[meta["resModel"]].with_user(self.reader)
            field = model._fields.get(meta["measure"])
            measure = f"{meta['measure']}:{field.aggregator}" if field else meta["measure"]
            model._read_group(chart["searchParams"]["domain"], meta["groupBy"], [measure])

    def test_the_filters_reach_every_figure(self):
        filters = {one["id"] for one in self.data["globalFilters"]}
        sources = [*self.data["pivots"].values()]
        sources += [f["data"] for sheet in self.data["sheets"] for f in sheet["figures"] if "metaData" in f["data"]]
        for source in sources:
            self.assertEqual(set(source["fieldMatching"]), filters)
            model = self.env[source.get("model") or source["metaData"]["resModel"]]
            for match in source["fieldMatching"].values():
                self.assertIn(match["chain"], model._fields)

    def test_only_those_who_may_see_cases_see_it(self):
        outsider = new_test_user(self.env, "outsider", "base.group_user")
        dashboards = self.env["spreadsheet.dashboard"]
        self.assertIn(self.dashboard, dashboards.with_user(self.reader).search([]))
        self.assertNotIn(self.dashboard, dashboards.with_user(outsider).search([]))
