from . import action, hold
from . import action
from . import receipt, receiving_discrepancy, return_discrepancy, overage
