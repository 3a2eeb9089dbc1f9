{
    "name": "Warehouse Exceptions: Quality (OCA)",
    "summary": "Inspections for cases that quality must look at",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "AGPL-3",
    "depends": ["warehouse_exception", "quality_control_oca"],
    "data": ["data/trigger.xml", "views/inspection.xml"],
    "auto_install": True,
}
