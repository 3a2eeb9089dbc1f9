from odoo.addons.warehouse_exception.models.base.seal import unsealed

from .models.document import EVIDENCE


def trigger_filing(env):
    env.ref("warehouse_exception.cron_file_evidence")._trigger()


def unlink_documents(env):
    """The documents go with this addon, the photos stay: DMS would delete a file together with its document."""
    files = env["dms.file"].with_context(active_test=False).search([("attachment_id.res_model", "=", EVIDENCE)])
    unsealed(files.with_context(dms_file=True)).unlink()
    env.cr.execute("UPDATE warehouse_exception_evidence SET filed_at = NULL WHERE filed_at IS NOT NULL")
