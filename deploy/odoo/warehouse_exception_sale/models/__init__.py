from . import case, resolver
from . import credit
