import logging
import time
from collections import Counter

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools.misc import format_date

from ...lib import bundle as protocol
from .evidence import NotStored
from ..base.seal import unsealed

_logger = logging.getLogger(__name__)

# Imported while the person waits; a server ends a request that takes minutes. What is left goes on in the background.
SECONDS_AT_ONCE = 15
EVENTS_AT_ONCE = 50
LOOKED_UP_AT_ONCE = 1000
# Of so many photos that could not be stored, the record says why; the others are counted.
TOLD_PHOTOS = 10
# What a receipt says, and the field that counts it.
COUNTED = {
    "created": "created_count",
    "duplicate": "duplicate_count",
    "conflict": "conflict_count",
    "rejected": "rejected_count",
    "retry": "retry_count",
}


class WarehouseExceptionBundle(models.Model):
    """One import of a file that a device wrote without a network: who, when, and what became of it.

    The events in it go the same way as those that a device sends (`warehouse.exception.ingest`), so whichever comes
    second is a duplicate. The file itself is kept only until all of it is in.
    """

    _name = "warehouse.exception.bundle"
    _description = "Imported bundle"
    _inherit = ["warehouse.exception.append.only"]
    _order = "id desc"

    name = fields.Char("File", required=True)
    device_id = fields.Many2one("warehouse.exception.device", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="device_id.company_id", store=True)
    key_id = fields.Many2one("warehouse.exception.device.key", required=True, ondelete="restrict")
    digest = fields.Char("Manifest's digest", required=True, index=True, help="SHA-256 over the manifest.")
    manifest = fields.Text(required=True, help="What the device signed: a JWS that lists all that was in the file.")
    written_at = fields.Datetime("Written", required=True, help="By the device's clock.")
    agent_version = fields.Char()
    user_id = fields.Many2one("res.users", "Imported by", required=True, ondelete="restrict")
    imported_at = fields.Datetime("Imported", required=True, default=fields.Datetime.now)
    state = fields.Selection(
        [("importing", "Being imported"), ("done", "Imported"), ("stopped", "Stopped")],
        required=True,
        default="importing",
        index=True,
    )
    event_count = fields.Integer("Reports in it", required=True)
    created_count = fields.Integer("New")
    duplicate_count = fields.Integer("Here already")
    conflict_count = fields.Integer("In conflict")
    rejected_count = fields.Integer("Refused")
    retry_count = fields.Integer("Not acceptable yet", help="Kept by the device; import the file again later.")
    photo_count = fields.Integer("Photos in it", required=True)
    photo_created_count = fields.Integer("New photos")
    photo_duplicate_count = fields.Integer("Photos here already")
    photo_refused_count = fields.Integer("Photos of no report here")
    photo_failed_count = fields.Integer("Photos not stored", help="They are still in the file: import it again.")
    trouble = fields.Text("What went wrong", help="Why not all of the file is here.")
    incident_count = fields.Integer("Incidents", compute="_compute_incident_count")

    # Where the import goes on.
    next_byte = fields.Integer()
    next_photo = fields.Integer()
    attachment_id = fields.Many2one("ir.attachment", "File until it is imported", ondelete="restrict")

    @api.depends("conflict_count", "rejected_count", "retry_count")
    def _compute_incident_count(self):
        for bundle in self:
            bundle.incident_count = bundle.conflict_count + bundle.rejected_count + bundle.retry_count

    @api.depends("name", "imported_at", "user_id")
    def _compute_display_name(self):
        for bundle in self:
            day = bundle.imported_at and format_date(self.env, bundle.imported_at)
            bundle.display_name = f"{bundle.name} ({day}, {bundle.user_id.name})"

    @api.model
    def _look_up(self, device, opened):
        """How much of a Bundle is new here, by look-ups only. The names are those of `_foresee`, and "photo_new"."""
        counts = Counter(new=0, duplicate=0, refused=0, conflict=0)
        batch = []
        for text, _next in opened.texts():
            batch.append(text)
            if len(batch) == LOOKED_UP_AT_ONCE:
                counts.update(self.env["warehouse.exception.ingest"]._foresee(device, batch))
                batch = []
        counts.update(self.env["warehouse.exception.ingest"]._foresee(device, batch))
        wanted = [photo.sha256 for photo in opened.manifest.photos]
        complete = self.env["warehouse.exception.evidence"].search(
            [("device_id", "=", device.id), ("sha256", "in", wanted), ("complete", "=", True)]
        )
        here = [sha256 for sha256, evidence in complete.grouped("sha256").items() if evidence._is_settled()]
        return {**counts, "photo_new": len(set(wanted) - set(here))}

    @api.model
    def _start(self, name, device, key, opened):
        """Import a checked Bundle: all of it if it is small, else the rest in the background."""
        manifest = opened.manifest
        bundle = self.create(
            {
                "name": name,
                "device_id": device.id,
                "key_id": key.id,
                "digest": opened.digest,
                "manifest": opened.sealed.manifest_text,
                "written_at": manifest.created.replace(microsecond=0),
                "agent_version": manifest.agent,
                "user_id": self.env.uid,
                "event_count": manifest.event_count,
                "photo_count": len(manifest.photos),
            }
        )
        end = time.monotonic() + SECONDS_AT_ONCE
        while bundle.state == "importing" and time.monotonic() < end:
            bundle._step(opened)
        if bundle.state == "importing":
            bundle._keep_for_later(opened.sealed.data)
        return bundle

    def _keep_for_later(self, data):
        """Keep the file for the background. What is imported already stays, even if there is no room for that."""
        try:
            with self.env.cr.savepoint():
                self.env["ir.attachment"]._lay_down(data)
                attachment = self.env["ir.attachment"].create(
                    {"name": self.name, "raw": data, "res_model": self._name, "res_id": self.id}
                )
        except OSError as error:
            _logger.exception("The rest of %s can't be kept.", self.name)
            self._finish("stopped", self.env._("The server has no room to keep the file: %s.", error.strerror or error))
            return
        unsealed(self).write({"attachment_id": attachment.id})
        self.env.ref("warehouse_exception.cron_bundles")._trigger()

    def _step(self, opened):
        """The next few events, or the next photo, or the end."""
        if self.next_byte < opened.sealed.events.size:
            self._import_events(opened)
        elif self.next_photo < self.photo_count:
            self._import_photo(opened)
        else:
            self._finish("done")

    def _import_events(self, opened):
        texts, next_byte = [], self.next_byte
        for text, next_byte in opened.texts(self.next_byte):  # noqa: B007 - where the last one ends is used below
            texts.append(text)
            if len(texts) == EVENTS_AT_ONCE:
                break
        device = self._trusted_device()
        results = device.env["warehouse.exception.ingest"]._receive(device, texts)
        created = [result["digest"] for result in results if result["status"] == "created"]
        events = device.env["warehouse.exception.event"].search([("digest", "in", created)])
        unsealed(events).write({"bundle_id": self.id})
        self._add(Counter(COUNTED[result["status"]] for result in results), next_byte=next_byte)

    def _import_photo(self, opened):
        """One photo that can't be stored is counted, with why; nothing else waits for it or is undone."""
        photo, told = opened.manifest.photos[self.next_photo], {}
        try:
            with self.env.cr.savepoint():
                outcome = self._take_photo(photo, opened)
        except (OperationalError, ConcurrencyError):
            raise  # the whole request is tried again
        except Exception as error:
            if not isinstance(error, NotStored):  # that is logged
                _logger.exception("Photo %s of %s could not be stored.", photo.sha256, self.name)
            outcome = "photo_failed_count"
            if self.photo_failed_count < TOLD_PHOTOS:
                told = {"trouble": self._told(self._why(photo, error))}
        self._add({outcome: 1}, next_photo=self.next_photo + 1, **told)

    def _told(self, why):
        return "\n".join(filter(None, [self.trouble, why])) or False

    def _why(self, photo, error):
        if isinstance(error, NotStored):
            why = self.env._("the server's filestore did not take it (%s)", error)
        else:
            why = self.env._("the server failed on it (%s) and logged why", type(error).__name__)
        return self.env._("Photo %(name)s: %(why)s.", name=photo.sha256[:12], why=why)

    def _take_photo(self, photo, opened):
        device = self._trusted_device()
        evidence = device.env["warehouse.exception.evidence"]
        received, size = evidence._progress(device, photo.sha256) or (None, None)
        if received is None:
            return "photo_refused_count"
        if received == size:
            return "photo_duplicate_count"
        return self._put_photo(evidence, device, photo, opened.photo(photo.sha256), received)

    def _put_photo(self, evidence, device, photo, data, received):
        """Go on where the device had stopped; if those bytes were wrong, all of it."""
        for offset in (received, 0):
            outcome = evidence._receive(device, photo.sha256, offset, photo.size, data[offset:])
            if outcome.name == "complete":
                return "photo_created_count"
        return "photo_refused_count"

    def _trusted_device(self):
        """The device in the surroundings that its own calls have, whoever holds the file."""
        device = self.device_id.with_env(self.env(user=SUPERUSER_ID, su=True, context={}))
        return device.with_company(device.company_id)

    def _add(self, counts, **position):
        unsealed(self).write({**{name: self[name] + count for name, count in counts.items()}, **position})

    def _finish(self, state, why=None):
        kept = self.attachment_id
        unsealed(self).write({"state": state, "attachment_id": False, "trouble": self._told(why)})
        kept.unlink()

    def action_open_cases(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.case_action")
        return {**action, "domain": [("event_ids.bundle_id", "in", self.ids)], "context": {}}

    def action_open_incidents(self):
        return self.device_id.action_open_incidents()

    # --- In the background ------------------------------------------------------------------------------------------

    @api.model
    def _cron_import(self):
        for bundle in self.search([("state", "=", "importing"), ("attachment_id", "!=", False)], order="id"):
            try:
                bundle._import_the_rest()
            except (OperationalError, ConcurrencyError):
                raise  # the device sends the same events right now: the next run goes on
            except Exception as error:
                self.env.cr.rollback()
                _logger.exception("The import of %s stopped.", bundle.name)
                bundle._finish("stopped", bundle._why_stopped(error))
                self.env["ir.cron"]._commit_progress()

    def _why_stopped(self, error):
        if isinstance(error, protocol.BundleError):
            return self.env._("The copy of the file that the server kept meanwhile is damaged or gone.")
        return self.env._("The server failed (%s) and logged why.", type(error).__name__)

    def _import_the_rest(self):
        opened = protocol.unseal(protocol.read(self.attachment_id.raw), self.key_id.x)
        while self.state == "importing":
            self._step(opened)
            if not self.env["ir.cron"]._commit_progress(1, remaining=int(self.state == "importing")):
                return  # the time of this run is over; the next one goes on
