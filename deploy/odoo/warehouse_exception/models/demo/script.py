"""What happens in the demo, line by line: one case each. Hours count back from the day that the demo is installed."""

DEVICES = [("DOCK-01", 0.1, "Rugged 10"), ("PICK-07", 0.4, "Wrist 3"), ("COUNT-02", 30, "Rugged 10")]

TEAMS = {
    **dict.fromkeys(("receiving_discrepancy", "overage", "return_discrepancy"), "dock"),
    **dict.fromkeys(("pick_shortage", "cycle_count_variance", "location_mismatch"), "control"),
    **dict.fromkeys(("damaged", "quality_hold", "blocked_stock"), "quality"),
}

TEA, PUMP, SENSOR, PAINT, GLOVES, YOGURT = (f"290000000000{n}" for n in "0 1 2 3 4 5".split())
ALL_THE_WAY = "take submit approve execute close"


def _line(kind, hours_ago, item=None, place=None, counted=None, expected=None, reason=None, walk="", **more):
    data = {}
    if item:
        data["item"] = {"code": item, **({"lot": more.pop("lot")} if "lot" in more else {})}
    if place:
        data["bin"] = {"code": place}
    if "document" in more:
        data["document"] = {"code": more.pop("document")}
    quantity = {name: str(value) for name, value in (("expected", expected), ("counted", counted)) if value is not None}
    if quantity:
        data["quantity"] = quantity
    if reason:
        data["reason"] = reason
    if "note" in more:
        data["note"] = more.pop("note")
    return {"kind": kind, "hours_ago": hours_ago, "data": data, "walk": walk, **more}


CASES = [
    # Looking back: closed ones, for the analysis.
    _line("receiving_discrepancy", 1200, TEA, None, 108, 120, "short_delivery", ALL_THE_WAY, document="DEMO/IN/001",
          cause="delivered_short_by_the_supplier", took=60, offline=240),
    _line("pick_shortage", 1180, TEA, "DEMO-A-01", 4, 12, "fewer_than_expected", ALL_THE_WAY,
          cause="picked_from_the_wrong_bin", took=30),
    _line("damaged", 1010, PAINT, "DEMO-C-01", 3, None, "box_crushed",
          "take submit approve execute scrap submit approve execute close", photos=2,
          cause="damaged_in_the_warehouse", took=70),
    _line("cycle_count_variance", 900, GLOVES, "DEMO-C-02", 380, 400, "fewer_than_expected", ALL_THE_WAY,
          cause="counted_wrongly", took=26),
    _line("pick_shortage", 610, TEA, "DEMO-A-01", 0, 8, "bin_empty", ALL_THE_WAY,
          cause="put_away_into_the_wrong_bin", took=12),
    _line("receiving_discrepancy", 520, TEA, None, 115, 120, "short_delivery", ALL_THE_WAY, document="DEMO/IN/001",
          cause="delivered_short_by_the_supplier", took=20, offline=35),
    _line("overage", 430, GLOVES, "DEMO-C-02", 420, 400, "over_delivery", ALL_THE_WAY, propose="accept",
          cause="delivered_too_much_by_the_supplier", took=18),
    _line("location_mismatch", 380, SENSOR, "DEMO-B-02", None, None, "wrong_bin", ALL_THE_WAY,
          cause="put_away_into_the_wrong_bin", took=9),
    _line("return_discrepancy", 300, PUMP, None, 1, 2, "wrong_item", "take submit refuse", took=22,
          why="The customer found the second one."),
    _line("pick_shortage", 210, TEA, "DEMO-A-01", 6, 8, "fewer_than_expected", ALL_THE_WAY,
          cause="put_away_into_the_wrong_bin", took=6),
    _line("quality_hold", 160, PAINT, "DEMO-C-01", None, None, "colour_differs", ALL_THE_WAY, propose="release",
          proposal="A label of another batch: nothing is wrong.", took=3),
    # What is on people's desks.
    _line("receiving_discrepancy", 40, PUMP, None, 8, 10, "short_delivery", "take submit", document="DEMO/IN/001", photos=2,
          cause="delivered_short_by_the_supplier", note="Two crates were missing on the lorry. The driver signed for eight."),
    _line("damaged", 30, SENSOR, "DEMO-B-02", 6, None, "box_crushed", "take submit approve_first", photos=3,
          cause="damaged_in_transport", note="The forklift hit the corner of the pallet."),
    _line("cycle_count_variance", 26, PUMP, "DEMO-B-01", 11, 14, "fewer_than_expected", "take submit",
          cause="theft_or_loss"),
    _line("pick_shortage", 22, TEA, "DEMO-A-02", 30, 40, "fewer_than_expected", "take", document="DEMO/OUT/001"),
    _line("pick_shortage", 7, GLOVES, "DEMO-C-02", 45, 50, "fewer_than_expected", "take submit"),
    _line("overage", 9, TEA, "DEMO-A-02", 44, 40, "over_delivery", "take submit"),
    _line("cycle_count_variance", 6, GLOVES, "DEMO-C-02", 396, 400, "fewer_than_expected", "take submit"),
    _line("blocked_stock", 5, YOGURT, "DEMO-A-03", None, None, "expired", "", lot="Y-2201", photos=1),
    _line("quality_hold", 20, SENSOR, "DEMO-B-02", None, None, "seal_broken", "take", photos=1),
    _line("location_mismatch", 4, TEA, "DEMO-B-01", None, None, "wrong_bin", ""),
    _line("return_discrepancy", 3, SENSOR, None, 3, 5, "fewer_than_expected", "take submit send_back",
          why="Is the rest still on the carrier's lorry? Please ask."),
    _line("overage", 2, "4099999999993", "DEMO-X-99", 3, None, "not_found", "", note="No idea what this is."),
    _line("damaged", 1, PAINT, "DEMO-C-01", 2, None, "leaking", "", photos=2, missing=1),
    _line("pick_shortage", 0.5, PUMP, "DEMO-B-01", 1, 2, "bin_empty", "", document="DEMO/OUT/001"),
] 
