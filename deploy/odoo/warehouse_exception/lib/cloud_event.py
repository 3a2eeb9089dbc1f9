"""One captured exception as a CloudEvent: what `docs/protocol.md` says about it, checked member by member.

Members that nobody knows are ignored (a newer device talks to an older server); members that are known are checked
strictly, because what is stored as a number or a date must be one.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from . import jose
from .members import MemberError, Members
from .strict_json import JsonError, loads_object

MAX_JWS_BYTES = 64 * 1024
MAX_SCANS = 64
MAX_PHOTOS = 16
MAX_RAW_BYTES = 512
MAX_PHOTO_BYTES = 16 * 1024 * 1024
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")

KINDS = (
    "receiving_discrepancy",
    "damaged",
    "pick_shortage",
    "overage",
    "location_mismatch",
    "blocked_stock",
    "quality_hold",
    "return_discrepancy",
    "cycle_count_variance",
)
# These tell where or in what state something is; the others are about how much there is.
_KINDS_WITHOUT_COUNT = frozenset({"location_mismatch", "blocked_stock", "quality_hold"})

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_TYPE = re.compile(r"io\.tallyman\.exception\.([a-z_]+)\.v1", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
SEQUENCE = re.compile(r"(?!0{20})[0-9]{20}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_QUANTITY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_REASON = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)
_URN = "urn:uuid:"


class BadEvent(ValueError):
    """Never acceptable, however often it is sent."""


class UnknownType(Exception):
    """A kind of event that a newer server may know."""


@dataclass(frozen=True)
class Item:
    code: str
    gtin: str | None
    lot: str | None
    serial: str | None
    expiry: date | None


@dataclass(frozen=True)
class Photo:
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Scan:
    role: str
    source: str
    at: datetime
    raw: str
    text: str
    kind: str
    flaws: tuple[str, ...]


@dataclass(frozen=True)
class Clock:
    """How far the event's time can be trusted. None: the device did not say, or does not know."""

    offset_ms: int | None
    uncertainty_ms: int | None


@dataclass(frozen=True)
class Event:
    id: str
    device: str
    kind: str
    subject: str | None
    time: datetime
    sequence: str
    prevhash: str
    badge: str | None
    document: str | None
    bin: str | None
    item: Item | None
    expected: Decimal | None
    counted: Decimal | None
    unit: str | None
    reason: str | None
    note: str | None
    photos: tuple[Photo, ...]
    scans: tuple[Scan, ...]
    clock: Clock


def peek_id(payload):
    """The id for a refusal's receipt, as far as it can be read. Nothing else may rest on it."""
    try:
        found = loads_object(payload).get("id")
    except JsonError:
        return None
    return found if isinstance(found, str) and UUID.fullmatch(found) else None


def peek_id_of(text):
    """The id in a compact JWS that nobody verified, if it can be read at all."""
    return peek_id(_peek_payload(text))


def peek_prevhash(text):
    """The digest that the event in a compact JWS names as the one before it, if it can be read at all."""
    try:
        found = loads_object(_peek_payload(text)).get("prevhash")
    except JsonError:
        return None
    return found if isinstance(found, str) and SHA256.fullmatch(found) else None


def _peek_payload(text):
    try:
        return jose.b64decode(text.split(".")[1])
    except (jose.JoseError, IndexError):
        return b""


def read(payload):
    """The event in a verified JWS payload (bytes)."""
    try:
        return _read(Members(loads_object(payload)))
    except (JsonError, MemberError) as error:
        raise BadEvent(str(error)) from error


def _read(top):
    top.constant("specversion", "1.0")
    top.constant("datacontenttype", "application/json")
    envelope = {
        "id": top.text("id", UUID),
        "device": _read_source(top),
        "subject": top.text("subject", optional=True),
        "time": read_time(top, "time"),
        "sequence": top.text("sequence", SEQUENCE),
        "prevhash": top.text("prevhash", SHA256),
    }
    # The kind comes before the data: what a later kind has in there is not ours to judge.
    kind = _read_kind(top)
    return Event(**envelope, kind=kind, **_read_data(top.child("data"), kind))


def _read_source(top):
    source = top.text("source")
    if not source.startswith(_URN) or not UUID.fullmatch(source[len(_URN) :]):
        raise MemberError("source must be urn:uuid: and the device's id")
    return source[len(_URN) :]


def _read_kind(top):
    name = top.text("type")
    found = _TYPE.fullmatch(name)
    if not found or found[1] not in KINDS:
        raise UnknownType(name)
    return found[1]


def read_time(members, name):
    text = members.text(name, _TIME)
    try:
        return datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError as error:
        raise MemberError(f"{members.path(name)} is not a time") from error


def _read_data(data, kind):
    quantity = data.child("quantity", optional=kind in _KINDS_WITHOUT_COUNT)
    return {
        "badge": data.child("operator", optional=True).text("badge", optional=True),
        "document": data.child("document", optional=True).text("code", optional=True),
        "bin": data.child("bin", optional=True).text("code", optional=True),
        "item": _read_item(data.child("item", optional=True)) if data.has("item") else None,
        "expected": _read_quantity(quantity, "expected", optional=True),
        "counted": _read_quantity(quantity, "counted", optional=kind in _KINDS_WITHOUT_COUNT),
        "unit": quantity.text("unit", optional=True),
        "reason": data.text("reason", _REASON, optional=True),
        "note": data.text("note", optional=True),
        "photos": tuple(read_photo(photo) for photo in data.children("photos", MAX_PHOTOS, optional=True)),
        "scans": tuple(_read_scan(scan) for scan in data.children("scans", MAX_SCANS)),
        "clock": _read_clock(data.child("clock")),
    }


def _read_clock(clock):
    """The parts that are shown. The others are evidence for a person who doubts `time`; nothing here rests on them."""
    return Clock(
        offset_ms=clock.integer("offset_ms", optional=True),
        uncertainty_ms=clock.integer("uncertainty_ms", least=0, optional=True),
    )


def _read_quantity(quantity, name, optional):
    text = quantity.text(name, _QUANTITY, optional)
    return None if text is None else Decimal(text)


def _read_item(item):
    expiry = item.text("expiry", optional=True)
    try:
        expiry = expiry and datetime.strptime(expiry, "%Y-%m-%d").date()
    except ValueError as error:
        raise MemberError(f"{item.path('expiry')} is not a date") from error
    return Item(
        code=item.text("code"),
        gtin=item.text("gtin", optional=True),
        lot=item.text("lot", optional=True),
        serial=item.text("serial", optional=True),
        expiry=expiry,
    )


def read_photo(photo):
    size = photo.integer("size")
    if not 1 <= size <= MAX_PHOTO_BYTES:
        raise MemberError(f"{photo.path('size')} must be 1 to {MAX_PHOTO_BYTES}")
    media_type = photo.text("media_type")
    if media_type not in MEDIA_TYPES:
        raise MemberError(f"{photo.path('media_type')} must be one of {', '.join(MEDIA_TYPES)}")
    return Photo(photo.text("sha256", SHA256), size, media_type)


def _read_scan(scan):
    raw = scan.text("raw")
    try:
        size = len(jose.b64decode(raw))
    except jose.JoseError as error:
        raise MemberError(f"{scan.path('raw')} is {error}") from error
    if size > MAX_RAW_BYTES:
        raise MemberError(f"{scan.path('raw')} has more than {MAX_RAW_BYTES} bytes")
    return Scan(
        role=scan.text("role"),
        source=scan.text("source"),
        at=read_time(scan, "at"),
        raw=raw,
        text=scan.text("text"),
        kind=scan.text("kind"),
        flaws=tuple(scan.texts("flaws", optional=True)),
    )
