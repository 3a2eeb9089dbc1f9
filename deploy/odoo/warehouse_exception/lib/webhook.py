"""Standard Webhooks 1.0, the sender's half: signing, and one POST that ends in time whatever the other side does.

Not `requests`: its time-out is for each read, so that a server which sends a byte now and then holds a worker for hours,
and it follows redirects and proxies unless told otherwise each time.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

PREFIX = "whsec_"
SECRET_BYTES = 32
# A read that takes longer than this, and a whole call that does.
READ_SECONDS = 5
TOTAL_SECONDS = 10
MAX_REPLY_BYTES = 4096
MAX_URL = 2000


class BadUrl(ValueError):
    """Not the address of an endpoint; the text says why."""


class Reply(NamedTuple):
    status: int
    body: bytes  # the first bytes of it, if it is a refusal
    retry_after: str | None


class Failed(Exception):
    """No answer; the text says why and has no part of the address, which may hold a secret."""


def new_secret():
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret, message_id, timestamp, body):
    """The signature as it stands in the header: over id, timestamp and the exact bytes of the body."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is whsec_ and base64") from error
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check_url(url, allow_http):
    """The parts of `url`. What would be logged or go astray is refused: a password in it, a fragment, blanks."""
    if len(url) > MAX_URL or not url.isascii() or any(character.isspace() for character in url):
        raise BadUrl("it is too long or has characters that an address can't have")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrl("it can't be read") from error
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise BadUrl("it must begin with https:// and name a host")
    if parts.scheme == "http" and not allow_http:
        raise BadUrl("it must begin with https://; only a laboratory may set 'Webhooks without TLS'")
    if parts.username is not None or parts.fragment:
        raise BadUrl("it must hold no password and no fragment")
    return parts, port


def post(url, headers, body, allow_http=False):
    """Send `body` once; a Reply whatever its status, or Failed. No redirect is followed, no proxy is asked."""
    parts, port = check_url(url, allow_http)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname, port, timeout=READ_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, port, timeout=READ_SECONDS)
    late, held = threading.Event(), []
    clock = threading.Timer(TOTAL_SECONDS, _end, [connection, held, late])
    clock.daemon = True
    clock.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.connect()
        held.append(connection.sock)  # the connection itself forgets it when the answer begins
        connection.request("POST", target, body, headers)
        reply = connection.getresponse()
        if late.is_set():  # headers that were cut off look like all of them
            raise TimeoutError
        return Reply(reply.status, _first_bytes(reply), reply.headers.get("Retry-After"))
    except TimeoutError as error:
        raise Failed("no answer in time") from error
    except (OSError, http.client.HTTPException) as error:
        raise Failed("no answer in time" if late.is_set() else _words(error)) from error
    finally:
        clock.cancel()
        connection.close()


def _first_bytes(reply):
    """What a refusal says, as far as it comes. Of a success the status is enough."""
    if 200 <= reply.status < 300:
        return b""
    try:
        return reply.read(MAX_REPLY_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def _end(connection, held, late):
    """From another thread: what waits for the socket wakes up."""
    late.set()
    for sock in held or filter(None, [connection.sock]):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _words(error):
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
