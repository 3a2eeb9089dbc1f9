# What the matrix's scripts share. They run in `odoo shell`, which gives them `env`; matrix.sh puts NAME, MODULES and the like
# in front of them. Each check prints one line, and the last line of a script says that it came to its end.
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

CORE = "warehouse_exception"


def check(what, wrong=()):
    """`wrong` has what is not as it should be; nothing of it, and the check passed."""
    wrong = [str(one) for one in wrong]
    print(f"matrix: {'FAILED' if wrong else 'ok'}: {NAME}: {what}" + (f": {'; '.join(wrong[:12])}" if wrong else ""))


def button(name, modules):
    """What a person does in the list of apps. The registry is another one afterwards."""
    env.invalidate_all()
    env["ir.module.module"].update_list()
    records = env["ir.module.module"].search([("name", "in", list(modules))])
    missing = set(modules) - set(records.mapped("name"))
    assert not missing, f"not on the addons path: {missing}"
    getattr(records, f"button_immediate_{name}")()
    renew()


def renew():
    global env
    env.cr.commit()
    env.transaction.reset()
    env = api.Environment(env.cr, SUPERUSER_ID, {})


def states(modules):
    env.cr.execute("SELECT name, state FROM ir_module_module WHERE name = ANY(%s)", [list(modules)])
    return dict(env.cr.fetchall())


def installed(modules):
    """For check(): those that are not."""
    found = states(modules)
    return [f"{name} is {found.get(name, 'unknown')}" for name in modules if found.get(name) != "installed"]


def views_that_fail(models=None):
    """Every view of these models (of all, if none are named) as a client asks for it."""
    wrong = []
    domain = [("type", "in", ("list", "form", "search", "kanban", "pivot", "graph", "calendar")), ("mode", "=", "primary")]
    for view in env["ir.ui.view"].search(domain + ([("model", "in", list(models))] if models else [])):
        if view.model not in env:
            wrong.append(f"{view.xml_id or view.name}: its model {view.model} is gone")
            continue
        try:
            with env.cr.savepoint():
                env[view.model].get_view(view.id, view.type)
        except Exception as error:
            wrong.append(f"{view.xml_id or view.name}: {error}".replace("\n", " ")[:300])
    return wrong


# --- What an addon leaves behind ------------------------------------------------------------------------------------------


def belongings(module):
    """Everything that is `module`'s alone: its records, the models' tables, the fields' columns."""
    env.cr.execute(
        """
        SELECT model, res_id, name FROM ir_model_data data
         WHERE module = %s AND NOT EXISTS (
               SELECT FROM ir_model_data other
                WHERE other.model = data.model AND other.res_id = data.res_id AND other.module != data.module)
        """,
        [module],
    )
    records = env.cr.fetchall()
    tables, columns = set(), set()
    for model, res_id, _name in records:
        if model == "ir.model":
            name = env["ir.model"].browse(res_id).model
            if name in env and not env[name]._abstract:
                tables.add(env[name]._table)
        elif model == "ir.model.fields":
            field = env["ir.model.fields"].browse(res_id)
            if field.model in env and env[field.model]._auto and field.store and field.ttype not in ("one2many", "many2many"):
                columns.add((env[field.model]._table, field.name))
    return records, tables, columns


def is_demo(model, name):
    """People, products and bins of the demo data stay: stock was moved with them, and its history keeps them."""
    return name.startswith("demo_") and not model.startswith("warehouse.exception")


def left_behind(module, before):
    records, tables, columns = before
    env.cr.execute("SELECT model, name FROM ir_model_data WHERE module = %s", [module])
    wrong = [f"external id {name} ({model})" for model, name in env.cr.fetchall() if not is_demo(model, name)]
    for model, res_id, name in records:
        if not is_demo(model, name) and model in env and not env[model]._abstract and env[model].with_context(active_test=False).browse(res_id).exists():
            wrong.append(f"record {name} ({model})")
    env.cr.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", [sorted(tables)])
    wrong += [f"table {name}" for (name,) in env.cr.fetchall()]
    env.cr.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    wrong += [f"column {table}.{column}" for table, column in columns & set(env.cr.fetchall())]
    return wrong


def traces_of_the_core():
    """What no external id leads to."""
    wrong = []
    questions = {
        "table %s": "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'warehouse\\_exception%%'",
        "column %s": """SELECT table_name || '.' || column_name FROM information_schema.columns
                         WHERE table_schema = 'public'
                           AND (column_name LIKE 'exception\\_%%' OR column_name LIKE 'warehouse\\_exception%%')
                           AND table_name ~ '^(stock|product|res|purchase|sale|account|hr|helpdesk|qc|dms|maintenance)_'""",
        "model %s": "SELECT model FROM ir_model WHERE model LIKE 'warehouse.exception%%'",
        "cron %s": "SELECT cron_name FROM ir_cron WHERE cron_name LIKE 'Warehouse exceptions%%'",
        "access %s": "SELECT name FROM ir_model_access WHERE model_id NOT IN (SELECT id FROM ir_model)",
        "rule %s": "SELECT name FROM ir_rule WHERE model_id NOT IN (SELECT id FROM ir_model)",
        "attachment of %s": "SELECT DISTINCT res_model FROM ir_attachment WHERE res_model LIKE 'warehouse.exception%%'",
        "message of %s": "SELECT DISTINCT model FROM mail_message WHERE model LIKE 'warehouse.exception%%'",
        "activity of %s": "SELECT DISTINCT res_model FROM mail_activity WHERE res_model LIKE 'warehouse.exception%%'",
        "follower of %s": "SELECT DISTINCT res_model FROM mail_followers WHERE res_model LIKE 'warehouse.exception%%'",
    }
    for words, question in questions.items():
        env.cr.execute(question, [])
        wrong += [words % row for row in env.cr.fetchall()]
    return wrong


# --- Cases to lose or to keep ---------------------------------------------------------------------------------------------

PHOTO = b"\x89PNG\r\n\x1a\n a photo of a dented box"


def some_cases():
    """A device that has reported, a photo, and a task for quality: through the same doors as in real life."""
    from odoo.addons.warehouse_exception.tests.common import Handheld, photo

    handheld = Handheld("matrix")
    warehouse = env["stock.warehouse"].search([], limit=1)
    device = env["warehouse.exception.device"].create({"name": "MATRIX", "uuid": handheld.uuid, "warehouse_id": warehouse.id})
    env["warehouse.exception.device.key"].create({"device_id": device.id, "kid": handheld.kid, "x": handheld.x})
    product = env["product.product"].create({"name": "Matrix cod", "default_code": "MATRIX", "is_storable": True})
    product.standard_price = 7
    named = photo(PHOTO, "image/png")
    events = [
        handheld.event("damaged", item={"code": "MATRIX"}, photos=[named]),
        handheld.event("quality_hold", item={"code": "MATRIX"}),
        handheld.event("pick_shortage", item={"code": "unknown"}),
    ]
    results = env["warehouse.exception.ingest"]._receive(device, events)
    assert [result["status"] for result in results] == ["created"] * 3, results
    env["warehouse.exception.evidence"]._receive(device, named["sha256"], 0, len(PHOTO), PHOTO)
    cases = env["warehouse.exception.case"].search([("device_id", "=", device.id)], order="id")
    for case in cases.filtered("response_due"):
        case._respond_and_settle()
        assert not case.failure, case.failure
    cases[0]._open_quality_task()
    for evidence in cases.evidence_ids:
        evidence._file()
    env.cr.commit()
    return cases


def the_end():
    print(f"matrix: end: {NAME}")
