from . import action, hold, blocked_stock, quality_hold
from . import action, reserved, moves, hold, quarantine, scrap, return_supplier, damaged, location_mismatch
from . import action, hold
from . import receiving_discrepancy, receipt, return_discrepancy, overage
from . import count, recount, adjust, cycle_count, reserve, pick_shortage
