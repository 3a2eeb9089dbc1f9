from . import case, resolver, supplier_return
from . import case, resolver
from . import receiving, claim, order
