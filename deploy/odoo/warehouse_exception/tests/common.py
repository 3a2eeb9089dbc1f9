import errno
import hashlib
import io
import json
import os
import time
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from odoo.tests import TransactionCase

from odoo.addons.base.models import ir_attachment as odoos_filestore

from ..lib import cloud_event, filestore, jose

VECTORS = json.loads((Path(__file__).parent / "wire_v1.json").read_text())
GTIN_13 = "7032069804988"
ZEROS = "0" * 64


class Handheld:
    """The other end of the wire: signs like a device. Its keys are made from a label, so that tests repeat."""

    def __init__(self, label):
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())
        self.x = jose.b64encode(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        self.kid = jose.thumbprint(self.x)
        self.uuid = str(uuid.UUID(bytes=hashlib.md5(label.encode()).digest(), version=4))
        self.sequence = 0
        self.prevhash = ZEROS

    def sign(self, header, payload):
        signed = ".".join(jose.b64encode(json.dumps(part).encode()) for part in ({"alg": "EdDSA", **header}, payload))
        return f"{signed}.{jose.b64encode(self.private.sign(signed.encode()))}"

    def token(self, audience, age=0, **claims):
        now = int(time.time()) - age
        claims = {"iss": self.uuid, "aud": audience, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())} | claims
        return self.sign({"kid": self.kid, "typ": "request+jwt"}, claims)

    def enrolment(self, code):
        payload = {"code": code, "agent": "0.1.0", "hardware": {"model": "Rugged 10", "hostname": "dock-01"}}
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": self.x}
        return self.sign({"jwk": jwk, "typ": "enroll+jws"}, payload)

    def event(self, kind="pick_shortage", counted="5", event_id=None, **data):
        """The next event of this device's chain. What is named in `data` is added to the least that an event says."""
        self.sequence += 1
        jws = self.sign(
            {"kid": self.kid, "typ": "event+jws"},
            {
                "specversion": "1.0",
                "id": event_id or str(uuid.uuid4()),
                "source": f"urn:uuid:{self.uuid}",
                "type": f"io.tallyman.exception.{kind}.v1",
                "time": "2026-11-23T06:12:33.123Z",
                "datacontenttype": "application/json",
                "sequence": f"{self.sequence:020d}",
                "prevhash": self.prevhash,
                "data": {"quantity": {"counted": counted}, "scans": [], "clock": {"boot_id": "b", "boot_ms": 1}} | data,
            },
        )
        self.prevhash = jose.digest(jws)
        return jws


def photo(data, media_type="image/jpeg"):
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "media_type": media_type}


class Full(io.FileIO):
    """A new file on a disk that takes `room` bytes of it and no more."""

    def __init__(self, path, mode, room):
        super().__init__(path, mode)
        self.room = room

    def write(self, data):
        written = super().write(data[: self.room])
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written


@contextmanager
def full_disk(room=2):
    """Whoever makes a file, Odoo or this addon, gets `room` bytes of it onto the disk; the rest is refused."""

    def opened(path, mode="r", **options):
        return Full(path, mode, room) if mode in ("wb", "xb") else open(path, mode, **options)

    with ExitStack() as patches:
        for module in (filestore, odoos_filestore):
            patches.enter_context(patch.object(module, "open", opened, create=True))
        yield


class ExceptionCommon(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.ref("base.main_company")
        cls.env.user.company_id = cls.company
        cls.warehouse = cls.env["stock.warehouse"].create({"name": "Exception test", "code": "EXT"})
        cls.product = cls.env["product.product"].create(
            {"name": "Cod fillet", "barcode": GTIN_13, "default_code": "COD", "is_storable": True}
        )
        cls.bin = cls.env["stock.location"].create(
            {"name": "A-03-02", "barcode": "EXT-A-03-02", "location_id": cls.warehouse.lot_stock_id.id}
        )
        cls.handheld = Handheld("handheld")
        cls.device = cls.enrolled(cls.handheld)
        cls.ingest = cls.env["warehouse.exception.ingest"]
        # Which evidence a site asks for is told by the tests that are about it.
        cls.env["warehouse.exception.policy.evidence"].search([]).unlink()
        cls._set_aside_what_is_there()

    @classmethod
    def _set_aside_what_is_there(cls):
        """Demo data, or a site's own: no test of ours is about it, and jobs and policies would take it in."""
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE warehouse_exception_case SET state = 'closed', response_due = false, received_at = '2000-01-01'"
        )
        cls.env.cr.execute("UPDATE warehouse_exception_device SET state = 'revoked' WHERE id != %s", [cls.device.id])
        cls.env.invalidate_all()
        policies = cls.env["warehouse.exception.policy"].search([])
        shipped = [cls.env.ref(f"warehouse_exception.policy_{kind}").id for kind in cloud_event.KINDS]
        policies.filtered(lambda policy: policy.id not in shipped).active = False

    @classmethod
    def enrolled(cls, handheld, warehouse=None):
        device = cls.env["warehouse.exception.device"].create(
            {"name": "DOCK-01", "uuid": handheld.uuid, "warehouse_id": (warehouse or cls.warehouse).id}
        )
        cls.env["warehouse.exception.device.key"].create({"device_id": device.id, "kid": handheld.kid, "x": handheld.x})
        return device

    @classmethod
    def user(cls, login, *groups):
        return cls.env["res.users"].create(
            {"name": login, "login": login, "group_ids": [(6, 0, [cls.env.ref(group).id for group in groups])]}
        )

    ROLES = ("report", "investigate", "approve", "approve_finance", "execute", "release", "override", "close", "audit")

    @classmethod
    def people(cls):
        """A person for each role, and a second approver: no role has two of them."""
        for role in (*cls.ROLES, "user", "manager"):
            setattr(cls, f"as_{role}", cls.user(f"only {role}", f"warehouse_exception.group_{role}"))
        cls.as_approve_too = cls.user("also approves", "warehouse_exception.group_approve")

    def respond(self):
        """What the job does with all that is due. A response that failed is a failed test."""
        cases = self.env["warehouse.exception.case"].search([("response_due", "=", True)])
        for case in cases:
            case._respond_and_settle()
            self.assertFalse(case.failure)
        return cases

    def opened(self, jws):
        """The case of one event, after what happens by itself."""
        case = self.case_of(jws)
        self.respond()
        return case

    def decide_all(self, case, amount=None):
        """Every decision that the case waits for, each by another person who may; returns the steps."""
        taken = []
        people = {"operational": self.as_approve, "second": self.as_approve_too, "financial": self.as_approve_finance}
        for approval in case.approval_ids.filtered(lambda approval: approval.state == "waiting").sorted("sequence"):
            approval.with_user(people[approval.step]).action_approve()
            taken.append(approval.step)
        return taken

    def stock(self, quantity, location=None, product=None, lot=None):
        """Put `quantity` into a bin, as if it had always been there."""
        self.env["stock.quant"]._update_available_quantity(
            product or self.product, location or self.bin, quantity, lot_id=lot
        )

    def on_hand(self, location=None, product=None, lot=None):
        quants = self.env["stock.quant"]._gather(product or self.product, location or self.bin, lot_id=lot, strict=True)
        return sum(quants.mapped("quantity"))

    def picking(self, quantity=8, name="EXT/OUT/TEST", **values):
        source, destination = self.warehouse.lot_stock_id, self.env.ref("stock.stock_location_customers")
        places = {"location_id": source.id, "location_dest_id": destination.id}
        move = {"product_id": self.product.id, "product_uom_qty": quantity, **places}
        return self.env["stock.picking"].create(
            {
                "name": name,
                "picking_type_id": self.warehouse.out_type_id.id,
                "move_ids": [(0, 0, move)],
                **places,
                **values,
            }
        )

    def receive(self, *texts):
        return self.ingest._receive(self.device, list(texts))

    def case_of(self, jws):
        """The case that one event becomes."""
        [result] = self.receive(jws)
        self.assertEqual(result["status"], "created", result)
        return self.env["warehouse.exception.case"].search([("name", "=", result["case"])])

    # --- the filestore, below Odoo's feet

    def _stored_path(self, data):
        """Where the filestore has the file with these bytes."""
        checksum = hashlib.sha1(data).hexdigest()
        return Path(self.env["ir.attachment"]._full_path(f"{checksum[:2]}/{checksum}"))

    def tear(self, data, left=b""):
        """What a power failure leaves of a file. A new one: the old one may have other names (hard links)."""
        path = self._stored_path(data)
        self.lose(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(left)
        self.addCleanup(path.unlink, missing_ok=True)

    def lose(self, data):
        """What a backup of the database alone brings back: the rows, and no file."""
        self._stored_path(data).unlink(missing_ok=True)
