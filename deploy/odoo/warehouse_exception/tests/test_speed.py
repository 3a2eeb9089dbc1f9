import logging

from odoo.tests import tagged

from .common import ExceptionCommon
from .speed import Stock, compare, undone

_logger = logging.getLogger(__name__)


@tagged("post_install", "-at_install")
class TestSpeed(ExceptionCommon):
    def _queries(self, stock, size):
        texts = stock.events(self.handheld, size, new=str(size))
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        results = self.receive(*texts)
        self.env.flush_all()
        self.assertEqual({result["status"] for result in results}, {"created"})
        self.assertEqual(len({result["case"] for result in results}), size)
        return self.env.cr.sql_log_count - before

    def test_a_batch_costs_as_many_queries_as_a_tenth_of_it(self):
        stock = Stock(self, 60)
        with undone(self.env):
            self._queries(stock, 5)  # warms up what is loaded once
        with undone(self.env):
            small = self._queries(stock, 10)
        with undone(self.env):
            large = self._queries(stock, 50)
        _logger.info("A batch of 10 costs %s queries, one of 50 %s.", small, large)
        self.assertLessEqual(large, small + 5)
        self.assertLess(large, 120)

    def test_duplicates_and_refusals_cost_as_many_queries_as_a_tenth_of_them(self):
        stock = Stock(self, 50)
        texts = stock.events(self.handheld, 50)
        self.receive(*texts)
        counts = []
        for size in (5, 50):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.receive(*texts[:size])
            self.receive(*(f"junk {size} {number}" for number in range(size)))
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 5)

    def test_receiving_is_not_much_slower_than_creating_the_same_records(self):
        found = compare(self)
        _logger.info("50 events: received in %.0f ms, created bare in %.0f ms.", *(sum(of) * 1000 for of in found))
        self.assertGreaterEqual(found.ratio, 0.7, found)
