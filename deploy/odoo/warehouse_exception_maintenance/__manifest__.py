{
    "name": "Warehouse Exceptions: Maintenance",
    "summary": "Asks for maintenance where equipment did the damage",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "maintenance"],
    "data": ["views/case.xml"],
    "auto_install": True,
}
