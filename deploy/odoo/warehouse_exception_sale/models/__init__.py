from . import case, resolver, sale_order, tell
