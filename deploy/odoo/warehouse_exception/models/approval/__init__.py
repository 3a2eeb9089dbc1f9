from . import approval, deciding, counting
