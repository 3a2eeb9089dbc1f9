from . import (
    base,
    device,
    case,
    event,
    policy,
    response,
    approval,
    hold,
    stock,
    claim,
    escalation,
    outbox,
    bridge,
    report,
    demo,
)
from . import base, device, case, event, policy, response, approval, stock, hold
from . import bridge
