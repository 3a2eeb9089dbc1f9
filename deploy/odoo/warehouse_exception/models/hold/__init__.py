from . import hold, case, lot
