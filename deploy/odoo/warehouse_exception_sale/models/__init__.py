from . import case, resolver
