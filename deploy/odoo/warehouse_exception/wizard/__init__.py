from . import import_bundle, issue_code, settle_claim, add_evidence, propose, reason, report
