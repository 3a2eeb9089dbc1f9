"""The agent stands still while scans come."""

import time

from lab.bench import case

from . import expect
from .plugged import SERIAL


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
