{
    "name": "Warehouse Exceptions: Tier Validation (OCA)",
    "summary": "Reviews in tiers, besides the approvals of a case",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Inventory",
    "author": "Tallyman",
    "license": "AGPL-3",
    "depends": ["warehouse_exception", "base_tier_validation"],
    "data": ["views/case.xml"],
    "auto_install": True,
}
