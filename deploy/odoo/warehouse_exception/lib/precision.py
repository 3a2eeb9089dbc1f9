"""How exact a time is, for people: rounded up, because a promise must not be better than what is known."""

# From how many milliseconds on a unit is used, how long it is, its name. One minute is better told as 60 s.
_UNITS = (
    (0, 1, "ms"),
    (1_000, 1_000, "s"),
    (120_000, 60_000, "min"),
    (7_200_000, 3_600_000, "h"),
    (172_800_000, 86_400_000, "d"),
)


def rough(milliseconds):
    """A duration that isn't negative, in a unit that suits it: 2300 is '3 s'."""
    _least, length, unit = max(row for row in _UNITS if row[0] <= milliseconds)
    return f"{-(-milliseconds // length)} {unit}"


def exact(milliseconds):
    """A correction with its sign, in seconds: 1200 is '+1.2 s'."""
    return f"{milliseconds / 1000:+,.3f}".rstrip("0").rstrip(".") + " s"
