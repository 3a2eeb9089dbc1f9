from . import finish, facts, approval_facts, pareto, baseline
