#!/usr/bin/env python3
"""Write the wire's test vectors, which both the Rust tests and the addon's own tests read.

    make_vectors.py           write the files
    make_vectors.py --check   fail when a file on disk is not what this script makes

Nothing here imports Tallyman's code, on either side: a vector made by the code that it tests proves nothing.
Every key, time and id is fixed, so the files only change when the protocol does. The keys are public knowledge
and must never sign anything real.
"""

import base64
import copy
import hashlib
import io
import json
import sys
import tarfile
import uuid
from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FOLDER = Path(__file__).resolve().parents[2] / "deploy/odoo/warehouse_exception/tests"
TARGET = FOLDER / "wire_v1.json"
BUNDLE = FOLDER / "bundle_v1.tar"

DEVICE = "6f1d5c1e-2d53-4c0a-9c39-0d1b6f1e8a77"
OTHER_DEVICE = "b1f2ce0a-93d4-4b6e-8a55-3f0f7c2d9e10"
AUDIENCE = "urn:uuid:0f4c9f0e-6d0b-4f54-a2d5-5f1e2b7c8d90"
ZEROS = "0" * 64
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MAX_INTEGER = 2**53 - 1  # RFC 7493, 2.2
NOW = 1795414353  # 2026-11-23T06:12:33Z


# --- JOSE, from the RFCs -------------------------------------------------------------------------------------------


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(obj):
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Key:
    def __init__(self, name, seed, device):
        self.name, self.seed, self.device = name, seed, device
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.x = b64(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        # RFC 7638: the required members only, in this order, without white space.
        self.thumbprint_input = '{"crv":"Ed25519","kty":"OKP","x":"%s"}' % self.x
        self.kid = b64(hashlib.sha256(self.thumbprint_input.encode()).digest())

    @property
    def jwk(self):
        return {"kty": "OKP", "crv": "Ed25519", "x": self.x}

    def sign(self, header, payload):
        """A compact JWS. `payload` is text, bytes or an object that is written compactly."""
        if not isinstance(payload, (str, bytes)):
            payload = compact(payload)
        if isinstance(payload, str):
            payload = payload.encode()
        if not isinstance(header, str):
            header = compact(header)
        signed = b64(header.encode()) + "." + b64(payload)
        return signed + "." + b64(self.private.sign(signed.encode()))

    def event(self, payload, **header):
        return self.sign({"alg": "EdDSA", "kid": self.kid, "typ": "event+jws", **header}, payload)

    def token(self, payload, **header):
        return self.sign({"alg": "EdDSA", "kid": self.kid, "typ": "request+jwt", **header}, payload)

    def enrolment(self, payload, **header):
        return self.sign({"alg": "EdDSA", "jwk": self.jwk, "typ": "enroll+jws", **header}, payload)

    def bundle(self, payload, **header):
        return self.sign({"alg": "EdDSA", "kid": self.kid, "typ": "bundle+jws", **header}, payload)

    def to_json(self):
        return {
            "name": self.name,
            "device": self.device,
            "d": b64(self.seed),
            "x": self.x,
            "thumbprint_input": self.thumbprint_input,
            "kid": self.kid,
        }


def fixed_seed(label):
    return hashlib.sha256(("tallyman wire v1 " + label).encode()).digest()


RFC8037 = Key("rfc8037", base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="), DEVICE)
OTHER = Key("other", fixed_seed("other"), OTHER_DEVICE)
STRANGER = Key("stranger", fixed_seed("stranger"), None)  # never enrolled

assert RFC8037.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037, appendix A.3


# --- Events --------------------------------------------------------------------------------------------------------


def millis(text):
    when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return round(when.timestamp() * 1000)


def uuid7(time, label):
    rand = int.from_bytes(fixed_seed(label)[:10], "big")
    value = (millis(time) << 80) | (7 << 76) | ((rand >> 62 & 0xFFF) << 64) | (2 << 62) | (rand & (2**62 - 1))
    return str(uuid.UUID(int=value))


def scan(role, raw, at, kind, source="dock-1", flaws=()):
    return {
        "role": role,
        "source": source,
        "at": at,
        "raw": b64(raw),
        "text": raw.decode("utf-8", "replace"),
        "kind": kind,
        "flaws": list(flaws),
    }


def without(members, name):
    return {key: value for key, value in members.items() if key != name}


def cloud_event(kind, time, sequence, prevhash, subject, data, source=DEVICE):
    return {
        "specversion": "1.0",
        "id": uuid7(time, f"event {sequence}"),
        "source": f"urn:uuid:{source}",
        "type": f"io.tallyman.exception.{kind}.v1",
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "sequence": f"{sequence:020d}",
        "prevhash": prevhash,
        "data": data,
    }


BOOT = "3c9d2b0e-8a41-4f27-9d57-6f0f1c2e4b5a"
PHOTO = b"\xff\xd8\xff\xe0 a stand-in for a photo \xff\xd9"

PICK_SHORTAGE = {
    "operator": {"badge": "EMP-0042"},
    "document": {"code": "WH/OUT/00012"},
    "bin": {"code": "A-03-02"},
    "item": {
        "code": "07032069804988",
        "gtin": "07032069804988",
        "lot": "L42",
        "serial": "S1",
        "expiry": "2027-01-31",
    },
    "quantity": {"expected": "8", "counted": "5", "unit": "Units"},
    "reason": "bin_empty",
    "note": "Bin is empty, the \u00e9tiquette is torn \u2013 3 missing",
    "photos": [
        {"sha256": hashlib.sha256(PHOTO).hexdigest(), "size": len(PHOTO), "media_type": "image/jpeg"},
        {"sha256": sha256("second photo"), "size": 81233, "media_type": "image/webp"},
    ],
    "scans": [
        scan("operator", b"EMP-0042", "2026-11-23T06:12:20.871Z", "plain"),
        scan("document", b"WH/OUT/00012", "2026-11-23T06:12:24.402Z", "plain"),
        scan("bin", b"A-03-02", "2026-11-23T06:12:28.100Z", "plain", source="page"),
        # FNC1 as GS (0x1D) between the lot and the serial; a stray byte that is not UTF-8 at the end.
        scan(
            "item",
            b"]C1010703206980498817270131\x1d10L42\x1d21S1\xff",
            "2026-11-23T06:12:31.004Z",
            "gs1",
            flaws=["not_utf8"],
        ),
    ],
    "clock": {"boot_id": BOOT, "boot_ms": 123456, "offset_ms": -1200, "offset_age_ms": 600000},
}
RECEIVING_DISCREPANCY = {
    "operator": {"badge": "EMP-0042"},
    "document": {"code": "P00011"},
    "item": {"code": "7032069804988"},
    "quantity": {"counted": "12.250", "unit": "kg"},
    "reason": "over_delivered",
    "scans": [without(scan("item", b"7032069804988", "2026-11-23T06:20:00.000Z", "gtin"), "flaws")],
    "clock": {"boot_id": BOOT, "boot_ms": 570333},
}
CYCLE_COUNT = {  # the least that a capture may say
    "bin": {"code": "WH/Stock/A-03-02"},
    "quantity": {"counted": "0"},
    "scans": [],
    "clock": {"boot_id": BOOT, "boot_ms": 900000},
}


def good_events():
    captured = [
        ("pick_shortage", "2026-11-23T06:12:33.123Z", "WH/OUT/00012", PICK_SHORTAGE),
        ("receiving_discrepancy", "2026-11-23T06:20:00.000Z", "P00011", RECEIVING_DISCREPANCY),
        ("cycle_count_variance", "2026-11-23T06:25:29.667Z", "WH/Stock/A-03-02", CYCLE_COUNT),
    ]
    return chained(captured, 1, ZEROS)


def clocks(after):
    """The chain goes on: what a device may know of its own clock."""
    notes = [
        {"offset_ms": -1200, "offset_age_ms": 600000, "uncertainty_ms": 2300},
        {"offset_ms": 0, "offset_age_ms": 0, "uncertainty_ms": 0},
        {"offset_ms": 1795413353000, "uncertainty_ms": MAX_INTEGER},
        {"offset_ms": -1200, "offset_age_ms": 600000},  # as devices wrote it before there was an uncertainty
        {},  # never heard a server's time
    ]
    captured = []
    for minute, note in enumerate(notes, start=30):
        data = {**CYCLE_COUNT, "clock": {"boot_id": BOOT, "boot_ms": 900000 + 60000 * minute, **note}}
        captured.append(("cycle_count_variance", f"2026-11-23T06:{minute}:00.000Z", "WH/Stock/A-03-02", data))
    rows = chained(captured, int(after["sequence"]) + 1, after["digest"])
    for row, note in zip(rows, notes, strict=True):
        row["offset_ms"], row["uncertainty_ms"] = note.get("offset_ms"), note.get("uncertainty_ms")
    return rows


def chained(captured, first, prevhash):
    chain = []
    for number, (kind, time, subject, data) in enumerate(captured, start=first):
        payload = cloud_event(kind, time, number, prevhash, subject, data)
        jws = RFC8037.event(payload)
        chain.append(
            {
                "name": f"{kind}, number {number} of its chain",
                "device": DEVICE,
                "kid": RFC8037.kid,
                "id": payload["id"],
                "sequence": payload["sequence"],
                "prevhash": prevhash,
                "payload": payload,
                "payload_text": compact(payload),
                "jws": jws,
                "digest": sha256(jws),
            }
        )
        prevhash = chain[-1]["digest"]
    return chain


# --- Events that must be refused -----------------------------------------------------------------------------------


def changed(payload, path, value):
    """A copy of `payload` with the member at the dotted `path` set, or removed when `value` is `...`."""
    result = copy.deepcopy(payload)
    *parents, last = path.split(".")
    target = result
    for name in parents:
        target = target[name]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return result


def flip_last_bits(jws):
    """The same signature bytes, spelled with trailing bits that are not zero."""
    last = ALPHABET.index(jws[-1])
    assert last % 16 == 0
    return jws[:-1] + ALPHABET[last + 1]


def bad_jws(good):
    payload, jws = good["payload"], good["jws"]
    head, body, signature = jws.split(".")
    ecdsa = compact({"alg": "ES256", "kid": RFC8037.kid, "typ": "event+jws"})
    twice = '{"alg":"none","alg":"EdDSA","kid":"%s","typ":"event+jws"}' % RFC8037.kid
    return [
        ("empty", ""),
        ("two parts only", f"{head}.{body}"),
        ("four parts", f"{jws}.{signature}"),
        ("padded base64", jws + "=="),
        ("base64 of the other alphabet", f"{head}.{body[:-1]}+.{signature}"),
        ("non-canonical base64 in the signature", flip_last_bits(jws)),
        ("white space inside", f"{head}.{body}\n.{signature}"),
        ("a signature of 63 bytes", f"{head}.{body}.{b64(base64.urlsafe_b64decode(signature + '==')[:63])}"),
        (
            "alg none without a signature",
            b64(compact({"alg": "none", "kid": RFC8037.kid, "typ": "event+jws"}).encode()) + f".{body}.",
        ),
        ("alg ES256", RFC8037.sign(ecdsa, payload)),
        ("alg in lower case", RFC8037.event(payload, alg="eddsa")),
        ("alg named twice", RFC8037.sign(twice, payload)),
        ("an extra crit header", RFC8037.event(payload, crit=["exp"], exp=NOW)),
        ("an extra header member", RFC8037.event(payload, cty="json")),
        ("typ of a request token", RFC8037.event(payload, typ="request+jwt")),
        ("typ missing", RFC8037.sign({"alg": "EdDSA", "kid": RFC8037.kid}, payload)),
        ("kid missing", RFC8037.sign({"alg": "EdDSA", "typ": "event+jws"}, payload)),
        ("kid that is not a string", RFC8037.event(payload, kid=7)),
        ("a header that is an array", RFC8037.sign("[]", payload)),
        ("a header that is not JSON", RFC8037.sign("alg=EdDSA", payload)),
        ("longer than 64 KiB", RFC8037.event(changed(payload, "data.note", "n" * 50000))),
    ]


def bad_signatures(good):
    payload, jws = good["payload"], good["jws"]
    head, body, signature = jws.split(".")
    tampered = b64(compact(changed(payload, "data.quantity.counted", "6")).encode())
    first = ALPHABET[ALPHABET.index(signature[0]) ^ 1]
    return [
        ("tampered payload", f"{head}.{tampered}.{signature}"),
        ("tampered signature", f"{head}.{body}.{first}{signature[1:]}"),
        ("kid of another known key", RFC8037.event(payload, kid=OTHER.kid)),
        ("signature of another event", f"{head}.{body}.{RFC8037.event({}).split('.')[2]}"),
    ]


def bad_contents(good):
    payload = good["payload"]
    nested = "[" * 20000 + "]" * 20000
    one_scan, one_photo = PICK_SHORTAGE["scans"][0], PICK_SHORTAGE["photos"][0]
    changes = [
        ("id missing", "id", ...),
        ("id that is no UUID", "id", "42"),
        ("id in upper case", "id", payload["id"].upper()),
        ("specversion 0.3", "specversion", "0.3"),
        ("source that is no urn:uuid", "source", DEVICE),
        ("type missing", "type", ...),
        ("time without milliseconds", "time", "2026-11-23T06:12:33Z"),
        ("time with an offset", "time", "2026-11-23T06:12:33.123+00:00"),
        ("time that is no date", "time", "2026-02-30T06:12:33.123Z"),
        ("sequence of 19 digits", "sequence", "0000000000000000001"),
        ("sequence as a number", "sequence", 1),
        ("sequence zero", "sequence", "0" * 20),
        ("prevhash in upper case", "prevhash", "A" * 64),
        ("prevhash too short", "prevhash", "0" * 63),
        ("data missing", "data", ...),
        ("data as text", "data", "{}"),
        ("counted missing", "data.quantity.counted", ...),
        ("quantity missing", "data.quantity", ...),
        ("exponent quantity", "data.quantity.counted", "1e3"),
        ("quantity as a number", "data.quantity.counted", 5),
        ("negative quantity", "data.quantity.counted", "-1"),
        ("quantity without a digit before the point", "data.quantity.counted", ".5"),
        ("quantity with a point at its end", "data.quantity.counted", "5."),
        ("quantity of 13 digits", "data.quantity.counted", "1" * 13),
        ("quantity with 7 decimals", "data.quantity.expected", "1.1234567"),
        ("quantity in Arabic digits", "data.quantity.counted", "\u0665"),
        ("item without a code", "data.item.code", ...),
        ("expiry that is no date", "data.item.expiry", "2027-02-31"),
        ("reason in upper case", "data.reason", "Bin_Empty"),
        ("reason of 41 characters", "data.reason", "r" * 41),
        ("note as an object", "data.note", {}),
        ("scans missing", "data.scans", ...),
        ("too many scans", "data.scans", [{**one_scan, "text": "x"}] * 65),
        ("a scan's raw that is no base64url", "data.scans", [{**one_scan, "raw": "*"}]),
        ("a scan's raw of 513 bytes", "data.scans", [{**one_scan, "raw": b64(b"x" * 513)}]),
        ("a flaw that is no text", "data.scans", [{**one_scan, "flaws": [1]}]),
        ("too many photos", "data.photos", [one_photo] * 17),
        ("a photo's digest in upper case", "data.photos", [{**one_photo, "sha256": "A" * 64}]),
        ("a photo of no bytes", "data.photos", [{**one_photo, "size": 0}]),
        ("a photo of more than 16 MiB", "data.photos", [{**one_photo, "size": 16777217}]),
        ("a photo's size as true", "data.photos", [{**one_photo, "size": True}]),
        ("a photo that is a PDF", "data.photos", [{**one_photo, "media_type": "application/pdf"}]),
        ("clock missing", "data.clock", ...),
        ("an offset as text", "data.clock.offset_ms", "-1200"),
        ("a negative uncertainty", "data.clock.uncertainty_ms", -1),
        ("an uncertainty with a fraction", "data.clock.uncertainty_ms", 0.5),
        ("an uncertainty as text", "data.clock.uncertainty_ms", "3000"),
        ("an uncertainty as true", "data.clock.uncertainty_ms", True),
        ("an uncertainty that not every JSON reader gets right", "data.clock.uncertainty_ms", MAX_INTEGER + 1),
    ]
    texts = [
        ("a payload that is not JSON", "counted=5"),
        ("a payload that is an array", "[]"),
        ("a payload that is not UTF-8", compact(payload).encode("utf-16")),
        ("a member named twice", compact(payload).replace('"specversion"', '"id":"x","specversion"')),
        ("NaN", compact(payload).replace('"boot_ms":123456', '"boot_ms":NaN')),
        (
            "half of a surrogate pair",
            compact(payload).replace('"bin_empty"', '"bin_empty","note":"\\ud800"').replace('"note":"Bin', '"n":"Bin'),
        ),
        ("nested too deep", compact(payload).replace('"data":{', '"deep":' + nested + ',"data":{', 1)),
    ]
    return [(name, changed(payload, path, value)) for name, path, value in changes] + texts


def bad_events(good):
    payload = good["payload"]
    rows = [(name, jws, "bad_jws") for name, jws in bad_jws(good)]
    rows += [(name, jws, "bad_signature") for name, jws in bad_signatures(good)]
    rows += [(name, RFC8037.event(content), "bad_event") for name, content in bad_contents(good)]
    rows += [
        ("a key that nobody enrolled", STRANGER.event(payload), "unknown_kid"),
        (
            "signed by another device",
            OTHER.event(changed(payload, "source", f"urn:uuid:{OTHER_DEVICE}")),
            "wrong_device",
        ),
        ("signed by another device in this one's name", OTHER.event(payload), "wrong_device"),
        (
            "the source of another device",
            RFC8037.event(changed(payload, "source", f"urn:uuid:{OTHER_DEVICE}")),
            "wrong_device",
        ),
        (
            "a kind that came later",
            RFC8037.event(changed(payload, "type", "io.tallyman.exception.spill.v1")),
            "unknown_type",
        ),
        (
            "a later version of a kind",
            RFC8037.event(changed(payload, "type", "io.tallyman.exception.pick_shortage.v2")),
            "unknown_type",
        ),
    ]
    return [{"name": name, "device": DEVICE, "jws": jws, "code": code} for name, jws, code in rows]


# --- Tokens, enrolments, codes -------------------------------------------------------------------------------------


def request_tokens(good):
    claims = {
        "iss": DEVICE,
        "aud": AUDIENCE,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "7f3c1d2e-4b5a-4c6d-8e7f-901a2b3c4d5e",
    }

    def with_(**members):
        return {name: value for name, value in {**claims, **members}.items() if value is not ...}

    head, body, signature = RFC8037.token(claims).split(".")
    longer = b64(compact(with_(exp=NOW + 300)).encode())
    rows = [
        ("good", RFC8037.token(claims), NOW, "ok"),
        ("good with a member from later", RFC8037.token(with_(scope="x")), NOW, "ok"),
        ("at its last second", RFC8037.token(claims), NOW + 119, "ok"),
        ("as long as it may be", RFC8037.token(with_(exp=NOW + 300)), NOW, "ok"),
        ("60 s ahead of the server", RFC8037.token(claims), NOW - 60, "ok"),
        ("61 s ahead of the server", RFC8037.token(claims), NOW - 61, "clock_skew"),
        ("at its expiry", RFC8037.token(claims), NOW + 120, "clock_skew"),
        ("years ago", RFC8037.token(claims), NOW + 10**8, "clock_skew"),
        ("lives 301 s", RFC8037.token(with_(exp=NOW + 301)), NOW, "unauthorized"),
        ("lives 0 s", RFC8037.token(with_(exp=NOW)), NOW, "unauthorized"),
        ("another audience", RFC8037.token(with_(aud="urn:uuid:" + OTHER_DEVICE)), NOW, "unauthorized"),
        ("audience in a list", RFC8037.token(with_(aud=[AUDIENCE])), NOW, "unauthorized"),
        ("another audience and outside its time", RFC8037.token(with_(aud="x")), NOW + 10**8, "unauthorized"),
        ("another device's name", RFC8037.token(with_(iss=OTHER_DEVICE)), NOW, "unauthorized"),
        ("no jti", RFC8037.token(with_(jti=...)), NOW, "unauthorized"),
        ("jti that is no UUID", RFC8037.token(with_(jti="1")), NOW, "unauthorized"),
        ("no exp", RFC8037.token(with_(exp=...)), NOW, "unauthorized"),
        ("iat with a fraction", RFC8037.token(with_(iat=NOW + 0.5)), NOW, "unauthorized"),
        ("iat as true", RFC8037.token(with_(iat=True, exp=60)), 30, "unauthorized"),
        ("iat as text", RFC8037.token(with_(iat=str(NOW))), NOW, "unauthorized"),
        ("tampered", f"{head}.{longer}.{signature}", NOW, "unauthorized"),
        ("tampered and outside its time", f"{head}.{longer}.{signature}", NOW + 10**8, "unauthorized"),
        ("an event in a token's place", good["jws"], NOW, "unauthorized"),
        ("typ JWT", RFC8037.token(claims, typ="JWT"), NOW, "unauthorized"),
        (
            "alg none",
            b64(compact({"alg": "none", "kid": RFC8037.kid, "typ": "request+jwt"}).encode()) + f".{body}.",
            NOW,
            "unauthorized",
        ),
        ("a key that nobody enrolled", STRANGER.token(claims), NOW, "unauthorized"),
        ("not a JWS", "token", NOW, "unauthorized"),
    ]
    return [
        {"name": name, "device": DEVICE, "audience": AUDIENCE, "token": token, "now": now, "outcome": outcome}
        for name, token, now, outcome in rows
    ]


def enrolments():
    code = "7K2QF-0H3MN-9PRST-VWXYZ"
    payload = {
        "code": code,
        "agent": "0.1.0",
        "hardware": {"machine_id_hash": sha256("a machine"), "model": "Rugged 10", "hostname": "dock-01"},
    }
    head, body, signature = RFC8037.enrolment(payload).split(".")
    with_private_half = {**RFC8037.jwk, "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
    rows = [
        ("good", RFC8037.enrolment(payload), "ok"),
        ("good without facts about the hardware", RFC8037.enrolment({**payload, "hardware": {}}), "ok"),
        ("signed by another key than the one shown", RFC8037.enrolment(payload, jwk=OTHER.jwk), "unauthorized"),
        ("tampered", f"{head}.{b64(compact({**payload, 'agent': '9'}).encode())}.{signature}", "unauthorized"),
        ("a key of 31 bytes", RFC8037.enrolment(payload, jwk={**RFC8037.jwk, "x": b64(b"x" * 31)}), "unauthorized"),
        ("another curve", RFC8037.enrolment(payload, jwk={**RFC8037.jwk, "crv": "X25519"}), "unauthorized"),
        ("the private half in the header", RFC8037.enrolment(payload, jwk=with_private_half), "unauthorized"),
        ("an event's typ", RFC8037.enrolment(payload, typ="event+jws"), "unauthorized"),
        ("a kid beside the jwk", RFC8037.enrolment(payload, kid=RFC8037.kid), "unauthorized"),
        ("not a JWS", "enrolment", "unauthorized"),
        ("no code", RFC8037.enrolment({"agent": "0.1.0", "hardware": {}}), "bad_request"),
        ("a code that is a number", RFC8037.enrolment({**payload, "code": 7}), "bad_request"),
        ("hardware as text", RFC8037.enrolment({**payload, "hardware": "x"}), "bad_request"),
        ("a payload that is not JSON", RFC8037.enrolment("code"), "bad_request"),
    ]
    return [
        {"name": name, "kid": RFC8037.kid, "jws": jws, "outcome": outcome, "code": code if outcome == "ok" else None}
        for name, jws, outcome in rows
    ]


GTIN = [
    ("7032069804988", "07032069804988"),  # GTIN-13
    ("07032069804988", "07032069804988"),  # the same in a GS1 element string
    ("96385074", "00000096385074"),  # GTIN-8
    ("614141007349", "00614141007349"),  # GTIN-12
    ("0614141007349", "00614141007349"),  # the same read as an EAN-13
    ("10614141007346", "10614141007346"),  # a case of them
    ("7032069804989", None),  # wrong check digit
    ("703206980498", None),  # twelve digits that are no GTIN-12
    ("0000007032069804988", None),  # longer than fourteen
    ("00000000000000", None),  # fourteen zeros
    ("703206980498A", None),
    (" 7032069804988", None),
    ("\u0667032069804988", None),  # a digit, but not one of GS1's
    ("A-03-02", None),
    ("", None),
]

CODES = [
    ("7K2QF-0H3MN-9PRST-VWXYZ", "7K2QF0H3MN9PRSTVWXYZ"),
    ("7k2qf-0h3mn-9prst-vwxyz", "7K2QF0H3MN9PRSTVWXYZ"),
    ("7K2QF0H3MN9PRSTVWXYZ", "7K2QF0H3MN9PRSTVWXYZ"),
    ("7K2QF-OH3MN-9PRST-VWXYZ", "7K2QF0H3MN9PRSTVWXYZ"),
    ("iIlL1-oO0AB-CDEFG-HJKMN", "11111000ABCDEFGHJKMN"),
    ("-7K2QF0H3MN9PRSTVWXYZ--", "7K2QF0H3MN9PRSTVWXYZ"),
    ("7K2QF-0H3MN-9PRST-VWXY", None),  # nineteen
    ("7K2QF-0H3MN-9PRST-VWXYZZ", None),  # twenty-one
    ("7K2QF-0H3MN-9PRST-VWXYU", None),  # U is not in the alphabet
    ("7K2QF 0H3MN 9PRST VWXYZ", None),
    ("7K2QF-0H3MN-9PR\u017fT-VWXYZ", None),  # a long s, which upper case would make an S
    ("", None),
]


# --- A bundle ------------------------------------------------------------------------------------------------------


def bundle(events):
    """What a device writes without a network: all its events, and the one photo of them that it still has."""
    lines = "".join(event["jws"] + "\n" for event in events).encode()
    photo = PICK_SHORTAGE["photos"][0]
    manifest = RFC8037.bundle(
        {
            "version": 1,
            "device": DEVICE,
            "audience": AUDIENCE,
            "created": "2026-11-23T07:00:00.000Z",
            "agent": "0.1.0",
            "events": {"count": len(events), "size": len(lines), "sha256": hashlib.sha256(lines).hexdigest()},
            "first": events[0]["sequence"],
            "last": events[-1]["sequence"],
            "photos": [photo],
        }
    )
    members = [("events.jws", lines), (f"photos/{photo['sha256']}", PHOTO), ("manifest.jws", manifest.encode())]
    return ustar(members), manifest


def ustar(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            header = tarfile.TarInfo(name)  # mode 0644, owner 0, time 0
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
    return file.getvalue()


def vectors():
    events = good_events()
    known_clocks = clocks(events[-1])
    tar, manifest = bundle(events + known_clocks)
    described = {
        "device": DEVICE,
        "audience": AUDIENCE,
        "manifest": manifest,
        "events": [event["digest"] for event in events + known_clocks],
        "photos": PICK_SHORTAGE["photos"][:1],
        "sha256": hashlib.sha256(tar).hexdigest(),
    }
    return tar, {
        "keys": [key.to_json() for key in (RFC8037, OTHER, STRANGER)],
        "events": events,
        "clocks": known_clocks,
        "bundle": described,
        "bad_events": bad_events(events[0]),
        "request_tokens": request_tokens(events[0]),
        "enrolments": enrolments(),
        "gtin": [{"given": given, "canonical": canonical} for given, canonical in GTIN],
        "codes": [{"given": given, "canonical": canonical} for given, canonical in CODES],
    }


def main():
    tar, described = vectors()
    made = {TARGET: (json.dumps(described, indent=1, ensure_ascii=True) + "\n").encode(), BUNDLE: tar}
    for target, data in made.items():
        if "--check" not in sys.argv[1:]:
            target.write_bytes(data)
            print(f"wrote {target} ({len(data)} bytes)")
        elif not target.exists() or target.read_bytes() != data:
            sys.exit(f"{target} is not what this script makes: run it without --check and look at the difference.")


if __name__ == "__main__":
    main()
