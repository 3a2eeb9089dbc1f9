"""A handheld lies on a shelf for most of its day: what the agent takes of its battery then."""

import time

from lab.bench import case, figure

from .plugged import SERIAL, WEDGE

SECONDS = 30
# Threads of the index's library, which look for work once a second whatever we do (docs/adr/0003).
INDEX = "sled-io"


@case
def an_idle_agent_with_three_scanners_wakes_up_for_nothing(bench):
    bench.plug_wedge()
    bench.plug_serial()
    typist = bench.typist("idle")
    bench.agent.start(WEDGE, SERIAL, {"name": "idle", "kind": "evdev", "path": typist.node}, log="info")
    for name in ("wedge", "serial", "idle"):
        bench.agent.until_scanner(name)
    # What the start has left to do, and the connection of the question above.
    time.sleep(3)
    before, cpu = bench.agent.waits(), bench.agent.cpu()
    time.sleep(SECONDS)
    cpu, after = bench.agent.cpu() - cpu, bench.agent.waits()
    woken = {thread: after[thread] - before.get(thread, 0) for thread in after}
    index = sum(count for (_, name), count in woken.items() if name.startswith(INDEX))
    own = sum(woken.values()) - index
    figure(f"{cpu / SECONDS:.3%} of a processor; {own} wake-ups in {SECONDS} s, and {index} of the index's library")
    assert own < SECONDS, f"it wakes up again and again: {woken}"
    assert cpu / SECONDS < 0.001, f"it takes {cpu:.3f} s of {SECONDS} s"
