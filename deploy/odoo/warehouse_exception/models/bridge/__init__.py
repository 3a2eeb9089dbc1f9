from . import adapter, task, filing, mirror, forget
