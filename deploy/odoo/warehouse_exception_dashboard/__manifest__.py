{
    "name": "Warehouse Exceptions: Dashboard",
    "summary": "The figures of cases and decisions as a spreadsheet dashboard",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "spreadsheet_dashboard"],
    "data": ["data/dashboard.xml"],
    "auto_install": True,
}
