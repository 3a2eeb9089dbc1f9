"""How fast a batch of events is received, beside a bare `create` of the very same records. For tests and benchmarks."""

import os
import statistics
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from odoo.tools import SQL

from .common import photo

MODELS = (
    "warehouse.exception.case",
    "warehouse.exception.event",
    "warehouse.exception.scan",
    "warehouse.exception.evidence",
    "warehouse.exception.step",
    "mail.message",
)
# Fields that name a record of another of the models; a message names its case by `res_id`.
LINKS = {"case_id": MODELS[0], "event_id": MODELS[1]}


class Stock:
    """Products, bins and transfers for reports that name some of their own each."""

    def __init__(self, common, count):
        env, warehouse, label = common.env, common.warehouse, common.handheld.uuid[:8].upper()
        self.codes = [f"{label}-{number}" for number in range(count)]
        self.products = env["product.product"].create(
            [{"name": code, "barcode": code, "is_storable": True} for code in self.codes]
        )
        env["stock.location"].create(
            [{"name": f"B-{c}", "barcode": f"B-{c}", "location_id": warehouse.lot_stock_id.id} for c in self.codes]
        )
        places = {
            "location_id": warehouse.lot_stock_id.id,
            "location_dest_id": env.ref("stock.stock_location_customers").id,
        }
        if "hr.employee" in env:
            env["hr.employee"].create({"name": label, "barcode": label, "company_id": warehouse.company_id.id})
        self.badge = label
        env["stock.picking"].create(
            [
                {
                    "name": f"D-{product.barcode}",
                    "picking_type_id": warehouse.out_type_id.id,
                    "move_ids": [(0, 0, {"product_id": product.id, "product_uom_qty": 8, **places})],
                    **places,
                }
                for product in self.products
            ]
        )

    def events(self, handheld, count, kind="damaged", new=""):
        """Events as the floor makes them: two scans and a photo each, and every code known here."""
        return [self._event(handheld, self.codes[number % len(self.codes)], kind, new) for number in range(count)]

    def _event(self, handheld, code, kind, new):
        scan = {"source": "dock-1", "at": "2026-11-23T06:12:31.004Z", "raw": "QQ", "text": code, "kind": "plain"}
        return handheld.event(
            kind,
            item={"code": code},
            bin={"code": f"B-{code}"},
            document={"code": f"D-{code}"},
            quantity={"expected": "8", "counted": "5", "unit": "Units"},
            operator={"badge": self.badge},
            reason="bin_empty",
            scans=[{**scan, "role": "item"}, {**scan, "role": "bin"}],
            photos=[photo(f"{new} {handheld.sequence}".encode())],
        )


@contextmanager
def recorded(env, made):
    """Notes in `made` what is created of MODELS, by `create` or `_insert`: (model, context, values, ids)."""

    def noting(name, original):
        def create(records, vals_list):
            values = [dict(vals) for vals in vals_list]
            created = original(records, vals_list)
            made.append((name, records.env.context, values, created.ids if created else []))
            return created

        return create

    with ExitStack() as patches:
        for name in MODELS:
            cls = env.registry[name]
            for method in {"create", "_insert"} & set(dir(cls)):
                patches.enter_context(patch.object(cls, method, noting(name, getattr(cls, method))))
        yield


def create_bare(env, made):
    """The same records again, by one `create` for each that was noted, and nothing else."""
    ids = {name: {} for name in MODELS}
    for name, context, values, old in made:
        values = [_plain(env[name], vals, ids) for vals in values]
        created = env[name].with_context(**context).create(values)
        ids[name] |= dict(zip(old, created.ids, strict=False))
    env.flush_all()


def _plain(model, vals, ids):
    """The values as anybody would give them: without what is computed, and with the records of this run."""
    plain = {name: value for name, value in vals.items() if not model._fields[name].compute}
    for link, of in LINKS.items():
        if link in plain and model._fields[link].type == "many2one":
            plain[link] = ids[of][plain[link]]
    if model._name == "mail.message":
        plain["res_id"] = ids[MODELS[0]][plain["res_id"]]
    return plain


@contextmanager
def undone(env):
    savepoint = env.cr.savepoint(flush=True)
    try:
        yield
    finally:
        savepoint.close(rollback=True)
        env.invalidate_all()


class Busy:
    """Seconds in which this process or its PostgreSQL backend computed. Unlike the time on the wall they tell the same
    on a machine that has other things to do. With a database elsewhere it is the time on the wall after all.
    """

    def __init__(self, env):
        is_local = SQL("inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr()")
        [(pid, local)] = env.execute_query(SQL("SELECT pg_backend_pid(), %s", is_local))
        stat = Path(f"/proc/{pid}/schedstat")
        self._backend = stat if local and os.access(stat, os.R_OK) else None

    def spent(self):
        """(of Odoo, of PostgreSQL)."""
        if not self._backend:
            return time.perf_counter(), 0.0
        return time.process_time(), int(self._backend.read_text().split()[0]) / 1e9


def timed(env, busy, work):
    env.flush_all()
    env.invalidate_all()
    before = busy.spent()
    work()
    env.flush_all()
    return [after - since for since, after in zip(before, busy.spent(), strict=True)]


class Comparison(NamedTuple):
    """Seconds that a batch takes, the medians of several: (of Odoo, of PostgreSQL)."""

    received: tuple
    created: tuple

    @property
    def ratio(self):
        return sum(self.created) / sum(self.received)


def compare(common, size=50, rounds=15):
    """To receive `size` events, and to create their records bare, in turn."""
    env, stock, busy = common.env, Stock(common, size), Busy(common.env)
    received, created = [], []
    for number in range(rounds + 1):
        texts = stock.events(common.handheld, size, new=str(number))
        made = []
        with undone(env), recorded(env, made):
            common.ingest._receive(common.device, texts)
        with undone(env):
            first = timed(env, busy, lambda texts=texts: common.ingest._receive(common.device, texts))
        with undone(env):
            second = timed(env, busy, lambda made=made: create_bare(env, made))
        if number:  # the first warms up what is loaded once
            received.append(first)
            created.append(second)
    middle = [tuple(map(statistics.median, zip(*runs, strict=True))) for runs in (received, created)]
    return Comparison(*middle)
