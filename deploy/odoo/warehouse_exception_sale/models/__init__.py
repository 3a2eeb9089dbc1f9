from . import case, resolver, credit, sale_order, tell
