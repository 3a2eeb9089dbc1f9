from odoo import api, fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    exception_deadline_hours = fields.Float(
        "Deadline without a policy (hours)", default=48, help="For cases that no policy fits. Each policy has its own."
    )

    _exception_deadline_positive = models.Constraint(
        "CHECK(exception_deadline_hours > 0)", "A deadline can't be at once."
    )


class ResConfigSettings(models.TransientModel):
    """What holds for a whole company. All else is a policy's, a team's or a warehouse's; the page leads there."""

    _inherit = "res.config.settings"

    exception_deadline_hours = fields.Float(related="company_id.exception_deadline_hours", readonly=False)
    exception_policy_count = fields.Integer(compute="_compute_exception_counts")
    exception_team_count = fields.Integer(compute="_compute_exception_counts")
    exception_device_count = fields.Integer(compute="_compute_exception_counts")

    @api.depends("company_id")
    def _compute_exception_counts(self):
        for settings in self:
            ours = [("company_id", "in", (False, settings.company_id.id))]
            settings.exception_policy_count = self.env["warehouse.exception.policy"].search_count(ours)
            settings.exception_team_count = self.env["warehouse.exception.team"].search_count(ours)
            settings.exception_device_count = self.env["warehouse.exception.device"].search_count(
                [("company_id", "=", settings.company_id.id), ("state", "=", "active")]
            )
