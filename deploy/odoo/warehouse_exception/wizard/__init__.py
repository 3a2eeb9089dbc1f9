from . import issue_code
