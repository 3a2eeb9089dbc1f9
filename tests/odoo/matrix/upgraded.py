# After the upgrade from the first release.
from datetime import timedelta

from odoo import fields

cases = env["warehouse.exception.case"].search([], order="id")
now = fields.Datetime.now()
module = env["ir.module.module"].search([("name", "=", CORE)])
check("the core has its new version", [] if module.installed_version.startswith("19.0.") and module.installed_version != "19.0.1.0.0"
      else [module.installed_version])
states_now = {kind: state for kind, state in cases.mapped(lambda case: (case.exception_type, case.state))}
expected = {"receiving_discrepancy": "received", "damaged": "needs_mapping", "pick_shortage": "open", "overage": "open",
            "location_mismatch": "resolved", "blocked_stock": "closed", "quality_hold": "cancelled",
            "return_discrepancy": "open", "cycle_count_variance": "closed"}
check("every case is in the state that it had", [f"{k}: {states_now.get(k)}" for k in expected if states_now.get(k) != expected[k]])

# --- people
rights = {login: {role for role in ("investigate", "execute", "close", "approve", "approve_finance", "release", "override")
                  if env["res.users"].with_context(active_test=False).search([("login", "=", login)]).has_group(f"{CORE}.group_{role}")}
          for login in ("old worker", "old boss", "old archived", "old implied", "old stockman")}
working = {"investigate", "execute", "close"}
check("users keep what they could do, and get no more", [f"{login}: {sorted(found)}" for login, found in rights.items()
      if found != (set() if login == "old stockman" else working)])

# --- steps
def path(kind):
    steps = cases.filtered(lambda case: case.exception_type == kind).step_ids
    return [(step.from_state, step.to_state) for step in steps]


paths = {
    "receiving_discrepancy": [],
    "damaged": [("received", "needs_mapping")],
    "pick_shortage": [("received", "needs_mapping"), ("needs_mapping", "open")],
    "overage": [("received", "open")],
    "location_mismatch": [("received", "open"), ("open", "resolved")],
    "blocked_stock": [("received", "open"), ("open", "resolved"), ("resolved", "closed")],
    "quality_hold": [("received", "open"), ("open", "cancelled")],
}
check("the chatter's steps are the cases' steps", [f"{kind}: {path(kind)}" for kind in paths if path(kind) != paths[kind]])
closed = cases.filtered(lambda case: case.exception_type == "blocked_stock")
who = closed.step_ids.mapped("user_id.login")
check("each step says who took it", [] if closed.step_ids[1].user_id.login == "old worker" and closed.step_ids[2].user_id.login ==
      "old boss" else who)
check("and that it was reconstructed", cases.step_ids.filtered(lambda step: "Reconstructed" not in (step.why or "")))
check("times don't run backwards", [step.case_id.name for step in cases.step_ids if step.seconds < 0 or step.at > now])

# --- clocks
live = cases.filtered(lambda case: case.state in ("received", "needs_mapping", "open"))
finished = cases.filtered("is_finished")
check("what is unfinished has a policy", live.filtered(lambda case: case.policy_id.exception_type != case.exception_type).mapped("name"))
check("and a deadline that counts from the upgrade", [case.name for case in live
      if not case.deadline_at or case.deadline_at < now + timedelta(hours=case.policy_id.deadline_hours - 1)])
check("and stands there since the upgrade", live.filtered(lambda case: case.state_since < now - timedelta(hours=1)).mapped("name"))
check("what is finished is untouched", finished.filtered(lambda case: case.policy_id or case.deadline_at or case.response_due
      or case.state_since > now - timedelta(days=30)).mapped("name"))
check("what is at stake is known", live.filtered(lambda case: case.product_id and case.amount_at_stake != 30).mapped("name"))

# --- afterwards
before = env["mail.activity"].search_count([("res_model", "=", "warehouse.exception.case")])
for cron in env["ir.cron"].search([("cron_name", "=like", "Warehouse exceptions%")]):
    cron.method_direct_trigger()
env.cr.commit()
env.invalidate_all()
asked = env["mail.activity"].search([("res_model", "=", "warehouse.exception.case")]).filtered(
    lambda todo: todo.res_id in (cases - cases.filtered(lambda case: case.exception_type == "receiving_discrepancy")).ids)
check("no job escalates anything because of the upgrade", asked.mapped("summary"))
received = cases.filtered(lambda case: case.exception_type == "receiving_discrepancy")
check("what was left as received is taken up", [] if received.state == "open" else [received.state, received.failure])
worker = env["res.users"].search([("login", "=", "old worker")])
live = cases.filtered(lambda case: case.exception_type == "overage").with_user(worker)
live.action_take()
env["warehouse.exception.action"]._propose(live, "accept")
live.action_submit()
resolved = cases.filtered(lambda case: case.state == "resolved").with_user(worker)
resolved.action_close()
check("who worked on cases goes on", [] if (live.state, resolved.state) == ("pending_approval", "closed") else [live.state])
check("every view loads", views_that_fail())
the_end()
