from . import path, escalation, telling, cases, findings, devices, settings
