# Core + the partners of one bridge: it comes by itself, works, and goes without a trace; the cases stay.
check("the bridge is not there before its partner", [f"{n} is {s}" for n, s in states([BRIDGE]).items() if s == "installed"])
button("install", PARTNERS)
check("the bridge came by itself", installed([BRIDGE, *PARTNERS]))
cases = some_cases()
ids, state = cases.ids, cases.mapped("state")
before = belongings(BRIDGE)
touched = {env["ir.model.fields"].browse(res_id).model for model, res_id, _name in before[0] if model == "ir.model.fields"}
touched |= {env["ir.ui.view"].browse(res_id).model for model, res_id, _name in before[0] if model == "ir.ui.view"}
touched = {name for name in touched if name} | {"warehouse.exception.case"}
check("the views load", views_that_fail(touched))
button("uninstall", [BRIDGE])
check("the bridge leaves nothing behind", left_behind(BRIDGE, before))
check("the core and the partner stay", installed([CORE, *PARTNERS]))
check("the views load without it", views_that_fail({name for name in touched if name in env}))
cases = env["warehouse.exception.case"].browse(ids)
kept = cases.exists() == cases and cases.mapped("state") == state and cases.evidence_ids._whole() == PHOTO
cases.web_read({"task_name": {}, "has_task": {}, "action_ids": {"fields": {"result": {}}}})
check("the cases and their photos stay", [] if kept else ["something is missing"])
the_end()
