"""Scanners on a USB cable: QEMU's, with the kernel's real drivers in between."""

import time

from lab.bench import DESK_BY_ID, SERIAL_BY_ID, WEDGE_BY_ID, case, figure

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
    scans = bench.agent.until_scans(len(codes))
    assert second.stop() == [], "a second reader saw keys of a grabbed scanner"
    assert desk.stop() == [f"KEY_{key}" for key in ("D", "E", "S", "K", "ENTER")], "the operator's keyboard is not free"
    expect(scans, codes)


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
    expect(scans, codes)


def expect(scans, codes):
    """Every code came, whole, once, in order."""
    assert scans == [(code, False) for code in codes], difference(scans, codes)


def difference(scans, codes):
    wrong = [f"{scan!r} instead of {code!r}" for scan, code in zip(scans, codes) if scan != (code, False)]
    return f"{len(scans)} codes instead of {len(codes)}; " + "; ".join(wrong[:3])
