from . import device, key, enrolment, chain, cases
