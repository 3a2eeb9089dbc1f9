"""The kernel drops what nobody reads in time, and says so (SYN_DROPPED); a grab must not leave a key held down behind."""

from lab.bench import case

KEY_A = 30


@case
def events_that_the_kernel_dropped_spoil_one_code_and_the_next_is_whole(bench):
    typist = bench.typist("dropped")
    bench.agent.start({"name": "dropped", "kind": "evdev", "path": typist.node})
    bench.agent.until_scanner("dropped")
    bench.agent.signal("STOP")
    # Far more events than the kernel keeps for a reader (64 and some).
    typist.type("BEGINNING-" + "0123456789" * 6)
    bench.agent.signal("CONT")
    typist.type("-END\n")
    bench.agent.until_scans(1)
    typist.type("THE-NEXT-ONE\n")
    scans = bench.agent.until_scans(2)
    assert len(scans) == 2 and scans[0][1] and scans[0][0].endswith("-END"), f"not told to scan again: {scans}"
    assert scans[1] == ("THE-NEXT-ONE", False), f"the code after it is spoilt too: {scans[1]}"


@case
def a_flood_of_keys_is_survived(bench):
    typist = bench.typist("flood")
    bench.agent.start({"name": "flood", "kind": "evdev", "path": typist.node})
    bench.agent.until_scanner("flood")
    typist.order("burst 5000")
    typist.finish()
    typist.type("\n")
    before = len(bench.agent.until_scans(1))
    typist.type("AFTER-THE-FLOOD\n")
    scans = bench.agent.until_scans(before + 1)
    assert scans[-1] == ("AFTER-THE-FLOOD", False), scans[-1]


@case
def autorepeat_is_no_character(bench):
    typist = bench.typist("repeat")
    bench.agent.start({"name": "repeat", "kind": "evdev", "path": typist.node})
    bench.agent.until_scanner("repeat")
    for order in ("hold", "repeat", "repeat", "repeat", "release"):
        typist.order(f"{order} {KEY_A}")
    typist.type("-ONCE\n")
    scans = bench.agent.until_scans(1)
    assert scans == [("a-ONCE", False)], scans


@case
def a_scanner_is_grabbed_only_when_no_key_is_down(bench):
    """Otherwise the desktop never hears that the key came up, and repeats it for ever."""
    typist = bench.typist("held")
    desktop = bench.watch("held", typist.node)
    typist.order(f"hold {KEY_A}")
    typist.finish()
    bench.agent.start({"name": "held", "kind": "evdev", "path": typist.node})
    bench.agent.until_held("held", "waiting")
    typist.order(f"release {KEY_A}")
    bench.agent.until_held("held", "grabbed")
    typist.type("SECRET\n")
    assert bench.agent.until_scans(1)[-1][0].endswith("SECRET")
    assert desktop.stop() == ["KEY_A"], "the second reader saw more than the key that was held before the grab"
