from . import cause, kind, team, policy, matrix, product, warehouse, evidence, settings
