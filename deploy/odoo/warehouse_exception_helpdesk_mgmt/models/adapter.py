from odoo import api, models


class WarehouseExceptionAdapter(models.AbstractModel):
    _inherit = "warehouse.exception.adapter"

    @api.model
    def _helpdesk_ticket(self, case):
        earlier = super()._helpdesk_ticket(case)
        if earlier:
            return earlier
        team = self.env["helpdesk.ticket.team"].search(
            [("warehouse_exceptions", "=", True), ("company_id", "in", (False, case.company_id.id))],
            order="company_id, id",
            limit=1,
        )
        return self.env["helpdesk.ticket"].create(
            {
                "name": self._title(case),
                "description": self._as_html(case),
                "team_id": team.id,
                "company_id": case.company_id.id,
                "user_id": False,  # nobody yet: the default would be whoever runs the job
                "exception_case_id": case.id,
            }
        )
