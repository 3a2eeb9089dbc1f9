from . import base, device, case, event, policy, response, approval, stock, hold
from . import base, device, case, event, policy, response, approval, stock
from . import claim
