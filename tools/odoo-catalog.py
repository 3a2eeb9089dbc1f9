#!/usr/bin/env python3
"""Writes what a device should know offline, read from an Odoo 19 by its JSON-2 API.

    ODOO_URL=https://odoo.example.com ODOO_API_KEY=... [ODOO_DB=name] tools/odoo-catalog.py [WAREHOUSE] > catalog.json

A stop-gap until devices synchronise by themselves: run it whenever documents change. The user of the key needs to read
stock and employees. Without a WAREHOUSE code, the first warehouse is taken.
"""

import json
import os
import sys
import urllib.error
import urllib.request

DIRECTIONS = {"incoming": "receipt", "outgoing": "pick", "internal": "pick"}
LIMIT = 50_000


def call(model, method, **arguments):
    headers = {"Authorization": f"bearer {os.environ['ODOO_API_KEY']}", "Content-Type": "application/json"}
    if database := os.environ.get("ODOO_DB"):
        headers["X-Odoo-Database"] = database
    url = f"{os.environ['ODOO_URL'].rstrip('/')}/json/2/{model}/{method}"
    request = urllib.request.Request(url, json.dumps(arguments).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{model}.{method}: HTTP {error.code}: {error.read(500).decode(errors='replace')}")
    except urllib.error.URLError as error:
        sys.exit(f"{url}: {error.reason}")


def read(model, domain, fields):
    rows = call(model, "search_read", domain=domain, fields=fields, limit=LIMIT)
    if len(rows) == LIMIT:
        sys.exit(f"{model} has {LIMIT} rows or more that match: a part of them would be left out without a word.")
    return rows


def name_of(many2one):
    return many2one[1] if many2one else None


def main():
    for needed in ("ODOO_URL", "ODOO_API_KEY"):
        if not os.environ.get(needed):
            sys.exit(f"{needed} is not set.\n\n{__doc__}")
    named = [("code", "=", sys.argv[1])] if len(sys.argv) > 1 else []
    warehouses = read("stock.warehouse", named, ["view_location_id"])
    if not warehouses:
        sys.exit("There is no such warehouse.")
    here = warehouses[0]

    products = read("product.product", [("barcode", "!=", False)], ["barcode", "display_name", "uom_id"])
    codes = {product["id"]: product["barcode"] for product in products}
    bins = read(
        "stock.location",
        [("id", "child_of", here["view_location_id"][0]), ("usage", "=", "internal"), ("barcode", "!=", False)],
        ["barcode", "complete_name"],
    )
    bin_codes = {location["id"]: location["barcode"] for location in bins}
    pickings = read(
        "stock.picking",
        [("picking_type_id.warehouse_id", "=", here["id"]), ("state", "in", ["confirmed", "assigned"])],
        ["name", "picking_type_code"],
    )
    moves = read(
        "stock.move",
        [("picking_id", "in", [picking["id"] for picking in pickings]), ("state", "!=", "cancel")],
        ["picking_id", "product_id", "product_uom_qty", "product_uom", "move_line_ids"],
    )
    line_ids = [line for move in moves for line in move["move_line_ids"]]
    from_bin = {
        line["id"]: bin_codes.get(line["location_id"][0])
        for line in read("stock.move.line", [("id", "in", line_ids)], ["location_id"])
    }
    employees = read("hr.employee", [("barcode", "!=", False)], ["barcode", "name"])

    def line(move):
        bins_of_move = {from_bin.get(line) for line in move["move_line_ids"]} - {None}
        return {
            "product": codes[move["product_id"][0]],
            # A move that is picked from several bins is a question for the person at the bin.
            "bin": bins_of_move.pop() if len(bins_of_move) == 1 else None,
            "expected": f"{move['product_uom_qty']:.6f}".rstrip("0").rstrip("."),
            "unit": name_of(move["product_uom"]),
        }

    def document(picking):
        its_moves = [move for move in moves if move["picking_id"][0] == picking["id"] and move["product_id"][0] in codes]
        return {
            "code": picking["name"],
            "direction": DIRECTIONS[picking["picking_type_code"]],
            "lines": [line(move) for move in its_moves],
        }

    catalog = {
        "operators": [{"badge": employee["barcode"], "name": employee["name"]} for employee in employees],
        "bins": [{"code": location["barcode"], "name": location["complete_name"]} for location in bins],
        "products": [
            {"code": product["barcode"], "name": product["display_name"], "unit": name_of(product["uom_id"])}
            for product in products
        ],
        "documents": [document(picking) for picking in pickings if picking["picking_type_code"] in DIRECTIONS],
    }
    json.dump(catalog, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
