from . import roles, case, references, resolver, prepare, step, life, stake, plan, respond, merge
