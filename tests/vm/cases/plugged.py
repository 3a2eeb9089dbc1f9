"""Scanners on a USB cable: QEMU's, with the kernel's real drivers in between."""

import time

from lab.bench import DESK_BY_ID, SERIAL_BY_ID, WEDGE_BY_ID, case, figure

from . import expect

WEDGE = {"name": "wedge", "kind": "evdev", "path": WEDGE_BY_ID}
SERIAL = {"name": "serial", "kind": "serial", "path": SERIAL_BY_ID, "baud": 115200, "terminator": "cr"}


@case
def a_usb_keyboard_scanner_is_read_whole_and_nobody_else_sees_it(bench):
    bench.plug_wedge()
    bench.agent.start(WEDGE)
    bench.agent.until_scanner("wedge")
    second, desk = bench.watch("wedge", WEDGE_BY_ID), bench.watch("desk", DESK_BY_ID)
    codes = ["PALLET-0001-aZ/9", "LOT L42\x1dSN.7", "{x} #4 @5 ~_~"]
    for code in codes:
        bench.wedge.type(code + "\r")
    bench.desk.type("desk\r")
    expect.whole(bench.agent.until_scans(len(codes)), codes)
    assert second.stop() == [], "a second reader saw keys of a grabbed scanner"
    assert desk.stop() == [f"KEY_{key}" for key in ("D", "E", "S", "K", "ENTER")], "the operator's keyboard is not free"


@case
def a_usb_serial_scanner_is_read_whole_at_full_speed(bench):
    bench.plug_serial()
    bench.agent.start(SERIAL)
    bench.agent.until_scanner("serial")
    codes = [f"S-{number:04}-\x1d{'x' * (number % 80)}\x1d.{number * 7919}" for number in range(500)]
    data = "".join(code + "\r" for code in codes).encode()
    started = time.monotonic()
    with bench.machine.serial_line() as line:
        line.sendall(data)
        scans = bench.agent.until_scans(len(codes), 120)
    figure(f"{len(data)} bytes in {len(codes)} codes, read in {time.monotonic() - started:.1f} s")
    expect.whole(scans, codes)


@case
def two_scanners_that_type_at_once_are_not_mixed(bench):
    bench.plug_wedge()
    bench.plug_serial()
    bench.agent.start(WEDGE, SERIAL)
    bench.agent.until_scanner("wedge")
    bench.agent.until_scanner("serial")
    typed = [f"W-{number:02}-keyboard" for number in range(5)]
    # Behind the separator comes no digit: it would be taken for the identifier of a GS1 element.
    sent = [f"S-{number:02}-line\x1d.{number * 7919}" for number in range(40)]
    keys, data = "".join(code + "\r" for code in typed), "".join(code + "\r" for code in sent).encode()
    share = -(-len(data) // len(keys))
    with bench.machine.serial_line() as line:
        for place, key in enumerate(keys):
            bench.wedge.type(key)
            line.sendall(data[place * share : (place + 1) * share])
        scans = bench.agent.until_scans(len(typed) + len(sent))
    expect.whole(expect.of(scans, "W-"), typed)
    expect.whole(expect.of(scans, "S-"), sent)


@case
def a_keyboard_scanner_unplugged_in_a_code_leaves_a_partial_one_and_works_again_when_it_is_back(bench):
    bench.plug_wedge(port="2")
    bench.agent.start(WEDGE)
    bench.agent.until_scanner("wedge")
    before = bench.agent.pid()
    bench.wedge.type("HALF-A-CO")
    bench.unplug_wedge()
    bench.agent.until_scanner("wedge", connected=False)
    idles_without(bench)
    bench.plug_wedge(port="4")
    bench.agent.until_scanner("wedge")
    bench.wedge.type("A-WHOLE-CODE\r")
    scans = bench.agent.until_scans(2)
    assert scans == [("HALF-A-CO", True), ("A-WHOLE-CODE", False)], scans
    assert bench.agent.pid() == before, "the agent was started anew"


@case
def a_serial_scanner_unplugged_in_a_code_leaves_a_partial_one_and_works_again_when_it_is_back(bench):
    bench.plug_serial(port="3")
    bench.agent.start(SERIAL)
    bench.agent.until_scanner("serial")
    before = bench.agent.pid()
    with bench.machine.serial_line() as line:
        line.sendall(b"ONE\rHALF-A-CO")
        bench.agent.until_scans(1)
        bench.unplug_serial()
    bench.agent.until_scanner("serial", connected=False)
    idles_without(bench)
    bench.plug_serial(port="5")
    bench.agent.until_scanner("serial")
    with bench.machine.serial_line() as line:
        line.sendall(b"A-WHOLE-CODE\r")
        scans = bench.agent.until_scans(3)
    assert scans == [("ONE", False), ("HALF-A-CO", True), ("A-WHOLE-CODE", False)], scans
    assert bench.agent.pid() == before, "the agent was started anew"


def idles_without(bench, seconds=3):
    """A device that is gone must not be read in a circle: that would take all of a processor."""
    before = bench.agent.cpu()
    time.sleep(seconds)
    share = (bench.agent.cpu() - before) / seconds
    assert share < 0.5, f"without its scanner the agent takes {share:.0%} of a processor"
