from . import case, resolver
from . import credit
from . import case, resolver, sale_order, tell
