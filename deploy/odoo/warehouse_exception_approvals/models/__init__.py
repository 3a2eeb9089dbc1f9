from . import adapter, request
