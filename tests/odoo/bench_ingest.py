"""How many events a second an Odoo here takes. `suite.sh bench` runs it by `root.sh shell`, with the line
SERVED = "http://127.0.0.1:PORT" in front of it; without that line, only what is measured in process.

    in process    batches of 50 received, beside a bare `create` of the same records; nothing is kept
    on a server   batches of 50 from several devices at once, over HTTP; what was sent stays in the database

The time in which Odoo and PostgreSQL computed is printed beside the time on the wall, for a machine that does other
things meanwhile.
"""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from odoo.tools import SQL

from odoo.addons.warehouse_exception.tests import speed
from odoo.addons.warehouse_exception.tests.site import Site, post

BATCH, CLIENTS, BATCHES = 50, 4, 10
env = globals()["env"]  # the shell's


def in_process(env):
    with speed.undone(env):
        found = speed.compare(Site(env, "bench"), BATCH)
    for name, (odoo, postgres) in found._asdict().items():
        both = (odoo + postgres) / BATCH
        print(f"in process, {name}: {both * 1000:.2f} ms of computing an event (Odoo {odoo / BATCH * 1000:.2f}, "
              f"PostgreSQL {postgres / BATCH * 1000:.2f}): {1 / both:.0f} events/s a core")
    print(f"in process: ratio {found.ratio:.2f}")


def busy_on_server(env):
    """Seconds that Odoo's processes and the PostgreSQL backends of this database have computed so far."""
    backends = env.execute_query(SQL("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"))
    served = f"--database\0{env.cr.dbname}\0".encode()
    odoos = (int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if served in read(path))
    pids = {pid for (pid,) in backends} | set(odoos) - {os.getpid()}
    stats = (read(Path(f"/proc/{pid}/stat")).rpartition(b") ")[2].split() for pid in pids)
    return sum(int(stat[11]) + int(stat[12]) for stat in stats if stat) / os.sysconf("SC_CLK_TCK")


def read(path):
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def on_server(env, url):
    sites = [Site(env, f"bench-{time.time_ns()}-{number}") for number in range(CLIENTS)]
    stock = speed.Stock(sites[0], BATCH)
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

    send((sites[0], [stock.events(sites[0].handheld, BATCH, new="warm")]))
    before, began = busy_on_server(env), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        took = [seconds for one in pool.map(send, work) for seconds in one]
    seconds = time.perf_counter() - began
    busy = busy_on_server(env) - before
    events = CLIENTS * BATCHES * BATCH
    print(f"on a server: {events / seconds:.0f} events/s, {events} in {seconds:.1f} s from {CLIENTS} devices; "
          f"a batch takes {statistics.median(took) * 1000:.0f} ms (median), {max(took) * 1000:.0f} ms (longest)")
    print(f"on a server: {busy / events * 1000:.2f} ms of computing an event, jobs that respond to them included: "
          f"{2 * events / busy:.0f} events/s on two cores that do nothing else")


in_process(env)
if "SERVED" in globals():
    on_server(env, globals()["SERVED"])
