{
    "name": "Warehouse Exceptions: Documents (OCA)",
    "summary": "Photos of cases as documents, linked and not copied",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "LGPL-3",
    "depends": ["warehouse_exception", "dms"],
    "data": ["data/directory.xml"],
    "post_init_hook": "trigger_filing",
    "uninstall_hook": "unlink_documents",
    "auto_install": True,
}
