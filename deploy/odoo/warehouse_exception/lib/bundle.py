"""A device's unsent events and photos in one signed file (docs/protocol.md, "Bundles").

The file is read where it lies in memory, by offsets: nothing of it is unpacked to a disk, and no name in it becomes a
path. It is trusted in three steps: `read` looks at its shape only, `unseal` verifies who signed its manifest, and
`Bundle.check` that what is inside is what was signed.
"""

import hashlib
import re
import tarfile
from dataclasses import dataclass
from datetime import datetime

from . import cloud_event, jose
from .members import MemberError, Members
from .strict_json import JsonError, loads_object

TYP = "bundle+jws"
MAX_EVENTS = 200_000  # as many as a device keeps
MAX_PHOTOS = 20_000
MAX_MANIFEST_BYTES = 8 * 1024 * 1024

_BLOCK = 512
_MAGIC = b"ustar\x0000"
_EVENTS, _MANIFEST = "events.jws", "manifest.jws"
_PHOTO = re.compile(r"photos/([0-9a-f]{64})", re.ASCII)


class BundleError(ValueError):
    """This file can't be imported; the class says why."""


class NotABundle(BundleError):
    """Some other file."""


class CutOff(BundleError):
    """The end is missing, where the manifest would be."""


class Changed(BundleError):
    """Not what the device signed."""


class PhotoMissing(BundleError):
    """The manifest lists a photo that is not inside."""


class TooMuch(BundleError):
    """More than is taken at once."""


class LaterVersion(BundleError):
    """Written by a device that is newer than this server."""


@dataclass(frozen=True)
class Member:
    start: int
    size: int


@dataclass(frozen=True)
class Sealed:
    """A file of the right shape. Nothing in it is trusted yet."""

    data: bytes
    events: Member
    photos: dict[str, Member]
    manifest_text: str
    manifest: jose.Jws

    @property
    def kid(self):
        return self.manifest.header["kid"]

    def peek_audience(self):
        """The database that the file says it is for, to tell a person; nothing else may rest on it."""
        try:
            return loads_object(self.manifest.payload).get("audience")
        except JsonError:
            return None


@dataclass(frozen=True)
class Manifest:
    device: str
    audience: str
    created: datetime
    agent: str
    event_count: int
    event_bytes: int
    event_sha256: str
    first: str | None
    last: str | None
    photos: tuple[cloud_event.Photo, ...]


@dataclass(frozen=True)
class Bundle:
    """A file whose manifest a device signed."""

    sealed: Sealed
    manifest: Manifest

    @property
    def digest(self):
        return jose.digest(self.sealed.manifest_text)

    def check(self):
        """Raise unless the file has exactly what the manifest says, byte for byte."""
        events, manifest = self.sealed.events, self.manifest
        if events.size != manifest.event_bytes or self._sha256(events) != manifest.event_sha256:
            raise Changed("the reports")
        if self._count_lines() != manifest.event_count:
            raise Changed("the number of reports")
        listed = {photo.sha256: photo for photo in manifest.photos}
        for sha256, photo in listed.items():
            member = self.sealed.photos.get(sha256)
            if not member:
                raise PhotoMissing(sha256)
            if member.size != photo.size or self._sha256(member) != sha256:
                raise Changed(f"photo {sha256}")
        if set(self.sealed.photos) != set(listed):
            raise Changed("a photo that the device did not put in")

    def texts(self, offset=0):
        """(JWS, offset of the next one) from the byte `offset` of the events on. A line may be anything."""
        start, end = self.sealed.events.start, self.sealed.events.start + self.sealed.events.size
        position = start + offset
        while position < end:
            line_end = self.sealed.data.find(b"\n", position, end)
            yield self.sealed.data[position:line_end].decode("utf-8", "replace"), line_end + 1 - start
            position = line_end + 1

    def photo(self, sha256):
        member = self.sealed.photos[sha256]
        return self.sealed.data[member.start : member.start + member.size]

    def _sha256(self, member):
        view = memoryview(self.sealed.data)[member.start : member.start + member.size]
        return hashlib.sha256(view).hexdigest()

    def _count_lines(self):
        events = self.sealed.events
        lines = self.sealed.data.count(b"\n", events.start, events.start + events.size)
        ends = not events.size or self.sealed.data[events.start + events.size - 1] == ord("\n")
        return lines if ends else -1


def read(data):
    """The parts of the file `data` (bytes)."""
    found = list(_members(data))
    members = dict(found)
    if len(members) != len(found):
        raise Changed("a file that is in it twice")
    if next(iter(members), None) != _EVENTS:
        raise NotABundle
    if list(members)[-1] != _MANIFEST:
        raise CutOff
    manifest = members[_MANIFEST]
    if manifest.size > MAX_MANIFEST_BYTES:
        raise TooMuch("the manifest")
    text = data[manifest.start : manifest.start + manifest.size].decode("utf-8", "replace")
    try:
        jws = jose.parse_with_kid(text, TYP)
    except jose.JoseError as error:
        raise Changed(f"the manifest ({error})") from error
    photos = {photo[1]: member for name, member in members.items() if (photo := _PHOTO.fullmatch(name))}
    return Sealed(data, members[_EVENTS], photos, text, jws)


def unseal(sealed, x):
    """The Bundle, if the private half of key `x` signed its manifest."""
    try:
        jose.verify(sealed.manifest, x)
    except jose.JoseError as error:
        raise Changed("the manifest") from error
    try:
        return Bundle(sealed, _read_manifest(Members(loads_object(sealed.manifest.payload))))
    except (JsonError, MemberError) as error:
        raise Changed(f"the manifest ({error})") from error


def _members(data):
    """(name, Member) for each file of a POSIX tar (ustar) that has plain files with known names only."""
    position, number, done = 0, 0, False
    while data[position : position + _BLOCK].strip(b"\0"):
        if done:
            raise Changed("something behind the manifest")
        name, size = _header(data[position : position + _BLOCK], is_first=not number)
        if number > MAX_PHOTOS + 1:
            raise TooMuch("the photos")
        if position + _BLOCK + size > len(data):
            raise CutOff
        yield name, Member(position + _BLOCK, size)
        end = position + _BLOCK + size
        position = end + -end % _BLOCK
        if data[end:position].strip(b"\0"):
            raise Changed("something between its files")
        number, done = number + 1, name == _MANIFEST
    if data[position:].strip(b"\0"):
        raise Changed("something behind the end")


def _header(block, is_first):
    try:
        header = tarfile.TarInfo.frombuf(block, "ascii", "replace")
    except tarfile.HeaderError as error:
        if is_first:
            raise NotABundle from error
        raise (CutOff if len(block) < _BLOCK else Changed("its outline")) from error
    if block[257:265] != _MAGIC or header.type != tarfile.REGTYPE or header.size < 0:
        raise NotABundle if is_first else Changed("its outline")
    if header.name not in (_EVENTS, _MANIFEST) and not _PHOTO.fullmatch(header.name):
        raise NotABundle if is_first else Changed(f"something that does not belong there ({header.name})")
    return header.name, header.size


def _read_manifest(top):
    if top.integer("version") != 1:
        raise LaterVersion
    events = top.child("events")
    count = events.integer("count", least=0)
    if count > MAX_EVENTS:
        raise TooMuch("the reports")
    return Manifest(
        device=top.text("device", cloud_event.UUID),
        audience=top.text("audience"),
        created=cloud_event.read_time(top, "created"),
        agent=top.text("agent"),
        event_count=count,
        event_bytes=events.integer("size", least=0),
        event_sha256=events.text("sha256", cloud_event.SHA256),
        first=top.text("first", cloud_event.SEQUENCE, optional=True),
        last=top.text("last", cloud_event.SEQUENCE, optional=True),
        photos=tuple(cloud_event.read_photo(photo) for photo in top.children("photos", MAX_PHOTOS)),
    )
