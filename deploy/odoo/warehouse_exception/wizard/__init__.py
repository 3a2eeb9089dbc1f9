from . import import_bundle, issue_code, propose, reason, report
