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


def acting(records):
    """The same records, while an approved response is carried out: what is guarded against people by hand lets it pass.
    It stays with all that is called from there, into Odoo's own methods and back.
    """
    return records.with_context(**{_ACTING: _PERMIT})


def is_acting(env):
    return env.context.get(_ACTING) is _PERMIT


def not_acting(records):
    """The same records, for what a response sets off and is no part of."""
    return records.with_context(**{_ACTING: None}) if is_acting(records.env) else records
