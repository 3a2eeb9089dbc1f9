from . import approval, deciding, counting, look
