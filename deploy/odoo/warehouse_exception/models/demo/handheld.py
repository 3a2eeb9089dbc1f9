"""A handheld that lives in this process: it signs like a real one. For demo data only."""

import hashlib
import io
import json
import uuid

from PIL import Image, ImageDraw

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ...lib import jose


class Handheld:
    def __init__(self, label):
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:tallyman:demo:{label}"))
        self.private = Ed25519PrivateKey.generate()
        self.x = jose.b64encode(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        self.kid = jose.thumbprint(self.x)
        self.sequence = 0
        self.prevhash = "0" * 64

    def event(self, kind, captured, data):
        """The next event of this device's chain, signed."""
        self.sequence += 1
        payload = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": f"urn:uuid:{self.uuid}",
            "type": f"io.tallyman.exception.{kind}.v1",
            "time": captured.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "datacontenttype": "application/json",
            "sequence": f"{self.sequence:020d}",
            "prevhash": self.prevhash,
            "data": {
                "scans": self._scans(captured, data),
                "clock": {"boot_id": "demo", "boot_ms": 1, "offset_ms": 0, "uncertainty_ms": 150},
                **data,
            },
        }
        header = {"alg": "EdDSA", "kid": self.kid, "typ": "event+jws"}
        signed = ".".join(jose.b64encode(json.dumps(part).encode()) for part in (header, payload))
        jws = f"{signed}.{jose.b64encode(self.private.sign(signed.encode()))}"
        self.prevhash = jose.digest(jws)
        return jws

    def _scans(self, captured, data):
        """What was read to know it: each code of `data`, as one scan."""
        codes = [(role, data.get(role, {}).get("code")) for role in ("document", "bin", "item")]
        return [
            {
                "role": role,
                "source": "scanner-1",
                "at": captured.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "raw": jose.b64encode(code.encode()),
                "text": code,
                "kind": "gtin" if role == "item" else role,
                "flaws": [],
            }
            for role, code in codes
            if code
        ]


def photo(number, damaged=False):
    """A drawn box on a shelf, as PNG. `number` makes each another picture."""
    image = Image.new("RGB", (640, 480), (226, 224, 219))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 360, 640, 384), fill=(83, 101, 128))
    for post in (24, 600):
        draw.rectangle((post, 0, post + 16, 480), fill=(205, 104, 48))
    colours = ((181, 136, 86), (168, 124, 76), (193, 150, 101))
    for place in range(3):
        left = 70 + 175 * place
        top = 360 - 150 - 22 * ((number + place) % 3)
        draw.rectangle((left, top, left + 150, 359), fill=colours[(number + place) % 3], outline=(107, 76, 44), width=3)
        draw.rectangle((left + 62, top, left + 88, 359), fill=(214, 186, 140))
        draw.rectangle((left + 14, 310, left + 54, 344), fill=(245, 245, 240))
        for line in range(6):
            draw.line((left + 18 + 6 * line, 314, left + 18 + 6 * line, 338), fill=(20, 20, 20), width=1 + line % 3)
    if damaged:
        left = 70 + 175 * (number % 3)
        dent = [(left + 150, 250), (left + 96, 268), (left + 112, 300), (left + 80, 322), (left + 150, 344)]
        draw.polygon(dent, fill=(70, 45, 30))
        draw.ellipse((left + 60, 352, left + 190, 376), fill=(120, 84, 40))
    out = io.BytesIO()
    image.quantize(32).save(out, "PNG", optimize=True)
    return out.getvalue()


def digest(data):
    return hashlib.sha256(data).hexdigest()
