"""Request bodies that come compressed (RFC 9110, 8.4; RFC 7694), opened without trusting their size."""

import zlib

GZIP = "gzip"
IDENTITY = "identity"
_GZIP_ONLY = 16 + zlib.MAX_WBITS  # zlib's way to say: a gzip member with its check sum, and nothing else


class BrokenCoding(ValueError):
    """Not what its coding says: cut off, damaged, or followed by something."""


class TooLarge(ValueError):
    """More than the limit once it is opened."""


def coding(header):
    """The one coding that a Content-Encoding header names. Nobody needs two, so two are unknown."""
    name = (header or IDENTITY).strip().lower()
    return GZIP if name == "x-gzip" else name  # RFC 9110, 8.4.1.3


def opened(data, name, limit):
    """The body (bytes) behind the coding `name`, GZIP or IDENTITY. Never more than `limit` bytes of it are made."""
    if name == IDENTITY:
        return data
    reader = zlib.decompressobj(_GZIP_ONLY)
    try:
        body = reader.decompress(data, limit + 1)
    except zlib.error as error:
        raise BrokenCoding("not readable as gzip") from error
    if len(body) > limit:
        raise TooLarge
    if not reader.eof:
        raise BrokenCoding("cut off")
    if reader.unused_data:
        raise BrokenCoding("followed by something that is not part of it")
    return body
