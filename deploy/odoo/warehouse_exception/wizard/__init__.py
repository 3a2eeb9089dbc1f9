from . import import_bundle, issue_code
from . import add_evidence
