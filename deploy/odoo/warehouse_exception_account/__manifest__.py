{
    "name": "Warehouse Exceptions: Accounting",
    "summary": "Drafts of credit notes from approved claims and confirmed shortages",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "account"],
    "data": ["views/policy.xml", "views/account_move.xml", "views/claim.xml"],
    "auto_install": True,
}
