from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    exception_repeat_cases = fields.Integer("Repeated: cases", default=5)
    exception_repeat_days = fields.Integer("Repeated: days", default=14)
    exception_silent_hours = fields.Float("Silent device: hours", default=4)

    _exception_watch_positive = models.Constraint(
        "CHECK(exception_repeat_cases >= 0 AND exception_repeat_days BETWEEN 0 AND 366 AND exception_silent_hours >= 0)",
        "What is watched can't be negative, and a year is the longest time that is looked back. 0 switches it off.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    exception_repeat_cases = fields.Integer(related="company_id.exception_repeat_cases", readonly=False)
    exception_repeat_days = fields.Integer(related="company_id.exception_repeat_days", readonly=False)
    exception_silent_hours = fields.Float(related="company_id.exception_silent_hours", readonly=False)
    exception_webhook_http = fields.Boolean(
        "Webhooks without TLS", config_parameter="warehouse_exception.webhook_allow_http"
    )
