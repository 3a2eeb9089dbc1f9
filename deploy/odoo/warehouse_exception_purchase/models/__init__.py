from . import case, resolver, supplier_return, receiving, claim, order
