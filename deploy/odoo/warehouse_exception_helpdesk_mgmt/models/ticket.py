from odoo import fields, models


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    warehouse_exceptions = fields.Boolean(
        "Takes warehouse exceptions", help="Tickets that cases open go to this team. Of several, the company's own first."
    )


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    exception_case_id = fields.Many2one(
        "warehouse.exception.case", "Warehouse exception", readonly=True, index="btree_not_null", ondelete="restrict"
    )

    def write(self, vals):
        was_open = self.filtered(lambda ticket: ticket.exception_case_id and not ticket.closed)
        result = super().write(vals)
        for ticket in was_open.filtered("closed"):
            ticket.sudo().exception_case_id._task_reports(
                self.env._("The ticket %(number)s is closed: %(stage)s", number=ticket.number, stage=ticket.stage_id.name)
            )
        return result
