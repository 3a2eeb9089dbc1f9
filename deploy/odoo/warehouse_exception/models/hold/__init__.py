from . import hold, case, lot, sweep
from . import hold, case, lot
from . import spare
