import base64
import binascii
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib import bundle as protocol

_logger = logging.getLogger(__name__)


class WarehouseExceptionImportBundle(models.TransientModel):
    """Takes a file that a device wrote without a network, shows what is inside, and imports it."""

    _name = "warehouse.exception.import.bundle"
    _description = "Import a bundle"

    file = fields.Binary(required=True)
    file_name = fields.Char()
    state = fields.Selection([("choose", "Choose"), ("look", "Look")], default="choose", required=True)

    device_id = fields.Many2one("warehouse.exception.device", readonly=True)
    written_at = fields.Datetime("Written", readonly=True, help="By the device's clock.")
    agent_version = fields.Char(readonly=True)
    event_count = fields.Integer("Reports in it", readonly=True)
    numbers = fields.Char(readonly=True)
    new_count = fields.Integer("New", readonly=True)
    duplicate_count = fields.Integer("Here already", readonly=True)
    refused_count = fields.Integer("Refused before", readonly=True)
    conflict_count = fields.Integer("In conflict", readonly=True)
    photo_count = fields.Integer("Photos in it", readonly=True)
    photo_new_count = fields.Integer("New photos", readonly=True)
    before_ids = fields.Many2many(
        "warehouse.exception.bundle", compute="_compute_before_ids", string="Imported before", readonly=True
    )
    digest = fields.Char(readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        try:
            for vals in vals_list:
                self._make_room(vals)
            return super().create(vals_list)
        except OSError as error:
            raise UserError(self._no_room(error)) from error

    def write(self, vals):
        self.check_access("write")
        try:
            self._make_room(vals)
            return super().write(vals)
        except OSError as error:
            raise UserError(self._no_room(error)) from error

    @api.model
    def _make_room(self, vals):
        """A file that the filestore took in part, when it was full, must be takeable when it has room again."""
        try:
            data = base64.b64decode(vals.get("file") or b"")
        except binascii.Error:
            return  # the field itself says so
        self.env["ir.attachment"]._lay_down(data)

    def _no_room(self, error):
        _logger.error("A bundle can't be kept in the filestore: %s.", error)
        return self.env._(
            "The server could not keep this file (%s), and nothing was imported. The device and this file still have "
            "everything. Have the server's disk looked at, then import the file again.",
            error.strerror or error,
        )

    @api.depends("digest")
    def _compute_before_ids(self):
        bundles = self.env["warehouse.exception.bundle"]
        for wizard in self:
            wizard.before_ids = wizard.digest and bundles.search([("digest", "=", wizard.digest)])

    def action_look(self):
        """Verify the file and show what importing it would do. Nothing is imported."""
        device, _key, opened = self._open()
        found = self.env["warehouse.exception.bundle"]._look_up(device, opened)
        manifest = opened.manifest
        self.write(
            {
                "state": "look",
                "device_id": device.id,
                "written_at": manifest.created.replace(microsecond=0),
                "agent_version": manifest.agent,
                "event_count": manifest.event_count,
                "numbers": self._numbers(manifest),
                "new_count": found["new"],
                "duplicate_count": found["duplicate"],
                "refused_count": found["refused"],
                "conflict_count": found["conflict"],
                "photo_count": len(manifest.photos),
                "photo_new_count": found["photo_new"],
                "digest": opened.digest,
            }
        )
        return self._show()

    def action_import(self):
        """Import the file, which is verified again: what was looked at before may be another by now."""
        device, key, opened = self._open()
        name = self.file_name or self.env._("bundle")
        bundle = self.env["warehouse.exception.bundle"].sudo()._start(name, device.sudo(), key, opened)
        return {
            "type": "ir.actions.act_window",
            "name": bundle.name,
            "res_model": bundle._name,
            "res_id": bundle.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "current",
        }

    def action_back(self):
        self.write({"state": "choose"})
        return self._show()

    def _show(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import a bundle"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def _numbers(self, manifest):
        if not manifest.first or not manifest.last:
            return False
        return self.env._("(number %(first)s to %(last)s)", first=int(manifest.first), last=int(manifest.last))

    # --- Trusting the file ------------------------------------------------------------------------------------------

    def _open(self):
        """(device, key, Bundle) of a file that is whole, for this database, and by a device that is trusted."""
        self.ensure_one()
        self.env["warehouse.exception.device"].check_access("write")
        try:
            sealed = protocol.read(self._content())
            key = self._key(sealed)
            opened = protocol.unseal(sealed, key.x)
            device = self._device(key, opened.manifest)
            opened.check()
        except protocol.BundleError as error:
            raise UserError(self._refusal(error)) from error
        return device, key, opened

    def _content(self):
        """The file as it was uploaded, without a detour through base64."""
        attachment = (
            self.env["ir.attachment"]
            .sudo()
            .search([("res_model", "=", self._name), ("res_field", "=", "file"), ("res_id", "=", self.id)], limit=1)
        )
        return attachment.raw or b""

    def _audience(self):
        return self.env["warehouse.exception.device"].sudo()._audience()

    def _key(self, sealed):
        key = self.env["warehouse.exception.device.key"].sudo().search([("kid", "=", sealed.kid)])
        if key:
            return key
        if sealed.peek_audience() != self._audience():
            raise UserError(self._other_database())
        raise UserError(self.env._("No device here has the key that signed this file. Find out which device wrote it."))

    def _device(self, key, manifest):
        device = key.device_id
        if manifest.audience != self._audience():
            raise UserError(self._other_database())
        if manifest.device != device.uuid:
            raise protocol.Changed("the device's name")
        if key.state == "revoked" or device.state == "revoked":
            raise UserError(
                self.env._(
                    "The device %s, or the key that signed this file, was revoked: what it signed is not trusted any "
                    "more. Nothing was imported. Keep the file.",
                    device.name,
                )
            )
        visible = self.env["warehouse.exception.device"].search([("id", "=", device.id)])
        if not visible:
            raise UserError(
                self.env._("This file is of another company's device. Switch to that company and import it.")
            )
        return visible

    def _other_database(self):
        return self.env._(
            "This file was written for another database: its device is enrolled there, or this database is a copy. "
            "Import it there."
        )

    def _refusal(self, error):
        if isinstance(error, protocol.NotABundle):
            return self.env._(
                "This is not a bundle. Choose the file that 'tallyman queue export' wrote, as it is: not unpacked, and "
                "not compressed."
            )
        if isinstance(error, protocol.CutOff):
            return self.env._(
                "This file is cut off: its end is missing. Copy it from the device again, which still has everything. "
                "Nothing was imported."
            )
        if isinstance(error, protocol.PhotoMissing):
            return self.env._(
                "A photo is missing in this file (%s). Export it on the device again. Nothing was imported.", error
            )
        if isinstance(error, protocol.TooMuch):
            return self.env._("This file holds more than is imported at once: %s. Export smaller ones.", error)
        if isinstance(error, protocol.LaterVersion):
            return self.env._("This file is of a newer kind than this server knows. Update the addon first.")
        return self.env._(
            "This file was changed after the device signed it: %s. Copy it from the device again, and find out who "
            "changed it. Nothing was imported.",
            error,
        )
