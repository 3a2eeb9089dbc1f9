# Run in Odoo's shell (root.sh shell DB <this file) on a database with demo data: how long the boards, lists and reports take
# with 50,000 more cases, 200,000 steps, 60,000 decisions and 50,000 responses. Nothing is kept.
import time

CASES = 50_000
cr = env.cr


def multiply(table, number, overrides, source="id IN (SELECT min(id) FROM {table})"):
    """`number` copies of a row of `table`, with the columns of `overrides` as SQL of the copy's number n."""
    cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
    columns = [name for (name,) in cr.fetchall() if name not in ("id", *overrides)]
    names = ", ".join(f'"{name}"' for name in [*columns, *overrides])
    values = ", ".join([*(f'source."{name}"' for name in columns), *overrides.values()])
    cr.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {number}) n,"
        f" (SELECT * FROM {table} WHERE {source.format(table=table)}) source RETURNING id"
    )


def picked(table, where="true"):
    """A row of `table` by the copy's number: always the same, and all of them."""
    cr.execute(f"SELECT array_agg(id ORDER BY id) FROM {table} WHERE {where}")
    ids = cr.fetchone()[0]
    return f"(ARRAY{ids})[1 + n % {len(ids)}]"


kinds = [kind for kind, _label in env["warehouse.exception.case"]._fields["exception_type"].selection]
states = ["open", "investigating", "pending_approval", "closed", "closed", "closed", "closed", "rejected"]
at = "now()::timestamp - make_interval(mins => 10 * n)"
multiply(
    "warehouse_exception_case",
    CASES,
    {
        "name": "'BIG/' || n",
        "exception_type": f"(ARRAY{kinds})[1 + n % {len(kinds)}]",
        "state": f"(ARRAY{states})[1 + n % {len(states)}]",
        "reason_code": "'reason_' || n % 12",
        "product_id": picked("product_product"),
        "location_id": picked("stock_location", "usage = 'internal'"),
        "picking_id": picked("stock_picking"),
        "cause_id": picked("warehouse_exception_cause"),
        "captured_at": f"{at} - interval '3 minutes'",
        "received_at": at,
        "deadline_at": f"{at} + interval '1 day'",
        "ageing_at": f"{at} + interval '18 hours'",
        "ended_at": f"CASE WHEN n % {len(states)} > 2 THEN {at} + make_interval(hours => n % 60) END",
        "amount_at_stake": "n % 900",
        "response_due": "false",
    },
)
cr.execute("SELECT min(id), max(id) FROM warehouse_exception_case WHERE name LIKE 'BIG/%'")
first, _last = cr.fetchone()
multiply("warehouse_exception_step", 4 * CASES, {"case_id": f"{first} + n / 4 - (n / {4 * CASES})"})
multiply(
    "warehouse_exception_approval",
    60_000,
    {
        "case_id": f"{first} + n % {CASES}",
        "round": "1 + n",
        "state": "CASE WHEN n % 100 = 0 THEN 'waiting' ELSE 'approved' END",
        "asked_at": at,
        "decided_at": f"CASE WHEN n % 100 <> 0 THEN {at} + interval '2 hours' END",
    },
)
multiply("warehouse_exception_action", CASES, {"case_id": f"{first} + n % {CASES}", "state": "'done'"})
env.cr.execute("ANALYZE warehouse_exception_case; ANALYZE warehouse_exception_step; ANALYZE warehouse_exception_approval")
env.cr.execute("ANALYZE warehouse_exception_action")
env.invalidate_all()

user = env.ref("warehouse_exception.demo_user_operations")
cases = env["warehouse.exception.case"].with_user(user)
facts = env["warehouse.exception.report"].with_user(user)
# As a site would have it: some responses touch money.
type(env["warehouse.exception.action"])._financial_kinds = lambda self: {"accept"}
unfinished = [("state", "not in", ("closed", "rejected", "cancelled"))]
bar = {"field": "age", "colors": {"overdue": "danger", "ageing": "warning", "fresh": "success"}}
shown = dict.fromkeys(
    "name exception_type state product_id location_id age age_color thumbnail_id photo_summary waits_for amount_at_stake".split(), {}
)
measures = "__count hours_to_end:avg deadline_met:avg overdue:sum recurrent:sum amount_at_stake:sum amount_settled:sum".split()
baseline = env["warehouse.exception.baseline"].search([], limit=1)
WORK = {
    "board: columns": lambda: cases.formatted_read_group(unfinished, ["state"], ["__count", "amount_at_stake:sum"]),
    "board: bars": lambda: cases.read_progress_bar(unfinished, "state", bar),
    "list: 80 cases": lambda: cases.web_search_read(unfinished, shown, limit=80, count_limit=10_001),
    "filter: overdue": lambda: cases.search_count([("age", "=", "overdue")]),
    "my approvals": lambda: env["warehouse.exception.approval"].with_user(user).search([("can_decide", "=", True)], limit=80),
    "map of the floor": lambda: cases.formatted_read_group([], ["location_id", "reason_code"], ["__count", "amount_at_stake:sum"]),
    "analysis: all measures by kind": lambda: facts.formatted_read_group([], ["exception_type"], measures),
    "analysis: by week and kind": lambda: facts.formatted_read_group([], ["received_at:week", "exception_type"], ["__count"]),
    "analysis: reason x supplier x bin": lambda: facts.formatted_read_group([], ["reason_code", "supplier_id", "location_id"], ["__count"]),
    "approval analysis": lambda: env["warehouse.exception.report.approval"].with_user(user).formatted_read_group([], ["step"], ["__count", "hours:avg"]),
    "pareto": lambda: env["warehouse.exception.pareto"].with_user(user).search_read([], limit=80),
    "baseline: one period": lambda: baseline._figures(baseline.date_from, baseline.compare_to),
}
for name, work in WORK.items():
    times = []
    for _again in range(3):
        env.invalidate_all()
        begun, asked = time.perf_counter(), cr.sql_log_count
        work()
        times.append(1000 * (time.perf_counter() - begun))
    print(f"MEASURED {name}: {min(times):.0f} ms, {cr.sql_log_count - asked} queries")
cr.rollback()
