from . import import_bundle, issue_code
from . import settle_claim
from . import add_evidence
