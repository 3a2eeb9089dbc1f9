{
    "name": "Warehouse Exceptions: Sale",
    "summary": "Links cases to sales orders",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "sale_stock"],
    "data": ["views/case.xml"],
    "auto_install": True,
}
