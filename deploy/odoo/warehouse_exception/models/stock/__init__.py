from . import location, company, reserve, take, guard
