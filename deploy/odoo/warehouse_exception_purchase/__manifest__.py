{
    "name": "Warehouse Exceptions: Purchase",
    "summary": "Tells buyers what was wrong with a delivery, and claims by the order's price",
    "version": "19.0.2.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "purchase_stock"],
    "data": [
        "security/ir.model.access.csv",
        "views/case.xml",
        "views/claim.xml",
        "views/order.xml",
        "report/claim.xml",
    ],
    "auto_install": True,
}
