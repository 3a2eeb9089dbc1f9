"""How many events a second an Odoo here takes. To be run by `root.sh shell DB < bench_ingest.py`; changes nothing in
process, and leaves events behind on the server that BENCH_URL names.

    in process    batches of 50 received, beside a bare `create` of the same records
    on a server   batches of 50 from several devices at once, over HTTP (`suite.sh bench` starts one with 2 workers)
"""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from odoo.addons.warehouse_exception.tests import speed
from odoo.addons.warehouse_exception.tests.site import Site, post

BATCH, CLIENTS, BATCHES = 50, 4, 10


def in_process(env):
    with speed.undone(env):
        found = speed.compare(Site(env, "bench"), BATCH)
    for name, (odoo, postgres) in found._asdict().items():
        both = (odoo + postgres) / BATCH
        print(f"in process, {name}: {both * 1000:.2f} ms of computing an event (Odoo {odoo / BATCH * 1000:.2f}, "
              f"PostgreSQL {postgres / BATCH * 1000:.2f}): {1 / both:.0f} events/s a core")
    print(f"in process: ratio {found.ratio:.2f}")


def on_server(env, url):
    sites = [Site(env, f"bench-{time.time_ns()}-{number}") for number in range(CLIENTS)]
    stock = speed.Stock(sites[0], BATCH, sites[0].handheld.uuid[:8])
    env.cr.commit()
    work = []
    for site in sites:
        batches = [stock.events(site.handheld, BATCH, new=str(number)) for number in range(BATCHES)]
        work.append((site, batches))

    def send(one):
        site, batches = one
        took = []
        for batch in batches:
            began = time.perf_counter()
            reply = post(url, site, batch)
            took.append(time.perf_counter() - began)
            assert reply.status == 200, reply
            assert {result["status"] for result in reply.body["results"]} == {"created"}, reply
        return took

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        took = [seconds for one in pool.map(send, work) for seconds in one]
    seconds = time.perf_counter() - began
    events = CLIENTS * BATCHES * BATCH
    print(f"on a server: {events / seconds:.0f} events/s, {events} in {seconds:.1f} s from {CLIENTS} devices; "
          f"a batch takes {statistics.median(took) * 1000:.0f} ms (median), {max(took) * 1000:.0f} ms (longest)")


in_process(env)  # noqa: F821 - the shell's
if os.environ.get("BENCH_URL"):
    on_server(env, os.environ["BENCH_URL"])  # noqa: F821
