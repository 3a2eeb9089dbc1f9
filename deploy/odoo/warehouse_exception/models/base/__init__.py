from . import insert, append_only, ir_attachment, ir_http
