"""The tests, in the order in which they run."""

from . import plugged, lost  # noqa: F401
