{
    "name": "Warehouse Exceptions: Automation rules",
    "summary": "Mails about cases, as rules that a site edits",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "base_automation"],
    "data": ["data/templates.xml", "data/rules.xml"],
    "auto_install": True,
}
