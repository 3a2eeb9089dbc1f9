# Run in Odoo's shell: a shelf of products with barcodes, two people with badges, and documents that expect something.
warehouse = env["stock.warehouse"].search([("code", "=", "WH")], limit=1)
stock = warehouse.lot_stock_id
bins = env["stock.location"].create(
    [{"name": code, "barcode": code, "location_id": stock.id} for code in ("A-03-02", "A-03-03", "B-01-01")]
)
products = env["product.product"].create(
    [
        {"name": name, "barcode": barcode, "is_storable": True}
        for name, barcode in (
            ("Green tea, 20 bags", "7032069804988"),
            ("Highlighter, yellow", "4006381333931"),
            ("Storage box, 40 l", "5901234123457"),
        )
    ]
)
env["hr.employee"].create([{"name": "Ada Picker", "barcode": "EMP7"}, {"name": "Ben Receiver", "barcode": "EMP8"}])
for product, place in zip(products, bins):
    quant = env["stock.quant"].with_context(inventory_mode=True)
    quant.create({"product_id": product.id, "location_id": place.id, "inventory_quantity": 60}).action_apply_inventory()

customer = env["res.partner"].create({"name": "Corner Shop Ltd."})
vendor = env["res.partner"].create({"name": "Tea & Co."})
tea, highlighter, box = products
# No two orders want the same product: an empty bin then says by itself which transfer it stops.
for lines in ([(tea, 8), (highlighter, 24)], [(box, 5)]):
    order = env["sale.order"].create(
        {
            "partner_id": customer.id,
            "order_line": [
                (0, 0, {"product_id": product.id, "product_uom_qty": quantity})
                for product, quantity in lines
            ],
        }
    )
    order.action_confirm()
    order.picking_ids.action_assign()
purchase = env["purchase.order"].create(
    {
        "partner_id": vendor.id,
        "order_line": [(0, 0, {"product_id": product.id, "product_qty": 12, "price_unit": 2}) for product in products],
    }
)
purchase.button_confirm()
env.cr.commit()
print("DONE=1")
