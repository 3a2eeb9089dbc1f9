from . import location, company, reserve, take, guard
from . import location, case_moves
from . import location
from . import picking
from . import book, free, spare
