from . import base, device, case, event, policy, response, approval, stock, hold
