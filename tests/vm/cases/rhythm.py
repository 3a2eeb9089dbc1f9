"""The last resort: every keyboard that types faster than a human is a scanner."""

from lab.bench import case

ANY = {"name": "any", "kind": "evdev", "any": True}
# Key strokes of a person: far apart.
BY_HAND = 14


@case
def a_keyboard_faster_than_a_human_is_grabbed_and_a_persons_own_stays_usable(bench):
    scanner, person = bench.typist("scanner", "1eab:0002"), bench.typist("person", "1eab:0003")
    bench.agent.start(ANY)
    bench.agent.until_held("any", "watched", scanner.node)
    bench.agent.until_held("any", "watched", person.node)
    desktop = bench.watch("person", person.node)
    person.type("by hand\n", BY_HAND)
    scanner.type("FIRST-SCAN\n")
    bench.agent.until_held("any", "grabbed", scanner.node)
    second = bench.watch("scanner", scanner.node)
    scanner.type("SECOND-SCAN\n")
    scans = bench.agent.until_scans(2)
    person.type("still\n", BY_HAND)
    assert scans == [("FIRST-SCAN", False), ("SECOND-SCAN", False)], scans
    assert second.stop() == [], "a second reader saw keys of a grabbed scanner"
    assert len(desktop.stop()) == len("by hand\nstill\n"), "the person's keyboard is not free"
    bench.agent.until_held("any", "watched", person.node)
    assert len(bench.agent.scans()) == 2, f"what a person typed became a scan: {bench.agent.scans()}"
