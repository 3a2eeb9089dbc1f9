"""The first release knew a case's state and nothing of its steps. The chatter tells most of them; the rest is said to be
unknown. An auditor must not take for a record what was reconstructed, so each such step says that it was.
"""

import logging

_logger = logging.getLogger(__name__)

WHY = "Reconstructed from the chatter when version 19.0.2.0.0 was installed."
# As the first release showed them, in the only language that it spoke.
STATES = {
    "Received": "received",
    "Needs mapping": "needs_mapping",
    "Open": "open",
    "Resolved": "resolved",
    "Closed": "closed",
    "Cancelled": "cancelled",
}
UNFINISHED = ("received", "needs_mapping", "open", "resolved")


def migrate(cr, version):
    if not version:
        return
    collect_told_steps(cr)
    add_first_steps(cr)
    add_last_steps(cr)
    write_steps(cr)
    date_states(cr)


def collect_told_steps(cr):
    """What the chatter tells, in the order in which it happened."""
    cr.execute(
        """
        CREATE TEMPORARY TABLE told ON COMMIT DROP AS
        SELECT message.res_id AS case_id, before.code AS from_state, after.code AS to_state, message.date AS at,
               coalesce(author.id, value.create_uid, 1) AS user_id, value.id AS place
          FROM mail_tracking_value value
          JOIN mail_message message ON message.id = value.mail_message_id
          JOIN ir_model_fields field ON field.id = value.field_id
          JOIN unnest(%(labels)s, %(codes)s) AS before(label, code) ON before.label = value.old_value_char
          JOIN unnest(%(labels)s, %(codes)s) AS after(label, code) ON after.label = value.new_value_char
          JOIN warehouse_exception_case ON warehouse_exception_case.id = message.res_id
          LEFT JOIN LATERAL (
               SELECT min(id) AS id FROM res_users WHERE partner_id = message.author_id
          ) author ON true
         WHERE message.model = 'warehouse.exception.case'
           AND field.model = 'warehouse.exception.case' AND field.name = 'state'
        """,
        {"labels": list(STATES), "codes": list(STATES.values())},
    )
    cr.execute("CREATE INDEX ON told (case_id, at, place)")


def add_first_steps(cr):
    """A case was sorted in the same moment in which it was made, which no chatter tells. The server did that."""
    cr.execute(
        """
        INSERT INTO told (case_id, from_state, to_state, at, user_id, place)
        SELECT exception.id, 'received', coalesce(first.from_state, exception.state), exception.received_at, 1, 0
          FROM warehouse_exception_case exception
          LEFT JOIN LATERAL (
               SELECT from_state FROM told WHERE case_id = exception.id ORDER BY at, place LIMIT 1
          ) first ON true
         WHERE coalesce(first.from_state, exception.state) IN ('needs_mapping', 'open')
        """
    )


def add_last_steps(cr):
    """Where the chatter doesn't lead to the state in which the case is: somebody may have deleted messages."""
    cr.execute(
        """
        INSERT INTO told (case_id, from_state, to_state, at, user_id, place)
        SELECT exception.id, coalesce(last.to_state, 'received'), exception.state,
               greatest(last.at, exception.received_at, exception.write_date), coalesce(exception.write_uid, 1), 2147483647
          FROM warehouse_exception_case exception
          LEFT JOIN LATERAL (
               SELECT to_state, at FROM told WHERE case_id = exception.id ORDER BY at DESC, place DESC LIMIT 1
          ) last ON true
         WHERE coalesce(last.to_state, 'received') != exception.state
        """
    )


def write_steps(cr):
    cr.execute(
        """
        INSERT INTO warehouse_exception_step (case_id, company_id, from_state, to_state, at, user_id, why, seconds,
                                              create_uid, create_date, write_uid, write_date)
        SELECT told.case_id, exception.company_id, told.from_state, told.to_state, told.at, told.user_id, %s,
               greatest(extract(epoch FROM told.at - coalesce(
                   lag(told.at) OVER (PARTITION BY told.case_id ORDER BY told.at, told.place), exception.received_at
               )), 0),
               1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
          FROM told
          JOIN warehouse_exception_case exception ON exception.id = told.case_id
         ORDER BY told.case_id, told.at, told.place
        """,
        [WHY],
    )
    _logger.info("%s steps of earlier cases were reconstructed from their chatter.", cr.rowcount)


def date_states(cr):
    """Finished cases say when that was. For the others the clock begins now: no rule that looks at how long a case has
    stood was there before, and none may go off for all of them at once.
    """
    cr.execute(
        """
        UPDATE warehouse_exception_case exception
           SET state_since = CASE WHEN exception.state IN %s THEN now() AT TIME ZONE 'UTC' ELSE coalesce(
                   (SELECT max(at) FROM warehouse_exception_step WHERE case_id = exception.id), exception.received_at
               ) END
         WHERE state_since IS NULL
        """,
        [UNFINISHED],
    )
