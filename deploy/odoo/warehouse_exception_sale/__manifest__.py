{
    "name": "Warehouse Exceptions: Sale",
    "summary": "Links cases to sales orders, and tells who promised the goods",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "sale_stock"],
    "data": ["views/case.xml", "views/sale_order.xml"],
    "auto_install": True,
}
