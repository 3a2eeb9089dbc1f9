"""GTINs have one identity and several widths: 8, 12, 13 or 14 digits, filled up with zeros."""

import re

_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}", re.ASCII)
_WIDTHS = (14, 13, 12, 8)


def canonical(code):
    """The GTIN-14 that `code` spells, or None when it is no GTIN."""
    if not _GTIN.fullmatch(code):
        return None
    digits = code.zfill(14)
    return digits if digits.strip("0") and _check_digit(digits[:13]) == digits[13] else None


def spellings(gtin):
    """Each way in which a master record may have written the canonical `gtin`."""
    return [gtin[14 - width :] for width in _WIDTHS if gtin[: 14 - width].strip("0") == ""]


def _check_digit(digits):
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return str(-weighted % 10)
