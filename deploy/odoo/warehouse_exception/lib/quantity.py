"""Quantities in words: as short as they can be, and never rounded further than the wire's six decimals."""


def plain(quantity):
    """2.0 is '2', 0.25 is '0.25'."""
    text = f"{quantity:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
