from . import cause, kind, team, policy, matrix, product, warehouse
from . import evidence
