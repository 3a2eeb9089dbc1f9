from . import approval, deciding
