from . import location
from . import book, free, spare
