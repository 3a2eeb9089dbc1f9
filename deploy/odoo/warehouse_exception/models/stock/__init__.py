from . import location, quarantine, case_moves
