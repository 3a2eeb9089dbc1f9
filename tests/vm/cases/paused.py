"""The agent stands still while scans come, or the whole machine sleeps."""

import time

from lab.bench import WEDGE_BY_ID, case

from . import expect
from .plugged import SERIAL, WEDGE


@case
def what_is_scanned_while_the_agent_stands_still_is_read_afterwards(bench):
    bench.plug_serial()
    typist = bench.typist("paused")
    bench.agent.start(SERIAL, {"name": "paused", "kind": "evdev", "path": typist.node})
    bench.agent.until_scanner("serial")
    bench.agent.until_scanner("paused")
    sent = [f"S-{number:02}\x1dwaits" for number in range(40)]
    bench.agent.signal("STOP")
    # The kernel keeps 64 events of a keyboard: three a report, two reports a character without Shift.
    typist.type("k-waits\n")
    with bench.machine.serial_line() as line:
        line.sendall("".join(code + "\r" for code in sent).encode())
        time.sleep(1)
        bench.agent.signal("CONT")
        scans = bench.agent.until_scans(len(sent) + 1)
    expect.whole(expect.of(scans, "S-"), sent)
    expect.whole(expect.of(scans, "k-"), ["k-waits"])


@case
def after_a_sleep_of_the_whole_machine_every_scanner_is_read_and_half_a_code_is_not_joined_to_the_next(bench):
    bench.plug_wedge()
    bench.plug_serial()
    typist = bench.typist("sleep")
    bench.agent.start(WEDGE, SERIAL, {"name": "sleep", "kind": "evdev", "path": typist.node})
    for name in ("wedge", "serial", "sleep"):
        bench.agent.until_scanner(name)
    before = bench.agent.pid()
    typist.type("HALF-A-CO")
    bench.machine.sleep()
    for name in ("wedge", "serial", "sleep"):
        bench.agent.until_scanner(name)
    second = bench.watch("sleep", WEDGE_BY_ID)
    bench.agent.until_scans(1)
    typist.type("K-after\n")
    bench.wedge.type("W-after\r")
    with bench.machine.serial_line() as line:
        line.sendall(b"S-after\r")
        scans = bench.agent.until_scans(4)
    assert sorted(scans) == [("HALF-A-CO", True), ("K-after", False), ("S-after", False), ("W-after", False)], scans
    assert second.stop() == [], "a second reader saw keys of a grabbed scanner"
    assert bench.agent.pid() == before, "the agent was started anew"
