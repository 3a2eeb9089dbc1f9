from . import webhook, delivery, sending, announcing
