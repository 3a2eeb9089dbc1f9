"""The bearer token that a device signs for each of its requests."""

import uuid

from . import jose
from .strict_json import JsonError, loads_object

TYP = "request+jwt"
MAX_LIFETIME = 300
MAX_AHEAD = 60


class TokenError(ValueError):
    """No claim of this token can be trusted."""


class ClockSkew(Exception):
    """Everything about the token is right except its time: the device's clock must be corrected."""


def read_kid(token):
    """The token taken apart, and the name of the key that would have to have signed it."""
    try:
        jws = jose.parse_with_kid(token, TYP)
    except jose.JoseError as error:
        raise TokenError(str(error)) from error
    return jws, jws.header["kid"]


def check(jws, x, device, audience, now):
    """Raise unless key `x` of `device` signed the token for `audience` and for the time `now` (Unix seconds).

    The time comes last: `clock_skew` is an answer for somebody who proved to be the device.
    """
    try:
        jose.verify(jws, x)
        claims = loads_object(jws.payload)
    except (jose.JoseError, JsonError) as error:
        raise TokenError(str(error)) from error
    if claims.get("iss") != device:
        raise TokenError("iss is not the device of this key")
    if claims.get("aud") != audience:
        raise TokenError("aud is not this database")
    if not _is_uuid(claims.get("jti")):
        raise TokenError("jti is not a UUID")
    issued, expires = claims.get("iat"), claims.get("exp")
    # `type` and not isinstance: true is an int for Python.
    if type(issued) is not int or type(expires) is not int:
        raise TokenError("iat and exp must be whole seconds")
    if not 1 <= expires - issued <= MAX_LIFETIME:
        raise TokenError(f"a token lives 1 to {MAX_LIFETIME} seconds")
    if issued > now + MAX_AHEAD or expires <= now:
        raise ClockSkew


def _is_uuid(value):
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False
