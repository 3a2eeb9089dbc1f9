"""The tests, in the order in which they run."""

from . import plugged, fast, lost, paused, gadget, rhythm  # noqa: F401
