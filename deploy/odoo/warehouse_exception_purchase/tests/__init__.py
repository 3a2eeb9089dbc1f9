from . import test_case, test_supplier_return
from . import test_case
from . import test_receiving
from . import test_credit
