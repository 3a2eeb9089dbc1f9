from . import (
    test_access,
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
)
from . import test_merge, test_speed, test_traffic
