from . import test_case, test_supplier_return
