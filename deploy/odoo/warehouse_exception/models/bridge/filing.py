from odoo import api, fields, models

from ..base.seal import unsealed

AT_ONCE = 200


class WarehouseExceptionEvidence(models.Model):
    """Photos as documents of another app. It happens after the device has its answer: filing may fail, a receipt not."""

    _inherit = "warehouse.exception.evidence"

    filed_at = fields.Datetime("Shown as a document since", readonly=True)

    _unfiled_index = models.Index("(id) WHERE complete AND filed_at IS NULL")

    def _attach(self, data, complete):
        result = super()._attach(data, complete)
        if complete and self.env["warehouse.exception.adapter"]._files_evidence():
            self.env.ref("warehouse_exception.cron_file_evidence").sudo()._trigger()
        return result

    @api.model
    def _cron_file_evidence(self):
        """File what is complete, one photo a transaction; also what was there before the other app came."""
        adapter = self.env["warehouse.exception.adapter"]
        if not adapter._files_evidence():
            return
        unfiled = [("complete", "=", True), ("filed_at", "=", False), ("attachment_id", "!=", False)]
        progress = self.env["ir.cron"]
        progress._commit_progress(remaining=self.search_count(unfiled))
        for evidence in self.search(unfiled, order="id", limit=AT_ONCE):
            evidence = evidence.try_lock_for_update(allow_referencing=True).filtered_domain(unfiled)
            if evidence:
                evidence._file()
            if not progress._commit_progress(1):
                return
        if self.search_count(unfiled, limit=1):
            self.env.ref("warehouse_exception.cron_file_evidence")._trigger()

    def _file(self):
        self.ensure_one()
        adapter = self.env["warehouse.exception.adapter"].with_company(self.company_id)
        failure = self.case_id._attempt(lambda: adapter._file_evidence(self))
        if failure:
            self.case_id._message_log(
                body=self.env._(
                    "Photo %(photo)s could not be filed as a document: %(why)s", photo=self.sha256[:12], why=failure
                )
            )
        # Also what failed, so that one bad photo is not tried for ever: the photo itself is here in any case.
        unsealed(self).write({"filed_at": fields.Datetime.now()})
