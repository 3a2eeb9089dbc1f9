# Plain Python: nothing below this folder imports Odoo, so all of it can be tested with the wire's vectors alone.
from . import (
    bundle,
    chain,
    cloud_event,
    coding,
    enrolment,
    filestore,
    gtin,
    jose,
    members,
    precision,
    quantity,
    request_token,
    strict_json,
)
