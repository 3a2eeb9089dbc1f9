from . import case, resolver, reporter
