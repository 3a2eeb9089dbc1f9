from . import adapter, inspection
