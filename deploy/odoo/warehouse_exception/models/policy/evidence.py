from odoo import api, fields, models

from ..event.evidence import KINDS_OF_EVIDENCE


class WarehouseExceptionPolicy(models.Model):
    _inherit = "warehouse.exception.policy"

    evidence_ids = fields.One2many("warehouse.exception.policy.evidence", "policy_id", "Evidence required", copy=True)


class WarehouseExceptionPolicyEvidence(models.Model):
    """What must be there before anybody is asked for a decision."""

    _name = "warehouse.exception.policy.evidence"
    _description = "Evidence that a policy requires"
    _order = "policy_id, kind"
    _rec_name = "kind"

    policy_id = fields.Many2one("warehouse.exception.policy", required=True, index=True, ondelete="cascade")
    kind = fields.Selection(KINDS_OF_EVIDENCE, required=True, default="photo")
    minimum = fields.Integer("At least", required=True, default=1)

    _kind_unique = models.Constraint("UNIQUE(policy_id, kind)", "A policy names each kind of evidence once.")
    _minimum_range = models.Constraint("CHECK(minimum BETWEEN 1 AND 16)", "Between 1 and 16 pieces can be required.")

    @api.depends("kind", "minimum")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for line in self:
            line.display_name = f"{line.minimum} x {labels.get(line.kind, '')}"


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    missing_evidence = fields.Char(compute="_compute_missing_evidence", help="What policy wants and is not here yet.")

    @api.depends("policy_id.evidence_ids.kind", "policy_id.evidence_ids.minimum", "evidence_ids.complete")
    def _compute_missing_evidence(self):
        for case in self:
            case.missing_evidence = ", ".join(case._missing_evidence()) or False

    def _missing_evidence(self):
        """In words. What was received and removed by policy since then was there."""
        labels = dict(self.env["warehouse.exception.evidence"]._fields["kind"]._description_selection(self.env))
        here = self.evidence_ids.filtered("complete").mapped("kind")
        return [
            self.env._("%(number)s x %(kind)s", number=line.minimum - here.count(line.kind), kind=labels[line.kind])
            for line in self.sudo().policy_id.evidence_ids
            if here.count(line.kind) < line.minimum
        ]

    def _obstacles(self):
        missing = self._missing_evidence()
        if not missing:
            return super()._obstacles()
        return [*super()._obstacles(), self.env._("evidence is missing (%s)", ", ".join(missing))]
