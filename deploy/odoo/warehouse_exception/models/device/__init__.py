from . import device, key, enrolment, chain
from . import cases
