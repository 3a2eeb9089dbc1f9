from . import action, hold
from . import receiving_discrepancy, receipt, return_discrepancy, overage
