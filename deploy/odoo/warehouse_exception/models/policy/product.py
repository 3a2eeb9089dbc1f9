from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    exception_critical = fields.Boolean(
        "Critical for exceptions", help="Its exceptions are never below a threshold, and the approval matrix can ask more."
    )
