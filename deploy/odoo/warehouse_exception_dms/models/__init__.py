from . import adapter, document
