"""Compact JWS with Ed25519 keys: RFC 7515, 8037 and 7638, and not one freedom more than the wire uses.

There is one algorithm, so nothing can be negotiated down; the header's members are fixed, so an extension can't be
smuggled in; base64url is canonical, so a signature has one spelling and its digest means one event.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .strict_json import JsonError, loads_object

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
# A SHA-256 in base64url. Who sends it has proved nothing yet, and it is looked up in the database as it is.
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


class JoseError(ValueError):
    """Not a JWS of the wanted kind."""


class SignatureError(JoseError):
    """Well formed, but not signed by this key."""


@dataclass(frozen=True)
class Jws:
    header: dict
    payload: bytes
    signed: bytes
    signature: bytes


def b64decode(text):
    """The bytes of unpadded, canonical base64url."""
    if not _BASE64URL.fullmatch(text):
        raise JoseError("not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise JoseError("not base64url") from error
    if b64encode(data) != text:
        raise JoseError("not canonical base64url")
    return data


def b64encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def digest(text):
    """What names an event on both sides of the wire."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parse(text, typ, members):
    """Take a compact JWS apart. Its header must be of the kind `typ` and have exactly `members`.

    The payload can't be trusted before `verify`.
    """
    parts = text.split(".")
    if len(parts) != 3:
        raise JoseError("not the three parts of a compact JWS")
    header_bytes, payload, signature = (b64decode(part) for part in parts)
    if len(signature) != _SIGNATURE_BYTES:
        raise JoseError("not a signature of 64 bytes")
    try:
        header = loads_object(header_bytes)
    except JsonError as error:
        raise JoseError(f"protected header: {error}") from error
    if set(header) != set(members):
        raise JoseError(f"the protected header must have exactly: {', '.join(sorted(members))}")
    if header["alg"] != "EdDSA":
        raise JoseError("alg must be EdDSA")
    if header["typ"] != typ:
        raise JoseError(f"typ must be {typ}")
    return Jws(header, payload, text.rpartition(".")[0].encode("ascii"), signature)


def parse_with_kid(text, typ):
    """A JWS whose key is named by its thumbprint."""
    jws = parse(text, typ, {"alg", "kid", "typ"})
    kid = jws.header["kid"]
    if not isinstance(kid, str) or not _THUMBPRINT.fullmatch(kid):
        raise JoseError("kid must be the key's thumbprint (RFC 7638): 43 characters of base64url")
    return jws


def verify(jws, x):
    """Raise unless the private half of `x` (base64url) made the signature."""
    try:
        _public_key(x).verify(jws.signature, jws.signed)
    except InvalidSignature as error:
        raise SignatureError("the signature is not this key's") from error


@lru_cache(maxsize=1024)
def _public_key(x):
    key = b64decode(x)
    if len(key) != _KEY_BYTES:
        raise JoseError("not an Ed25519 key of 32 bytes")
    return Ed25519PublicKey.from_public_bytes(key)


def thumbprint(x):
    """RFC 7638: a key names itself."""
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return b64encode(hashlib.sha256(canonical.encode("ascii")).digest())


def public_x(jwk):
    """The `x` of a public Ed25519 JWK."""
    if not isinstance(jwk, dict) or set(jwk) != {"kty", "crv", "x"}:
        raise JoseError("jwk must have exactly: crv, kty, x")
    if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519" or not isinstance(jwk["x"], str):
        raise JoseError("jwk must be an Ed25519 public key")
    return jwk["x"]
