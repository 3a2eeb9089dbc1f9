from . import test_case, test_credit, test_pick_shortage
