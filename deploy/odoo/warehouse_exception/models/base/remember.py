"""Look-ups that are made once for a request, not once for each of its events.

What is remembered travels in the context, as an object that nobody can name over the network, and is forgotten with it.
"""

from functools import wraps

from odoo.models import BaseModel

_KEY = "warehouse_exception_remembered"


class _Memory:
    def __init__(self):
        self.answers = {}


def remembering(records):
    """The same records; `remembered` methods that are called from their environment are asked once for each question."""
    return records.with_context(**{_KEY: _Memory()})


def remember(env, method, question, answer):
    """An answer that was found together with others."""
    memory = env.context.get(_KEY)
    if isinstance(memory, _Memory):
        memory.answers[_asked(method, question)] = answer


def remembered(method):
    """For methods of a model that only look something up, by records and texts. Their answers are records."""

    @wraps(method)
    def ask(self, *question):
        memory = self.env.context.get(_KEY)
        if not isinstance(memory, _Memory):
            return method(self, *question)
        asked = _asked(method.__name__, question)
        if asked not in memory.answers:
            memory.answers[asked] = method(self, *question)
        answer = memory.answers[asked]
        return answer if answer.env is self.env else answer.with_env(self.env)

    return ask


def _asked(method, question):
    """Each argument of a method is a record always or a text always, so that its ids say enough."""
    return (method, *(part._ids if isinstance(part, BaseModel) else part for part in question))
