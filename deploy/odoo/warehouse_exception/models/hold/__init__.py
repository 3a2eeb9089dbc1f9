from . import hold, case, lot
from . import spare
