# The core with nothing else but stock, and its uninstallation from there.
bridges = [name for name, state in states(BRIDGES).items() if state == "installed"]
check("no bridge came without its partner", bridges)
check("every view of the core loads", views_that_fail({name for name in env if name.startswith("warehouse.exception")}))
case = some_cases()[0]
check("a case is made, and a person is asked where there is no quality app", [] if case.task_name and not case.task_id else ["no"])
before = belongings(CORE)
button("uninstall", [CORE])
check("the core leaves nothing behind", left_behind(CORE, before) + traces_of_the_core())
check("every other view loads", views_that_fail())
product = env["product.product"].create({"name": "After", "is_storable": True})
stock = env["stock.warehouse"].search([], limit=1).lot_stock_id
env["stock.quant"]._update_available_quantity(product, stock, 5)
scrap = env["stock.scrap"].create({"product_id": product.id, "scrap_qty": 2, "location_id": stock.id})
scrap.do_scrap()
check("stock works as before", [] if product.qty_available == 3 and scrap.state == "done" else [product.qty_available])
the_end()
