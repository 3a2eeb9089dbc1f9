{
    "name": "Warehouse Exceptions: Documents (Enterprise)",
    "summary": "Photos of cases as documents, linked and not copied (not tested with Enterprise)",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "documents"],
    "auto_install": True,
}
