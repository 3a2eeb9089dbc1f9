"""What a device can be answered: always JSON, and always whether trying again makes sense."""

import json
from datetime import UTC, datetime

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from odoo.http import Response, request

BASE_PATH = "/tallyman/v1/"
_BUSY_SECONDS = 5


def server_time():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_reply(body, status=200, headers=()):
    reply = Response(json.dumps(body), status=status, content_type="application/json", headers=list(headers))
    reply.headers["Cache-Control"] = "no-store"
    return reply


class Refusal(HTTPException):
    """A refused call. Raised, it also undoes what the call has written so far."""

    def __init__(self, http_status, code, message, retryable=False, headers=(), **facts):
        super().__init__(message)
        self.code = http_status  # werkzeug's name for it
        self._error = {"code": code, "message": message, "retryable": retryable, **facts}
        self._headers = headers

    def get_response(self, environ=None, scope=None):
        error = {**self._error, "server_time": server_time()}
        return json_reply({"error": error}, self.code, self._headers)

    @classmethod
    def bad_request(cls, message):
        return cls(400, "bad_request", message)

    @classmethod
    def unauthorized(cls, message):
        return cls(401, "unauthorized", message)

    @classmethod
    def clock_skew(cls):
        return cls(401, "clock_skew", "The clocks differ: correct the device's by server_time.", retryable=True)

    @classmethod
    def revoked(cls):
        return cls(403, "revoked", "This device was revoked. Keep everything and tell the warehouse's manager.")

    @classmethod
    def code_invalid(cls):
        return cls(403, "code_invalid", "This code is unknown, expired or used. Ask the manager for a new one.")

    @classmethod
    def unknown_evidence(cls):
        return cls(404, "unknown_evidence", "No event of this device names this photo yet.", retryable=True)

    @classmethod
    def offset_mismatch(cls, received):
        return cls(409, "offset_mismatch", f"Go on from byte {received}.", retryable=True, received=received)

    @classmethod
    def too_large(cls, limit):
        return cls(413, "too_large", f"At most {limit} bytes are accepted here.", limit=limit)

    @classmethod
    def unsupported_media_type(cls, accepted):
        return cls(415, "unsupported_media_type", f"Evidence is one of: {', '.join(accepted)}.")

    @classmethod
    def unsupported_coding(cls, accepted):
        message = "This body's Content-Encoding is not understood here. Send it plain."
        headers = [("Accept-Encoding", ", ".join(accepted))]
        return cls(415, "unsupported_coding", message, True, headers)

    @classmethod
    def hash_mismatch(cls):
        message = "The bytes do not hash to the photo's name. They were thrown away; start at byte 0."
        return cls(422, "hash_mismatch", message, retryable=True)

    @classmethod
    def storage(cls):
        """No 503 and no Retry-After: those would hold up the events, which need no room in the filestore."""
        message = "The server could not keep this photo and logged why. Keep it and send it again."
        return cls(507, "storage", message, retryable=True)

    @classmethod
    def busy(cls):
        headers = [("Retry-After", str(_BUSY_SECONDS))]
        return cls(503, "busy", "The server is busy. Nothing was stored; send it again.", True, headers)

    @classmethod
    def internal(cls):
        return cls(500, "internal", "The server failed and logged why. Nothing was stored; send it again.", True)

    @classmethod
    def from_http(cls, error):
        """Odoo's or werkzeug's own refusal of a call, in our words."""
        if isinstance(error, RequestEntityTooLarge):
            return cls.too_large(request.httprequest.max_content_length)
        if error.code == 404:
            return cls(404, "not_found", "This server has no such call.", retryable=True)
        return cls(
            error.code or 500, "bad_request", error.description or "Refused.", retryable=(error.code or 500) >= 500
        )
