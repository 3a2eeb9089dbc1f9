from . import case, resolver
from . import reporter
