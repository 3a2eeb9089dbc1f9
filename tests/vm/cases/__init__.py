"""The tests, in the order in which they run."""

from . import plugged, fast, lost, paused, gadget, rhythm, idle, power  # noqa: F401
