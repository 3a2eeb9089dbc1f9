"""Look-ups that are made once for a request, not once for each of its events.

What is remembered travels in the context, as an object that nobody can name over the network, and is forgotten with it.
"""

from functools import wraps

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
        memory.answers[(method, *question)] = answer


def remembered(method):
    """For methods of a model that only look something up, by records and texts. Their answers are records."""

    @wraps(method)
    def ask(self, *question):
        memory = self.env.context.get(_KEY)
        if not isinstance(memory, _Memory):
            return method(self, *question)
        asked = (method.__name__, *question)
        if asked not in memory.answers:
            memory.answers[asked] = method(self, *question)
        return memory.answers[asked].with_env(self.env)

    return ask
