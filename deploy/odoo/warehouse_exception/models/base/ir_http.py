from psycopg2 import OperationalError
from werkzeug.exceptions import HTTPException

from odoo import models
from odoo.exceptions import ConcurrencyError
from odoo.http import request

from ...controllers.reply import BASE_PATH, Refusal


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _handle_error(cls, exception):
        """A device reads JSON only, also where the error comes from outside of its controllers."""
        if not request.httprequest.path.startswith(BASE_PATH) or isinstance(exception, Refusal):
            return super()._handle_error(exception)
        if isinstance(exception, OperationalError | ConcurrencyError):
            return Refusal.busy()
        if isinstance(exception, HTTPException):
            return Refusal.from_http(exception)
        return Refusal.internal()
