from . import models
from .hooks import trigger_filing, unlink_documents
