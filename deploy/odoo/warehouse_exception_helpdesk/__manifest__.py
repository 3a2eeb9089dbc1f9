{
    "name": "Warehouse Exceptions: Helpdesk (Enterprise)",
    "summary": "Tickets for cases that somebody else must look at (not tested with Enterprise)",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "helpdesk"],
    "auto_install": True,
}
