{
    "name": "Warehouse Exceptions: Purchase",
    "summary": "Links cases to purchase orders",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "purchase_stock"],
    "data": ["views/case.xml"],
    "auto_install": True,
}
