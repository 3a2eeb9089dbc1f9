"""JSON that can be read in one way only (RFC 7493, I-JSON).

Two parsers that disagree about a document (a member named twice, NaN, half of a surrogate pair) would let one event
mean two things, and what was signed could no longer be told.
"""

import json


class JsonError(ValueError):
    """The bytes are not one I-JSON object."""


def _no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonError("a member is named twice")
    return members


def _no_constant(name):
    raise JsonError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)


def loads_object(data):
    """The JSON object that `data` (bytes) spells in UTF-8."""
    try:
        text = data.decode("utf-8")
        value = _DECODER.decode(text)
        # Only an escape such as \ud800 can have made a lone surrogate; no text column could keep it.
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except JsonError:
        raise
    except UnicodeError as error:
        raise JsonError("not valid Unicode") from error
    except RecursionError as error:
        raise JsonError("nested too deep") from error
    except ValueError as error:
        raise JsonError("not JSON") from error
    if not isinstance(value, dict):
        raise JsonError("not an object")
    return value
