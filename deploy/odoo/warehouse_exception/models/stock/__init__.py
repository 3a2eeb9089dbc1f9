from . import location, case_moves
