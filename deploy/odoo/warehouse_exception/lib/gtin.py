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


def short_forms(gtin):
    """The eight digits of UPC-E that expand to the canonical `gtin`, which master data may hold in its place.

    Mostly one or none; where the maker's part of the number ends in zeros, several say the same.
    """
    if not gtin.startswith("000"):
        return []
    maker, item, check = gtin[3:8], gtin[8:13], gtin[13]
    suppressed = []
    if maker[2] in "012" and maker[3:] == "00" and item[:2] == "00":
        suppressed.append(maker[:2] + item[2:] + maker[2])
    if maker[3:] == "00" and item[:3] == "000":
        suppressed.append(maker[:3] + item[3:] + "3")
    if maker[4] == "0" and item[:4] == "0000":
        suppressed.append(maker[:4] + item[4] + "4")
    if item[:4] == "0000" and item[4] in "56789":
        suppressed.append(maker + item[4])
    return [f"0{digits}{check}" for digits in suppressed]


def _check_digit(digits):
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return str(-weighted % 10)
