"""What tests say of the scans that came."""


def whole(scans, codes):
    """Every code came, whole, once, in order."""
    wanted = [(code, False) for code in codes]
    assert scans == wanted, difference(scans, wanted)


def of(scans, prefix):
    """The scans of one scanner, whose codes all begin with its prefix."""
    return [scan for scan in scans if scan[0].startswith(prefix)]


def difference(scans, wanted):
    wrong = [f"{scan!r} instead of {code!r}" for scan, code in zip(scans, wanted) if scan != code]
    return f"{len(scans)} codes instead of {len(wanted)}; " + "; ".join(wrong[:3])
