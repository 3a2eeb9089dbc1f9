from odoo import api, models

from ..lib.quantity import plain


class ReportClaim(models.AbstractModel):
    """What the claim's template needs besides the claims."""

    _name = "report.warehouse_exception.report_claim_document"
    _description = "Printed supplier claim"

    @api.model
    def _get_report_values(self, docids, data=None):
        claims = self.env["warehouse.exception.claim"].browse(docids)
        claims.check_access("read")
        return {
            "doc_ids": docids,
            "doc_model": claims._name,
            # The evidence is shown to whoever may read the claim.
            "docs": claims.sudo(),
            "plain": plain,
            "time_zone": self.env.context.get("tz") or self.env.user.tz or "UTC",
        }
