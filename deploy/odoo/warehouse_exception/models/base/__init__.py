from . import append_only, ir_attachment, ir_http
