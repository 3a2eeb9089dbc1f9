from . import account_move, action, case, claim
