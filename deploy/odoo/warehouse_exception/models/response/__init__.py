from . import action, hold
from . import count, recount, adjust, cycle_count, reserve, pick_shortage
