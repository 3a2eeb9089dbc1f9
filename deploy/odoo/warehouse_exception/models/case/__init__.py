from . import roles, case, references, resolver, step, life, stake, plan, respond, look, manual
