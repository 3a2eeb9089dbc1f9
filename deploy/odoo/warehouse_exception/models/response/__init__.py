from . import action, hold, blocked_stock, quality_hold
from . import action, reserved, moves, hold, quarantine, scrap, return_supplier, damaged, location_mismatch
