"""One-time codes, and the signed message by which a device joins with one."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from . import jose
from .members import MemberError, Members
from .strict_json import JsonError, loads_object

TYP = "enroll+jws"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 20
_CODE = re.compile(f"[{_CROCKFORD}]{{{_LENGTH}}}", re.ASCII)
_LOOKS_LIKE = str.maketrans("ILO", "110")
_HARDWARE_FACTS = ("machine_id_hash", "model", "hostname")
_FACT = re.compile(r".{0,200}", re.DOTALL)


class NotGenuine(ValueError):
    """Whoever sent this doesn't show the key that the message names."""


class NotReadable(ValueError):
    """Genuine, but not what an enrolment says."""


@dataclass(frozen=True)
class Enrolment:
    x: str
    kid: str
    code: str
    agent: str | None
    hardware: dict


def new_code():
    """100 bits, which nobody guesses within a code's lifetime."""
    return "".join(secrets.choice(_CROCKFORD) for _ in range(_LENGTH))


def canonical_code(typed):
    """The code in one spelling, or None when it can't be one."""
    if not typed.isascii():  # some letters of other alphabets become ASCII in upper case
        return None
    code = typed.upper().replace("-", "").translate(_LOOKS_LIKE)
    return code if _CODE.fullmatch(code) else None


def shown_code(code):
    return "-".join(code[start : start + 5] for start in range(0, _LENGTH, 5))


def code_hash(code):
    """What the database keeps. Plain SHA-256 is enough for 100 random bits."""
    return hashlib.sha256(code.encode("ascii")).hexdigest()


def read(text):
    """A verified enrolment: the signature proves that the sender owns the key in the header."""
    try:
        jws = jose.parse(text, TYP, {"alg", "jwk", "typ"})
        x = jose.public_x(jws.header["jwk"])
        jose.verify(jws, x)
    except jose.JoseError as error:
        raise NotGenuine(str(error)) from error
    try:
        payload = Members(loads_object(jws.payload))
        hardware = payload.child("hardware", optional=True)
        return Enrolment(
            x=x,
            kid=jose.thumbprint(x),
            code=payload.text("code"),
            agent=payload.text("agent", _FACT, optional=True),
            hardware={name: hardware.text(name, _FACT, optional=True) for name in _HARDWARE_FACTS},
        )
    except (JsonError, MemberError) as error:
        raise NotReadable(str(error)) from error
