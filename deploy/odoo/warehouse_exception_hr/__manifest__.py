{
    "name": "Warehouse Exceptions: Employees",
    "summary": "Links cases to the employee whose badge was read",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "hr"],
    "data": ["views/case.xml"],
    "auto_install": True,
}
