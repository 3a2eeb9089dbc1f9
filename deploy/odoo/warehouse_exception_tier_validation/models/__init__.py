from . import case, review
