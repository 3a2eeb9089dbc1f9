from . import test_case, test_credit, test_receiving, test_supplier_return
