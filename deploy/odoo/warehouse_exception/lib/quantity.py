"""Quantities for people and for the wire: as decimal text, without zeros that say nothing and never as 1e+06."""


def text(quantity):
    """`quantity` with at most six decimals, which is all that the wire has."""
    found = f"{quantity:.6f}".rstrip("0").rstrip(".")
    return "0" if found == "-0" else found
