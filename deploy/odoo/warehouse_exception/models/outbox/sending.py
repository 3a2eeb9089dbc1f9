import email.utils
import logging
import random
import time
from datetime import timedelta

from odoo import api, fields, models

from ...lib import webhook as protocol
from ...lib.members import storable
from ..base.seal import unsealed

_logger = logging.getLogger(__name__)

AT_ONCE = 100
MAX_TRIES = 10
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)
# What is behind a failure of the same endpoint in the same run is looked at again then.
BEHIND = timedelta(minutes=1)
SHOWN = 200


class WarehouseExceptionWebhookDelivery(models.Model):
    _inherit = "warehouse.exception.webhook.delivery"

    @api.model
    def _cron_deliver(self):
        """One message a transaction. An endpoint that fails is left alone for the rest of the run, so that it can't use
        up the time of the others; nothing that goes wrong with one message reaches the job itself.
        """
        progress = self.env["ir.cron"]
        due = [("state", "=", "waiting"), ("next_at", "<=", fields.Datetime.now()), ("webhook_id.active", "=", True)]
        progress._commit_progress(remaining=self.search_count(due, limit=AT_ONCE + 1))
        failing = set()
        for delivery in self.search(due, order="next_at, id", limit=AT_ONCE):
            if delivery.webhook_id.id in failing:
                continue
            delivery = delivery.try_lock_for_update(allow_referencing=True).filtered_domain(due)
            if delivery and not delivery._send_and_note():
                failing.add(delivery.webhook_id.id)
            if not progress._commit_progress(1):
                break
        if self.search_count(due, limit=1):
            self._wake(fields.Datetime.now() + BEHIND if failing else None)

    def _send_and_note(self):
        """Send it once and write down what came of it. False: its endpoint had better be left alone for now."""
        self.ensure_one()
        now = fields.Datetime.now()
        noted = {"tries": self.tries + 1, "last_try_at": now, "last_status": 0, "last_error": False}
        try:
            reply = self._post()
        except protocol.Failed as error:
            return self._note_failure(noted, str(error), None)
        except Exception as error:  # its address, its secret, a bug: this message waits, the others go on
            _logger.exception("Delivery %s to endpoint %s could not be sent.", self.message_id, self.webhook_id.id)
            return self._note_failure(noted, type(error).__name__, None)
        noted["last_status"] = reply.status
        if 200 <= reply.status < 300:
            unsealed(self).write({**noted, "state": "delivered", "delivered_at": now})
            return True
        return self._note_failure(noted, self._in_words(reply), reply)

    def _post(self):
        webhook, body, timestamp = self.webhook_id, self.body.encode(), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tallyman",
            "webhook-id": self.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": webhook._signatures(self.message_id, timestamp, body),
        }
        return protocol.post(webhook.url, headers, body, webhook._allows_http())

    def _in_words(self, reply):
        if 300 <= reply.status < 400:
            return self.env._(
                "It answered with a redirect, which is not followed. Set the new address on the endpoint."
            )
        return storable(reply.body.decode(errors="replace"))[:SHOWN] or self.env._("It answered without a word.")

    def _note_failure(self, noted, why, reply):
        noted["last_error"] = why
        parked = noted["tries"] >= MAX_TRIES or (reply is not None and reply.status == 410)
        if parked:
            _logger.warning(
                "Delivery %s to endpoint %s is parked after %s tries.",
                self.message_id,
                self.webhook_id.id,
                noted["tries"],
            )
            unsealed(self).write({**noted, "state": "parked"})
        else:
            at = fields.Datetime.now() + self._delay(noted["tries"], reply)
            unsealed(self).write({**noted, "next_at": at})
            self._wake(at)
        # What it says about this message alone is no reason to hold up the next one.
        return reply is not None and 400 <= reply.status < 500 and reply.status not in (408, 429)

    @api.model
    def _delay(self, tries, reply):
        """Doubled at each try, with jitter, so that a server that comes back isn't met by all at once; longer if it
        asks for that.
        """
        backoff = min(FIRST_DELAY * 2 ** (tries - 1), LONGEST_DELAY)
        jittered = backoff * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        asked = self._asked_delay(reply and reply.retry_after)
        return max(jittered, min(asked, LONGEST_DELAY))

    @api.model
    def _asked_delay(self, text):
        text = (text or "").strip()
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text[:9]), 10**6))
        try:
            moment = email.utils.parsedate_to_datetime(text).timestamp()
        except (TypeError, ValueError):
            return timedelta()
        return timedelta(seconds=max(moment - time.time(), 0))
