from . import test_case
from . import test_credit
from . import test_case, test_pick_shortage
