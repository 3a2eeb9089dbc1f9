from . import event, scan, evidence, incident, ingest, bundle, chain, clock, manual
