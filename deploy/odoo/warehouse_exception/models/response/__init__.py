from . import action, reserved, moves, hold, quarantine, scrap, return_supplier, damaged, location_mismatch
