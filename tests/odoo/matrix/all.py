# Everything together, and then all of ours away.
button("install", sorted({CORE, *PARTNERS}))
check("every bridge whose partner is there came by itself", installed([CORE, *BRIDGES, *PARTNERS]))
check("every other one waits for its partner and disturbs nobody", [
    f"{name} is {state}" for name, state in states(ABSENT).items() if state not in ("uninstalled", "uninstallable")
])
case = some_cases()[0]
check("a case goes its way with all of them", [] if case.state == "open" and case.task_name else [case.state, case.task_name])
check("every view loads", views_that_fail())
modules = [CORE, *BRIDGES]
before = {module: belongings(module) for module in modules}
attachments = case.evidence_ids.attachment_id.ids
button("uninstall", [CORE])
check("the bridges go with the core", [f"{n} is {s}" for n, s in states(modules).items() if s != "uninstalled"])
check("the partners stay", installed(PARTNERS))
check("nothing is left behind", [one for module in modules for one in left_behind(module, before[module])])
check("nor what no external id leads to", traces_of_the_core())
check("every other view loads", views_that_fail())
check("the evidence went with its cases", env["ir.attachment"].browse(attachments).exists())
the_end()
