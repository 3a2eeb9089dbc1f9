"""Eight clients and two workers: nothing lost, nothing double, nothing but a receipt or "try again".

`suite.sh concurrency` runs it by `root.sh shell`, with the line SERVED = "http://127.0.0.1:PORT" in front of it. Each
round is posted by threads that start together; a reply of 503 is sent again after the time that it names, as a device does.
The respond job runs on the server's own workers meanwhile. Prints "N passed, M failed" and ends with 1 on a failure.
"""

import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.warehouse_exception.models.base.seal import unsealed
from odoo.addons.warehouse_exception.tests.site import Site, post

CLIENTS, ROUNDS, TRIES = 8, 5, 20
# The jobs that look at what is stored, as Odoo's scheduler calls them.
JOBS = (
    ("case", "_cron_respond"),
    ("escalation", "_cron_escalate"),
    ("hold", "_cron_sweep_expired"),
    ("evidence", "_cron_retain"),
    ("evidence", "_cron_file_evidence"),
    ("event", "_cron_check_chains"),
    ("traffic", "_cron_compact"),
    ("webhook.delivery", "_cron_deliver"),
)
URL = globals().get("SERVED")
RUN = format(time.time_ns(), "x")
env = globals()["env"]
seen = Counter()


class Failed(AssertionError):
    pass


def check(good, what):
    if not good:
        raise Failed(what)


def send(site, texts):
    """Until there are receipts, as a device sends. Anything but 200 and 503 "busy" is a failure."""
    for _try in range(TRIES):
        reply = post(URL, site, texts)
        seen[reply.status] += 1
        if reply.status == 200:
            return reply.body["results"]
        error = reply.body["error"]
        check(reply.status == 503 and error["retryable"] and "Retry-After" in reply.headers, f"{reply}")
        time.sleep(int(reply.headers["Retry-After"]))
    raise Failed("no receipt after many tries")


def together(work):
    """Run these at the same moment; returns what each returned."""
    gate = threading.Barrier(len(work))

    def start(one):
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(start, work))


def fresh():
    """What was committed meanwhile."""
    env.cr.commit()
    env.invalidate_all()


def stored(site):
    fresh()
    return env["warehouse.exception.event"].search([("device_id", "=", site.device.id)])


def cases_named(names):
    """All of them: a search that finds fewer would make every check of them an empty one."""
    fresh()
    cases = env["warehouse.exception.case"].search([("name", "in", list(names))])
    check(len(cases) == len(names), f"{len(cases)} of {len(names)} cases")
    return cases


def place(name):
    """A product on a shelf of its own."""
    code = f"{name}-{RUN}"
    product = env["product.product"].create({"name": code, "barcode": code, "is_storable": True})
    warehouse = env["stock.warehouse"].search([("code", "=", "WH")], limit=1)
    env["stock.location"].create({"name": code, "barcode": f"B{code}", "location_id": warehouse.lot_stock_id.id})
    env.cr.commit()
    return {"item": {"code": product.barcode}, "bin": {"code": f"B{code}"}}


def sites(name, count=CLIENTS):
    made = [Site(env, f"{name}-{RUN}-{number}") for number in range(count)]
    env.cr.commit()
    return made


# --- The cases ------------------------------------------------------------------------------------------------------


def one_event_posted_by_all_at_once_is_one_case():
    [site] = sites("same", 1)
    for number in range(1, ROUNDS + 1):
        text = site.handheld.event()
        results = together([lambda: send(site, [text])] * CLIENTS)
        statuses = Counter(result["status"] for [result] in results)
        check(statuses == {"created": 1, "duplicate": CLIENTS - 1}, statuses)
        check(len({result["case"] for [result] in results}) == 1, results)
        check(len(stored(site)) == number, "an event is there twice, or is lost")


def overlapping_batches_of_one_device_are_stored_once_each():
    [site] = sites("overlap", 1)
    for number in range(1, ROUNDS + 1):
        texts = [site.handheld.event() for _number in range(CLIENTS * 5)]
        windows = [texts[start * 3 : start * 3 + 19] for start in range(CLIENTS)]
        results = together([lambda window=window: send(site, window) for window in windows])
        statuses = {result["status"] for receipts in results for result in receipts}
        check(statuses <= {"created", "duplicate"}, statuses)
        created = Counter(r["digest"] for receipts in results for r in receipts if r["status"] == "created")
        check(set(created.values()) == {1} and len(created) == CLIENTS * 5, "each is created once")
        events = stored(site)
        check(len(events) == len(events.case_id) == number * CLIENTS * 5, "one case an event")
    check({event.chain for event in stored(site)} == {"first", "linked"}, "the chain is whole")


def different_events_of_one_device_at_once_are_all_stored():
    [site] = sites("many", 1)
    texts = [site.handheld.event() for _number in range(ROUNDS * CLIENTS * 10)]
    for start in range(0, len(texts), CLIENTS * 10):
        parts = [texts[start + part * 10 : start + part * 10 + 10] for part in range(CLIENTS)]
        for receipts in together([lambda part=part: send(site, part) for part in parts]):
            check({result["status"] for result in receipts} == {"created"}, receipts)
    check(len(stored(site)) == len(texts), "some are lost")


def one_shortage_from_eight_devices_is_one_case():
    pickers = sites("pickers")
    for number in range(ROUNDS):
        where = place(f"short{number}")
        work = [
            lambda site=site: send(site, [site.handheld.event(**where), site.handheld.event(**where)])
            for site in pickers
        ]
        results = [result for receipts in together(work) for result in receipts]
        check({result["status"] for result in results} == {"created"}, results)
        names = {result["case"] for result in results}
        check(len(names) == 1, f"{len(names)} cases: {names}")
        case = cases_named(names)
        check(case.report_count == 2 * CLIENTS, f"{case.report_count} reports")
        check(len(case.event_ids.filtered(lambda event: not event.is_repeat)) == 1, "one began it")


def eight_devices_with_many_shortages_in_any_order_make_one_case_of_each():
    """In different orders, which a deadlock would need."""
    pickers = sites("crossed")
    where = [place(f"crossed{number}") for number in range(6)]
    work = []
    for number, site in enumerate(pickers):
        turned = where[number % 6 :] + where[: number % 6]
        texts = [site.handheld.event(**one) for one in (turned if number % 2 else reversed(turned))]
        work.append(lambda site=site, texts=texts: send(site, texts))
    results = [result for receipts in together(work) for result in receipts]
    check({result["status"] for result in results} == {"created"}, results)
    check(len({result["case"] for result in results}) == len(where), "one case a shelf")


def each_case_is_responded_to_once_while_events_come_in():
    pickers = sites("busy")
    where = place("busy")
    names = set()
    for _round in range(ROUNDS):
        work = []
        for site in pickers:
            texts = [site.handheld.event("overage", **where) for _number in range(5)] + [site.handheld.event(**where)]
            work.append(lambda site=site, texts=texts: send(site, texts))
        names |= {result["case"] for receipts in together(work) for result in receipts}
    check(len(names) == ROUNDS * CLIENTS * 5 + 1, f"{len(names)} cases")
    cases = cases_named(names)
    until(lambda: not waiting(cases), "the job to respond to all")
    check(not cases.filtered("failure"), cases.mapped("failure"))
    check(all(case.policy_id and case.deadline_at for case in cases), "each has its policy")
    for case in cases:
        opened = case.step_ids.filtered(lambda step: step.to_state == "open")
        check(len(opened) == 1, f"{case.name} was opened {len(opened)} times")
        kinds = Counter(case.action_ids.mapped("kind"))
        check(not kinds or max(kinds.values()) == 1, f"{case.name}: {kinds}")


def jobs_that_two_workers_run_at_once_tell_and_lock_once():
    """Odoo itself runs a job on one worker at a time; a person who presses *Run manually* is a second one."""
    [site] = sites("jobs", 1)
    where = place("jobs")
    names = {r["case"] for r in send(site, [site.handheld.event("overage", **where) for _number in range(50)])}
    cases = cases_named(names)
    until(lambda: not waiting(cases), "the job to respond to all")
    unsealed(cases).write({"deadline_at": fields.Datetime.now() - timedelta(hours=2)})
    lots = expired_lots(site.warehouse, 20)
    env.cr.commit()
    together([run_jobs] * 2)
    fresh()
    told = Counter((each.case_id, each.trigger, each.level) for each in cases.escalation_ids)
    check(set(told.values()) == {1}, f"told more than once: {told}")
    check(cases == cases.escalation_ids.filtered(lambda each: each.trigger == "deadline").case_id, "each is told")
    holds = env["warehouse.exception.hold"].search([("lot_id", "in", lots.ids)])
    check(len(holds) == len(holds.lot_id) == len(lots), f"{len(holds)} holds on {len(lots)} expired lots")


def expired_lots(warehouse, count):
    product = env["product.product"].create(
        {"name": f"EXPIRED-{RUN}", "is_storable": True, "tracking": "lot", "use_expiration_date": True}
    )
    lots = env["stock.lot"].create([{"name": f"{RUN}-{number}", "product_id": product.id} for number in range(count)])
    for lot in lots:
        env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 5, lot_id=lot)
    lots.expiration_date = fields.Datetime.now() - timedelta(days=1)
    return lots


def run_jobs():
    for model, job in JOBS:
        run_job(f"warehouse.exception.{model}", job)


def run_job(model, job):
    """In a transaction of its own. Where it has to give way to another it is run again, as by the scheduler."""
    for _try in range(TRIES):
        try:
            with env.registry.cursor() as cr:
                return getattr(api.Environment(cr, SUPERUSER_ID, {})[model], job)()
        except (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError):
            seen[f"{job} again"] += 1
    raise Failed(f"{job} had to give way {TRIES} times")


def waiting(cases):
    fresh()
    events = env["warehouse.exception.event"]
    return cases.filtered("response_due") or events.search([("case_id", "in", cases.ids), ("response_due", "=", True)])


def until(done, what, seconds=180):
    end = time.monotonic() + seconds
    while not done():
        check(time.monotonic() < end, f"waited for {what}")
        time.sleep(0.5)


TESTS = (
    one_event_posted_by_all_at_once_is_one_case,
    overlapping_batches_of_one_device_are_stored_once_each,
    different_events_of_one_device_at_once_are_all_stored,
    one_shortage_from_eight_devices_is_one_case,
    eight_devices_with_many_shortages_in_any_order_make_one_case_of_each,
    each_case_is_responded_to_once_while_events_come_in,
    jobs_that_two_workers_run_at_once_tell_and_lock_once,
)
failed = 0
for test in TESTS:
    began = time.monotonic()
    try:
        test()
        print(f"ok      {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    except Failed as why:
        failed += 1
        print(f"FAILED  {test.__name__}: {why}", flush=True)
        env.cr.rollback()
print(f"replies by HTTP status, and jobs that gave way: {dict(seen)}")
print(f"{len(TESTS) - failed} passed, {failed} failed", flush=True)
sys.exit(1 if failed else 0)
