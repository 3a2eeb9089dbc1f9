from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.base.seal import unsealed
from ..models.hold import sweep
from .test_hold import HoldCommon


@tagged("post_install", "-at_install")
class TestSweep(HoldCommon):
    """The daily look for expired lots."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.use_expiration_date = True
        cls.warehouse.exception_lead_id = cls.as_manager
        cls.lots = cls.lot
        for name in ("L-2", "L-3"):
            lot = cls.env["stock.lot"].create({"name": name, "product_id": cls.product.id})
            cls.stock(cls, 5, lot=lot)
            cls.lots |= lot
        cls.lots.expiration_date = fields.Datetime.now() + timedelta(days=9)

    @contextmanager
    def _in_test(self, left=1):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: left):
            yield

    def _sweep(self):
        with self._in_test():
            self.holds._cron_sweep_expired()
        return self.holds.search([("lot_id", "in", self.lots.ids)])

    def _expire(self, lots):
        lots.expiration_date = fields.Datetime.now() - timedelta(days=1)

    def test_an_expired_lot_on_stock_is_locked_once_and_the_lead_is_told(self):
        self.reserved(8)
        self.assertFalse(self._sweep())
        self._expire(self.lot)
        hold = self._sweep()
        self.assertEqual((hold.lot_id, hold.reason, hold.state, hold.case_id.id), (self.lot, "expired", "active", False))
        self.assertEqual((self.on_hand(lot=self.lot), self.reserved_of()), (10, 0))
        self.assertEqual(self.lot.activity_ids.user_id, self.as_manager)
        self.assertEqual(self._sweep(), hold)
        self.assertEqual(len(self.lot.activity_ids), 1)

    def test_what_is_nowhere_or_was_released_for_that_date_is_left_alone(self):
        gone, freed = self.lots[1], self.lots[2]
        self._expire(gone | freed)
        self.env["stock.quant"]._update_available_quantity(self.product, self.bin, -5, lot_id=gone)
        self.place(lot=freed, reason="expired")._release("approved")
        self.assertEqual(self._sweep().mapped("state"), ["released"])
        freed.expiration_date -= timedelta(days=1)
        self.assertEqual(self._sweep().filtered(lambda hold: hold.state == "active").lot_id, freed)

    def test_a_run_is_bounded_and_the_next_one_goes_on(self):
        self._expire(self.lots)
        cron = self.env.ref("warehouse_exception.cron_sweep_expired")
        with patch.object(sweep, "AT_ONCE", 2):
            self.assertEqual(len(self._sweep()), 2)
            self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]))
            self.assertEqual(len(self._sweep()), 3)

    def test_a_run_ends_when_its_time_is_over(self):
        self._expire(self.lots)
        with self._in_test(left=0):
            self.holds._cron_sweep_expired()
        self.assertEqual(self.holds.search_count([("lot_id", "in", self.lots.ids)]), 1)

    def test_of_two_workers_one_makes_the_entry(self):
        self._expire(self.lot)
        stale = self.holds._expired_and_free(9, self.lot)
        self._sweep()
        for lot, company in stale:
            self.holds._sweep(lot, company)
        self.assertEqual(self.holds.search_count([("lot_id", "=", self.lot.id)]), 1)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._entry()

    def _entry(self):
        values = {"company_id": self.company.id, "product_id": self.product.id, "lot_id": self.lot.id}
        unsealed(self.holds).create({**values, "reason": "expired"})

    def test_an_entry_that_only_the_database_knows_of_stops_nobody(self):
        """The other worker's entry is committed but not in this one's snapshot."""
        self._expire(self.lots[:2])
        self._entry()
        found = [(lot, self.company) for lot in self.lots[:2]]
        model = self.env.registry["warehouse.exception.hold"]
        with (
            patch.object(model, "_expired_and_free", lambda *args: found),
            patch.object(model, "_place", _make),
            mute_logger("odoo.sql_db"),
        ):
            self._sweep()
        self.assertEqual(self.holds.search([("lot_id", "in", self.lots.ids)]).lot_id, self.lots[:2])


def _make(holds, company, product, reason, lot, note):
    values = {"company_id": company.id, "product_id": product.id, "lot_id": lot.id, "reason": reason, "note": note}
    return unsealed(holds).create(values).with_env(holds.env)
