from . import action, hold, blocked_stock, quality_hold
