"""Policies, deadlines and amounts for the cases that somebody still has to work on."""

import logging

from odoo import SUPERUSER_ID, api

_logger = logging.getLogger(__name__)

BATCH = 1000
UNFINISHED = ("received", "needs_mapping", "open")


def migrate(cr, version):
    if not version:
        return
    give_policies(cr)
    assess(cr)
    take_up_received(cr)


def give_policies(cr):
    """At this moment there are only the policies that come with the addon, which are everybody's. Deadlines count from
    now on, so that nothing is overdue because of the upgrade.
    """
    cr.execute(
        """
        UPDATE warehouse_exception_case exception
           SET policy_id = policy.id,
               deadline_at = now() AT TIME ZONE 'UTC' + policy.deadline_hours * interval '1 hour'
          FROM (SELECT DISTINCT ON (exception_type) id, exception_type, deadline_hours
                  FROM warehouse_exception_policy
                 WHERE active AND company_id IS NULL AND warehouse_id IS NULL AND categ_id IS NULL
                 ORDER BY exception_type, id) policy
         WHERE policy.exception_type = exception.exception_type
           AND exception.state IN %s
           AND exception.policy_id IS NULL
        """,
        [UNFINISHED],
    )
    _logger.info("%s unfinished cases have a policy, and a deadline that counts from now on.", cr.rowcount)


def assess(cr):
    """What is at stake, for the lists; before anybody is asked to approve it is computed anew in any case."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cases = env["warehouse.exception.case"]
    last = 0
    while batch := cases.search([("state", "in", UNFINISHED), ("id", ">", last)], order="id", limit=BATCH):
        last = batch[-1].id
        batch._assess()
        env.flush_all()
        env.invalidate_all()


def take_up_received(cr):
    """The first release sorted a case at once. What it left as received is sorted by the job now."""
    cr.execute("UPDATE warehouse_exception_case SET response_due = true WHERE state = 'received'")
