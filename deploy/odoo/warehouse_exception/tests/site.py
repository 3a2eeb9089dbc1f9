"""A device of a database that is really served, and its calls: for the tests and benchmarks in tests/odoo."""

import json
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from .common import Handheld


class Reply(NamedTuple):
    status: int
    body: dict
    headers: dict


class Site:
    """A new device in the main warehouse. Keep `label` unlike any other: keys are made from it."""

    def __init__(self, env, label, warehouse=None):
        self.env = env
        self.warehouse = warehouse or env["stock.warehouse"].search([("code", "=", "WH")], limit=1)
        self.handheld = Handheld(label)
        self.device = env["warehouse.exception.device"].create(
            {"name": label.upper(), "uuid": self.handheld.uuid, "warehouse_id": self.warehouse.id}
        )
        env["warehouse.exception.device.key"].create(
            {"device_id": self.device.id, "kid": self.handheld.kid, "x": self.handheld.x}
        )
        self.device = self.device.with_company(self.device.company_id)
        self.ingest = self.device.env["warehouse.exception.ingest"]
        self.audience = self.device._audience()


def post(url, site, texts, timeout=120):
    """`POST /events` as the device makes it. Uses no database, so that threads may call it."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname, address.port, timeout=timeout)
    try:
        headers = {"Authorization": f"Bearer {site.handheld.token(site.audience)}", "Content-Type": "application/json"}
        connection.request("POST", "/tallyman/v1/events", json.dumps({"events": texts}), headers)
        reply = connection.getresponse()
        return Reply(reply.status, json.loads(reply.read()), dict(reply.headers))
    finally:
        connection.close()
