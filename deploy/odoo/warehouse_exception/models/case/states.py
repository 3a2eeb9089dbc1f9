"""The one life of a case: its kinds, its states, and which state leads to which."""

from ...lib import cloud_event

KINDS = [
    ("receiving_discrepancy", "Receiving discrepancy"),
    ("damaged", "Damaged"),
    ("pick_shortage", "Pick shortage"),
    ("overage", "Overage"),
    ("location_mismatch", "Location mismatch"),
    ("blocked_stock", "Blocked stock"),
    ("quality_hold", "Quality hold"),
    ("return_discrepancy", "Return discrepancy"),
    ("cycle_count_variance", "Cycle count variance"),
]
assert tuple(kind for kind, _label in KINDS) == cloud_event.KINDS

STATES = [
    ("received", "Received"),
    ("needs_mapping", "Needs mapping"),
    ("open", "Open"),
    ("investigating", "Investigating"),
    ("pending_approval", "Pending approval"),
    ("approved", "Approved"),
    ("executing", "Executing"),
    ("resolved", "Resolved"),
    ("closed", "Closed"),
    ("rejected", "Rejected"),
    ("cancelled", "Cancelled"),
]
# Each state with those that lead to it.
STEPS = {
    "needs_mapping": ("received",),
    "open": ("received", "needs_mapping"),
    # The ways back: sent back or withdrawn, undone before execution, a response that failed, reopened.
    "investigating": ("open", "pending_approval", "approved", "executing", "resolved", "rejected"),
    "pending_approval": ("open", "investigating"),
    "approved": ("open", "investigating", "pending_approval"),
    "executing": ("approved",),
    "resolved": ("executing",),
    "closed": ("resolved",),
    "rejected": ("pending_approval",),
    "cancelled": ("received", "needs_mapping", "open", "investigating"),
}
# Nobody works on these any more.
FINISHED = ("closed", "rejected", "cancelled")
# What is to be done can still be changed in these.
PLANNABLE = ("open", "investigating")
