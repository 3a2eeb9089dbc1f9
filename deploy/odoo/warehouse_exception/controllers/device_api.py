"""The calls of `docs/protocol.md`. This file knows HTTP and hands everything else to the models."""

import re

from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..lib import cloud_event, coding, enrolment, request_token
from ..lib.strict_json import JsonError, loads_object
from ..models.device.cases import BadCursor
from ..models.device.device import Revoked
from ..models.device.enrolment import CodeInvalid
from ..models.event.evidence import NotStored
from .reply import BASE_PATH, Refusal, json_reply, server_time

MAX_EVENTS = 50
# Fifty of the largest events and the JSON around them.
MAX_EVENTS_BYTES = MAX_EVENTS * (cloud_event.MAX_JWS_BYTES + 16) + 1024
MAX_ENROLMENT_BYTES = 16 * 1024
PROFILE = {"version": 1}
# Events are text that repeats itself. Photos are compressed already, and an enrolment happens once.
EVENTS_CODINGS = (coding.GZIP,)

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# At most as many digits as a number that is compared with a size can need.
_BYTES = re.compile(r"[0-9]{1,10}", re.ASCII)


def _route(path, method, limit):
    """`auth='none'`: a device is no Odoo user, and its signature is checked below. It has no session to save either."""
    return http.route(
        BASE_PATH + path,
        methods=[method],
        type="http",
        auth="none",
        csrf=False,
        readonly=False,
        save_session=False,
        max_content_length=limit,
    )


class DeviceApi(http.Controller):
    @_route("enroll", "POST", MAX_ENROLMENT_BYTES)
    def enroll(self, **_query):
        text = self._json_body(MAX_ENROLMENT_BYTES).get("enrolment")
        if not isinstance(text, str):
            raise Refusal.bad_request('The call wants {"enrolment": "<jws>"}.')
        env = self._trusted_env()
        try:
            key = env["warehouse.exception.enrolment"]._redeem(enrolment.read(text))
        except enrolment.NotGenuine as error:
            raise Refusal.unauthorized(f"Enrolment: {error}.") from error
        except enrolment.NotReadable as error:
            raise Refusal.bad_request(f"Enrolment: {error}.") from error
        except CodeInvalid as error:
            raise Refusal.code_invalid() from error
        except Revoked as error:
            raise Refusal.revoked() from error
        return json_reply(self._welcome(key), 201)

    def _welcome(self, key):
        device = key.device_id
        return {
            "device": device.uuid,
            "name": device.name,
            "kid": key.kid,
            "audience": device._audience(),
            "warehouse": {"code": device.warehouse_id.code, "name": device.warehouse_id.name},
            "profile": PROFILE,
            "server_time": server_time(),
        }

    @_route("events", "POST", MAX_EVENTS_BYTES)
    def events(self, **_query):
        device = self._device()
        texts = self._json_body(MAX_EVENTS_BYTES, EVENTS_CODINGS).get("events")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise Refusal.bad_request('The call wants {"events": ["<jws>", ...]}.')
        if not 1 <= len(texts) <= MAX_EVENTS:
            raise Refusal.bad_request(f"A call carries 1 to {MAX_EVENTS} events.")
        results = device.env["warehouse.exception.ingest"]._receive(device, texts)
        device._touch()
        body = {"results": results, "server_time": server_time()}
        return json_reply(body, headers=[("Accept-Encoding", ", ".join(EVENTS_CODINGS))])

    @_route("evidence/<string:sha256>", "PUT", cloud_event.MAX_PHOTO_BYTES)
    def put_evidence(self, sha256, **_query):
        device = self._device()
        if request.httprequest.mimetype not in cloud_event.MEDIA_TYPES:
            raise Refusal.unsupported_media_type(cloud_event.MEDIA_TYPES)
        length = self._byte_header("Upload-Length", None)
        if length is not None and length > cloud_event.MAX_PHOTO_BYTES:
            raise Refusal.too_large(cloud_event.MAX_PHOTO_BYTES)
        offset, data = self._byte_header("Upload-Offset", 0), self._body(cloud_event.MAX_PHOTO_BYTES)
        try:
            outcome = device.env["warehouse.exception.evidence"]._receive(
                device, self._digest(sha256), offset, length, data
            )
        except NotStored as error:
            raise Refusal.storage() from error
        device._touch()
        return self._evidence_reply(outcome)

    def _evidence_reply(self, outcome):
        if outcome.name == "unknown":
            raise Refusal.unknown_evidence()
        if outcome.name == "offset_mismatch":
            raise Refusal.offset_mismatch(outcome.received)
        if outcome.name == "wrong_length":
            raise Refusal.bad_request("The event that names this photo tells another size.")
        if outcome.name == "hash_mismatch":
            # Answered, not raised: throwing the bytes away must be kept.
            return Refusal.hash_mismatch().get_response()
        complete = outcome.name == "complete"
        return json_reply({"received": outcome.received, "complete": complete}, 201 if complete else 200)

    @_route("evidence/<string:sha256>", "HEAD", 0)
    def head_evidence(self, sha256, **_query):
        device = self._device()
        progress = device.env["warehouse.exception.evidence"]._progress(device, self._digest(sha256))
        if progress is None:
            raise Refusal.unknown_evidence()
        received, size = progress
        return json_reply({}, headers=[("Upload-Offset", str(received)), ("Upload-Length", str(size))])

    @_route("cases", "GET", 0)
    def cases(self, since=None, **_query):
        device = self._device()
        try:
            page = device._cases_page(since)
        except BadCursor as error:
            raise Refusal.bad_request("This cursor is not one of ours. Ask again without `since`.") from error
        device._touch()
        return json_reply({**page, "server_time": server_time()})

    # --- What the calls share ---------------------------------------------------------------------------------------

    def _trusted_env(self):
        """The one place where a request without a user gets rights; the models check what a device may do."""
        return request.env(user=SUPERUSER_ID, su=True)

    def _device(self):
        """The device that signed this request, before a byte of its body is looked at."""
        scheme, _space, token = request.httprequest.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal.unauthorized("The request carries no token.")
        try:
            return self._trusted_env()["warehouse.exception.device"]._authenticate(token.strip())
        except request_token.TokenError as error:
            raise Refusal.unauthorized(f"Request token: {error}.") from error
        except request_token.ClockSkew as error:
            raise Refusal.clock_skew() from error
        except Revoked as error:
            raise Refusal.revoked() from error

    def _body(self, limit, codings=()):
        """The bytes, opened if they came in one of `codings`. The limit is that of both, as sent and opened.

        `get_data` keeps what was sent for when Odoo runs the call again after a serialization failure.
        """
        if (request.httprequest.content_length or 0) > limit:
            raise Refusal.too_large(limit)
        name = coding.coding(request.httprequest.headers.get("Content-Encoding"))
        if name != coding.IDENTITY and name not in codings:
            raise Refusal.unsupported_coding(codings or (coding.IDENTITY,))
        try:
            return coding.opened(request.httprequest.get_data(), name, limit)
        except coding.BrokenCoding as error:
            raise Refusal.bad_request(f"The body is {error}.") from error
        except coding.TooLarge as error:
            raise Refusal.too_large(limit) from error

    def _json_body(self, limit, codings=()):
        try:
            return loads_object(self._body(limit, codings))
        except JsonError as error:
            raise Refusal.bad_request(f"The body is {error}.") from error

    def _byte_header(self, name, default):
        value = request.httprequest.headers.get(name)
        if value is None:
            return default
        if not _BYTES.fullmatch(value):
            raise Refusal.bad_request(f"{name} must be a whole number of bytes.")
        return int(value)

    def _digest(self, sha256):
        if not _SHA256.fullmatch(sha256):
            raise Refusal.bad_request("Evidence is named by its SHA-256: 64 lower-case hexadecimal digits.")
        return sha256
