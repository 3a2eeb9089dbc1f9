{
    "name": "Warehouse Exceptions: Helpdesk (OCA)",
    "summary": "Tickets for cases that somebody else must look at",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "AGPL-3",
    "depends": ["warehouse_exception", "helpdesk_mgmt"],
    "data": ["views/helpdesk.xml"],
    "auto_install": True,
}
