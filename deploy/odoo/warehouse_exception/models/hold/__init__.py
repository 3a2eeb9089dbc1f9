from . import hold, case, lot, sweep, spare
