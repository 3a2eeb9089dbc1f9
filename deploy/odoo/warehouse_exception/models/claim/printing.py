import base64
import io

from PIL import Image, ImageOps, UnidentifiedImageError

from odoo import models

from ..approval.approval import STEPS

_SIDE = 900  # pixels: enough for half a page
_PHOTOS = 16  # of more, the hashes are printed


class WarehouseExceptionClaim(models.Model):
    """What the printed claim shows besides the claim itself: the evidence, and who stands for it."""

    _inherit = "warehouse.exception.claim"

    def _signatures(self):
        """(what, who, in which role, when): from the report to the claim. Bridges may know the reporter's name."""
        self.ensure_one()
        case = self.case_id.sudo()
        role = self.env._
        signed = [(role("Reported"), case._reporter_in_words(), role("At the dock"), case.captured_at)]
        for step in case.step_ids.filtered(lambda step: step.to_state in ("investigating", "pending_approval")):
            done = role("Investigated") if step.to_state == "investigating" else role("Asked for approval")
            signed.append((done, step.user_id.name, role("Investigation"), step.at))
        labels = dict(self.env["warehouse.exception.approval"]._fields["step"]._description_selection(self.env))
        assert set(labels) == {step for step, _label in STEPS}
        for approval in case.approval_ids.filtered(lambda approval: approval.state == "approved"):
            signed.append((role("Approved"), approval.decided_by_id.name, labels[approval.step], approval.decided_at))
        # While it is being written its response is not done yet.
        action = self.action_id.sudo()
        if action.done_at:
            signed.append((role("Claim written"), action.done_by_id.name, role("Execution"), action.done_at))
        return signed

    def _photos(self):
        """(evidence, picture or False) for each photo. The picture is a small one; the hash is that of the original,
        whose bytes are read and hashed just now: what is not here whole is not shown.
        """
        shown = []
        for evidence in self.case_id.sudo().evidence_ids:
            data = evidence._whole() if len(shown) < _PHOTOS else None
            shown.append((evidence, self._picture(data) if data else False))
        return shown

    def _picture(self, data):
        try:
            with Image.open(io.BytesIO(data)) as image:
                small = ImageOps.exif_transpose(image).convert("RGB")
                small.thumbnail((_SIDE, _SIDE))
                out = io.BytesIO()
                small.save(out, "JPEG", quality=80)
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
            return False
        return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    def _reporter_in_words(self):
        """Whoever held the handheld, as far as it is known."""
        self.ensure_one()
        if self.operator_badge:
            return self.env._("%(device)s, badge %(badge)s", device=self.device_id.name, badge=self.operator_badge)
        return self.device_id.name
