from odoo import api, models


class WarehouseExceptionAdapter(models.AbstractModel):
    _inherit = "warehouse.exception.adapter"

    @api.model
    def _helpdesk_ticket(self, case):
        """A ticket for the first team of the case's company; the team assigns it, as it assigns its others."""
        earlier = super()._helpdesk_ticket(case)
        if earlier:
            return earlier
        team = self.env["helpdesk.team"].search([("company_id", "=", case.company_id.id)], order="sequence, id", limit=1)
        if not team:
            return None
        values = {"name": self._title(case), "description": self._as_html(case), "team_id": team.id}
        return self.env["helpdesk.ticket"].create(self._known("helpdesk.ticket", values))
