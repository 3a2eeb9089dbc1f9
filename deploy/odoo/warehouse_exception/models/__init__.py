from . import base, device, case, event, policy, response, approval, hold, stock
from . import base, device, case, event, policy, response, approval, stock, hold
from . import claim
from . import base, device, case, event, policy, response, approval, stock, hold, escalation, outbox
from . import bridge
