from odoo.tests import BaseCase, tagged

from ..lib import quantity


@tagged("post_install", "-at_install")
class TestQuantity(BaseCase):
    def test_a_quantity_is_told_without_noise(self):
        told = {
            3.0: "3",
            0.5: "0.5",
            1234567.0: "1234567",
            0.1 + 0.2: "0.3",
            -3.0: "-3",
            -0.0: "0",
            0.000001: "0.000001",
        }
        for number, text in told.items():
            self.assertEqual(quantity.plain(number), text)
        self.assertEqual(quantity.plain(100), "100")
