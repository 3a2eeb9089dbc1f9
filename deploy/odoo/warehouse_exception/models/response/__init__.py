from . import action, hold
