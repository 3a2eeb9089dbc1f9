from . import case, resolver, supplier_return
