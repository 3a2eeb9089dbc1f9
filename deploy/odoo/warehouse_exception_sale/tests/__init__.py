from . import test_case, test_pick_shortage
