from . import claim, line, life, price, proposal, printing
