# The first release at work: people, and cases in each of its states, some of them long ago. Its own code makes them.
from datetime import timedelta

from odoo import fields
from odoo.addons.warehouse_exception.tests.common import Handheld


def user(login, group):
    groups = [(6, 0, [env.ref(group).id])]
    return env["res.users"].create({"name": login, "login": login, "group_ids": groups})


worker, boss = user("old worker", "warehouse_exception.group_user"), user("old boss", "warehouse_exception.group_manager")
user("old archived", "warehouse_exception.group_user").active = False
user("old stockman", "stock.group_stock_user")
site = env["res.groups"].create({"name": "Site's own", "implied_ids": [(4, env.ref("warehouse_exception.group_user").id)]})
env["res.users"].create({"name": "old implied", "login": "old implied", "group_ids": [(6, 0, site.ids)]})

handheld = Handheld("old release")
warehouse = env["stock.warehouse"].search([], limit=1)
device = env["warehouse.exception.device"].create({"name": "OLD", "uuid": handheld.uuid, "warehouse_id": warehouse.id})
env["warehouse.exception.device.key"].create({"device_id": device.id, "kid": handheld.kid, "x": handheld.x})
product = env["product.product"].create({"name": "Old cod", "default_code": "OLD", "is_storable": True})
product.standard_price = 10

KINDS = ("receiving_discrepancy", "damaged", "pick_shortage", "overage", "location_mismatch", "blocked_stock", "quality_hold",
         "return_discrepancy", "cycle_count_variance")
wanted = ["received", "needs_mapping", "mapped", "open", "resolved", "closed", "cancelled", "open", "closed"]
quantity = {"expected": "8", "counted": "5"}
for kind, state in zip(KINDS, wanted, strict=True):
    code = "unknown" if state in ("needs_mapping", "mapped") else "OLD"
    [result] = env["warehouse.exception.ingest"]._receive(device, [handheld.event(kind, item={"code": code}, quantity=quantity)])
    case = env["warehouse.exception.case"].search([("name", "=", result["case"])])
    env.cr.commit()
    mine = case.with_user(worker)
    if state == "mapped":
        mine.product_id = product
        mine.action_map()
    if state == "cancelled":
        mine.action_cancel()
    if state in ("resolved", "closed"):
        mine.action_resolve()
        env.cr.commit()
    if state == "closed":
        case.with_user(boss).action_close()
    env.cr.commit()
    if state == "received":
        env.cr.execute("UPDATE warehouse_exception_case SET state = 'received' WHERE id = %s", [case.id])
# Ninety days ago, so that whatever looks at ages would have something to say about every one of them.
env.cr.execute("UPDATE warehouse_exception_case SET received_at = received_at - interval '90 days',"
               " captured_at = captured_at - interval '90 days', write_date = write_date - interval '89 days'")
env.cr.execute("UPDATE mail_message SET date = date - interval '89 days' WHERE model = 'warehouse.exception.case'")
env.cr.commit()
print("matrix: old:", [(one.exception_type, one.state) for one in env["warehouse.exception.case"].search([], order="id")])
check("the first release made cases in each of its states", {"received", "needs_mapping", "open", "resolved", "closed",
      "cancelled"} - set(env["warehouse.exception.case"].search([]).mapped("state")))
the_end()
