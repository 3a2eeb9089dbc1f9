from . import approval, deciding, look
