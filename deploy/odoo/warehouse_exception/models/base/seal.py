"""A permission that can't come over the network.

Some records are evidence and some fields are decisions, so their `write` refuses everybody but this addon's own
methods. A flag in the context would not do: every RPC client chooses its context. What opens the seal is the identity
of an object that lives in this process only, and no JSON can name it.
"""

_KEY = "warehouse_exception_unsealed"
_ACTING = "warehouse_exception_acting"
_PERMIT = object()


def unsealed(records):
    """The same records, allowed to do one sealed write. Keep the result for that one call."""
    return records.with_context(**{_KEY: _PERMIT})


def is_unsealed(env):
    return env.context.get(_KEY) is _PERMIT


class _Acting:
    """That an approved response is carried out, and for which case."""

    def __init__(self, case_id):
        self.case_id = case_id


def acting(records, case=None):
    """The same records, while an approved response to `case` is carried out: what is guarded against people by hand lets
    it pass. It stays with all that is called from there, into Odoo's own methods and back.
    """
    return records.with_context(**{_ACTING: _Acting(case.id if case else None)})


def is_acting(env):
    return isinstance(env.context.get(_ACTING), _Acting)


def acting_case_id(env):
    """The case whose approved response is carried out, if one is."""
    return env.context[_ACTING].case_id if is_acting(env) else None


def not_acting(records):
    """The same records, for what a response sets off and is no part of."""
    return records.with_context(**{_ACTING: None}) if is_acting(records.env) else records
