"""How fast a batch of events is received, beside a bare `create` of the very same records. For tests and benchmarks."""

import statistics
import time
from contextlib import contextmanager

from .common import photo

MODELS = (
    "warehouse.exception.case",
    "warehouse.exception.event",
    "warehouse.exception.scan",
    "warehouse.exception.evidence",
    "mail.message",
)
# Fields that name a record of another of the models; a message names its case by `res_id`.
LINKS = {"case_id": MODELS[0], "event_id": MODELS[1]}


class Stock:
    """Products, bins and transfers for reports that name some of their own each."""

    def __init__(self, common, count):
        env, warehouse = common.env, common.warehouse
        self.codes = [f"SPEED-{number}" for number in range(count)]
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
            operator={"badge": "E42"},
            reason="bin_empty",
            scans=[{**scan, "role": "item"}, {**scan, "role": "bin"}],
            photos=[photo(f"{new} {handheld.sequence}".encode())],
        )


@contextmanager
def recorded(env, made):
    """Notes in `made` each `create` of MODELS: (model, context, values, ids)."""
    originals = {}

    def noting(name, original):
        def create(records, vals_list):
            values = [dict(vals) for vals in vals_list]
            created = original(records, vals_list)
            made.append((name, records.env.context, values, created.ids))
            return created

        return create

    for name in MODELS:
        cls = env.registry[name]
        originals[cls] = cls.__dict__.get("create")
        cls.create = noting(name, cls.create)
    try:
        yield
    finally:
        for cls, original in originals.items():
            if original is None:
                del cls.create
            else:
                cls.create = original


def create_bare(env, made):
    """The same records again, by one `create` for each that was noted, and nothing else."""
    ids = {name: {} for name in MODELS}
    for name, context, values, old in made:
        values = [_plain(env[name], vals, ids) for vals in values]
        created = env[name].with_context(**context).create(values)
        ids[name] |= dict(zip(old, created.ids, strict=True))
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


def timed(env, work):
    env.flush_all()
    env.invalidate_all()
    began = time.perf_counter()
    work()
    env.flush_all()
    return time.perf_counter() - began


def compare(common, size=50, rounds=7):
    """(seconds to receive `size` events, seconds to create their records), the medians of `rounds` in turn."""
    env, stock = common.env, Stock(common, size)
    received, bare = [], []
    for number in range(rounds + 1):
        texts = stock.events(common.handheld, size, new=str(number))
        made = []
        with undone(env), recorded(env, made):
            common.ingest._receive(common.device, texts)
        with undone(env):
            first = timed(env, lambda texts=texts: common.ingest._receive(common.device, texts))
        with undone(env):
            second = timed(env, lambda made=made: create_bare(env, made))
        if number:  # the first warms up what is loaded once
            received.append(first)
            bare.append(second)
    return statistics.median(received), statistics.median(bare)
