from . import location, company, reserve, take, guard, case_moves, picking, book, free, spare
