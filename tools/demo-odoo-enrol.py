# Run in Odoo's shell: a one-time code for the demo's device, and a key to read the catalog with.
from datetime import datetime, timedelta

warehouse = env["stock.warehouse"].search([("code", "=", "WH")], limit=1)
code = env["warehouse.exception.enrolment"].issue_code("DEMO", warehouse.id, hours=1)
admin = env(user=env.ref("base.user_admin"))
key = admin["res.users.apikeys"]._generate("rpc", "tallyman demo", datetime.now() + timedelta(days=1))
env.cr.commit()
print(f"CODE={code['code']}")
print(f"API_KEY={key}")
