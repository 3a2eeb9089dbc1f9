"""Quantities for people and for the wire: as decimal text, without zeros that say nothing and never as 1e+06."""


def plain(quantity):
    """2.0 is '2', 0.25 is '0.25'; at most six decimals, which is all that the wire has."""
    text = f"{quantity:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
