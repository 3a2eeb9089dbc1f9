from . import event, scan, evidence, incident, ingest, bundle, chain, clock, facts, repeat, store, traffic
from . import event, scan, evidence, incident, ingest, bundle, chain, clock
from . import added, retention
