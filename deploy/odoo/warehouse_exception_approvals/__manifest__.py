{
    "name": "Warehouse Exceptions: Approvals (Enterprise)",
    "summary": "Shows the decisions that cases wait for in Approvals (not tested with Enterprise)",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "approvals"],
    "auto_install": True,
}
