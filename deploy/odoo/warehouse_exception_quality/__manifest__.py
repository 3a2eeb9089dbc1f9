{
    "name": "Warehouse Exceptions: Quality (Enterprise)",
    "summary": "Quality alerts for cases that quality must look at (not tested with Enterprise)",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "quality_control"],
    "auto_install": True,
}
