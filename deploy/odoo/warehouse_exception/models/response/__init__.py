from . import action, hold
from . import action
from . import receiving_discrepancy, receipt, return_discrepancy, overage
