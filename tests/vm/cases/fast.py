"""As fast as a USB keyboard can be, a report each millisecond, or as near to it as the emulated machine comes."""

from lab.bench import case, figure, label

from . import expect

RATE = 1000
LENGTH = 50


@case
def three_fast_scanners_at_once_lose_and_mix_nothing(bench):
    figure(type_on_three(bench, labels=100))


@case
def three_fast_scanners_lose_nothing_beside_programs_that_want_all_of_the_processor(bench):
    """A browser that draws a page, an update that unpacks: the kernel keeps 21 ms of a scanner for a reader that waits."""
    for number in range(3):
        bench.guest.start(f"busy-{number}", "/bin/sh -c 'while :; do :; done'")
    figure(type_on_three(bench, labels=40))


def type_on_three(bench, labels):
    """Three scanners at full speed; what they did, for people to read."""
    names = ("A", "B", "C")
    typists = {name: bench.typist(name) for name in names}
    bench.agent.start(*({"name": name, "kind": "evdev", "path": typist.node} for name, typist in typists.items()))
    for name in names:
        bench.agent.until_scanner(name)
    bench.order({typist: f"labels {RATE} {name} {labels} {LENGTH}" for name, typist in typists.items()})
    gaps = [typist.finish()["median_gap_us"] for typist in typists.values()]
    scans = bench.agent.until_scans(labels * len(names))
    for name in names:
        expect.whole(expect.of(scans, name), [label(name, number, LENGTH) for number in range(labels)])
    assert len(scans) == labels * len(names), f"{len(scans)} codes came"
    # The median: a host that was held up now and then held up the scanners too.
    assert all(gap < 1.05e6 / RATE for gap in gaps), f"they typed more slowly than scanners: {gaps}"
    return f"3 scanners, {labels} labels of {LENGTH} characters each, a report every {max(gaps)} us"


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
