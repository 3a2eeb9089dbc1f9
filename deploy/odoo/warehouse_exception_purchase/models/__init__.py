from . import case, resolver
from . import receiving, claim, order
