"""As fast as a USB keyboard can be, a report each millisecond, or as near to it as the emulated machine comes."""

from lab.bench import case, figure, label

from . import expect

RATE = 1000
LENGTH = 50


NAMES = ("A", "B", "C")


@case
def three_usb_keyboards_at_full_speed_lose_and_mix_nothing(bench):
    """Through the kernel's own USB and HID drivers."""
    bench.gadget.plug()
    start(bench, {name: bench.gadget.keyboard(number) for number, name in enumerate(NAMES)})
    said = bench.gadget.type(["".join(code + "\r" for code in labels(name, 100)) for name in NAMES], RATE)
    whole(bench, 100)
    at_full_speed(100, said["median_gap_us"])


@case
def three_scanners_at_full_speed_lose_nothing_beside_programs_that_want_all_of_the_processor(bench):
    """A browser that draws a page, an update that unpacks: the kernel keeps 21 ms of a scanner for a reader that waits."""
    for number in range(3):
        bench.guest.start(f"busy-{number}", "/bin/sh -c 'while :; do :; done'")
    typists = {name: bench.typist(name) for name in NAMES}
    start(bench, {name: typist.node for name, typist in typists.items()})
    bench.order({typist: f"labels {RATE} {name} 40 {LENGTH}" for name, typist in typists.items()})
    gap = max(typist.finish()["median_gap_us"] for typist in typists.values())
    whole(bench, 40)
    at_full_speed(40, gap)


def at_full_speed(count, gap):
    figure(f"3 scanners, {count} labels of {LENGTH} characters on each, a report every {gap} us")
    # The median: a host that was held up now and then held up the scanners too.
    assert gap < 1.05e6 / RATE, f"they typed more slowly than scanners: a report every {gap} us"


def start(bench, nodes):
    bench.agent.start(*({"name": name, "kind": "evdev", "path": node} for name, node in nodes.items()))
    for name in nodes:
        bench.agent.until_scanner(name)


def labels(name, count):
    return [label(name, number, LENGTH) for number in range(count)]


def whole(bench, count):
    """All labels of all three came."""
    scans = bench.agent.until_scans(count * len(NAMES))
    for name in NAMES:
        expect.whole(expect.of(scans, name), labels(name, count))
    assert len(scans) == count * len(NAMES), f"{len(scans)} codes came"


@case
def the_softwares_own_share_of_the_time_is_measured_from_the_kernels_time_stamps(bench):
    """A thousand scans that make reports: badge once, then bin, item, EMPTY, DONE."""
    reports = 300
    typist = bench.typist("latency")
    bench.agent.start({"name": "latency", "kind": "evdev", "path": typist.node}, log="info")
    bench.agent.until_scanner("latency")
    before = bench.agent.status()
    typist.type("EMP-7\n", RATE)
    typist.order(f'again {RATE} {reports} "BIN-1\\n4006381333931\\nTM-EMPTY\\nTM-DONE\\n"')
    typist.finish()
    status = bench.agent.until_status(
        "all reports to be made", lambda status: status["latency"]["read_to_journal"]["count"] >= reports
    )
    made = sum(status[state] - before[state] for state in ("pending", "parked", "delivered"))
    for stretch, measured in status["latency"].items():
        words = f"{stretch.replace('_', ' ')}: {measured['count']} times"
        figure(f"{words}, p50 {measured['p50_us']} us, p99 {measured['p99_us']} us, max {measured['max_us']} us")
    latency = status["latency"]
    assert made == reports, f"{made} reports instead of {reports}"
    assert latency["kernel_to_understood"]["count"] == 1 + 4 * reports, "scans were lost"
    assert latency["kernel_to_journal"]["count"] == reports
    # The guest's clock counts instructions, so this doesn't depend on how busy the host is.
    assert latency["kernel_to_journal"]["p50_us"] < 1000, "the agent takes longer than a millisecond for a report"
