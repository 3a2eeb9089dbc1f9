from . import location
from . import picking
