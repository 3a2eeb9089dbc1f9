from unittest.mock import patch

from odoo.tests import tagged

from ..models.device import device
from .common import ExceptionCommon, Handheld


@tagged("post_install", "-at_install")
class TestDevice(ExceptionCommon):
    """What the pages of devices cost, however much a device has reported."""

    def setUp(self):
        super().setUp()
        self.handheld = Handheld("handheld")  # the same key, at the beginning of its chain

    def _case_count(self):
        self.device.invalidate_recordset(["case_count"])
        return self.device.case_count

    def test_more_cases_than_anybody_counts_are_not_counted(self):
        self.assertEqual(self._case_count(), "0")
        self.receive(self.handheld.event(), self.handheld.event())
        with patch.object(device, "MAX_COUNTED", 2):
            self.assertEqual(self._case_count(), "2")
            self.receive(self.handheld.event(), self.handheld.event())
            self.assertEqual(self._case_count(), "2+")

    def test_the_list_of_devices_counts_no_cases(self):
        view = self.env["warehouse.exception.device"].get_view(view_type="list")["arch"]
        self.assertIn("incident_count", view)
        self.assertNotIn("case_count", view)
