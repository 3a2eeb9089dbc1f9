from . import case, policy
