"""An event's place in its device's chain (docs/protocol.md, "The event")."""

from typing import NamedTuple

FIRST = f"{1:020d}"
# What the first event of a device names as the digest of the one before it.
NOTHING_BEFORE = "0" * 64


def number_before(sequence):
    return f"{int(sequence) - 1:020d}"


class Place(NamedTuple):
    """One event and what else is known of its chain."""

    id: int
    device_id: int
    is_first: bool
    claims_to_be_first: bool
    has_before: bool
    follows_it: bool
    shares_its_place: bool

    @property
    def verdict(self):
        if self.shares_its_place:
            return "fork"
        if self.is_first != self.claims_to_be_first or (self.has_before and not self.follows_it):
            return "broken"
        if self.is_first:
            return "first"
        return "linked" if self.has_before else "gap"

    @property
    def is_faulty(self):
        return self.verdict in ("fork", "broken")
