from . import (
    test_access,
    test_adapter,
    test_bundle,
    test_case,
    test_chain,
    test_device,
    test_device_api,
    test_enrolment,
    test_evidence,
    test_ingest,
    test_life,
    test_policy,
    test_resolver,
    test_wire,
    test_hold,
    test_blocked,
    test_guard,
    test_sweep,
    test_damaged,
    test_location_mismatch,
    test_reserved,
    test_cycle_count,
    test_pick_shortage,
    test_quantity,
)
from . import test_claim, test_overage, test_receiving, test_returns
from . import test_merge, test_speed, test_traffic
from . import test_device_cases, test_escalation, test_evidence_kept, test_outbox
from . import test_look, test_report, test_wizards
