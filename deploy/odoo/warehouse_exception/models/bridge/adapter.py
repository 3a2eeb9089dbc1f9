from odoo import api, models


class WarehouseExceptionAdapter(models.AbstractModel):
    """What other apps can do for a case. None of it is needed: with no bridge installed, nothing of it happens.

    A bridge extends this model and nothing else of the core, as far as that suffices. It asks `super()` first where one
    answer is enough, and always where every bridge has its part. All of it runs as superuser, in a transaction that is
    undone alone if it fails (`_attempt`): another app's trouble holds up no case.
    """

    _name = "warehouse.exception.adapter"
    _description = "Adapter to other apps"

    # --- Work for others: the first one that answers does it --------------------------------------------------------

    @api.model
    def _quality_check(self, case):
        """Ask quality to look at `case`; returns their record, or nothing."""
        return None

    @api.model
    def _helpdesk_ticket(self, case):
        """Open a ticket for `case`; returns it, or nothing."""
        return None

    # --- For their information: each bridge has its part ------------------------------------------------------------

    @api.model
    def _files_evidence(self):
        """Is there an app that wants the photos as documents?"""
        return False

    @api.model
    def _file_evidence(self, evidence):
        """Show complete photos as documents. They stay the same attachments, and what guards those stays."""

    @api.model
    def _approvals_asked(self, approvals):
        """Decisions are waited for. The decision itself is taken here and nowhere else."""

    @api.model
    def _approvals_settled(self, approvals):
        """Decisions were taken, or are not waited for any more."""

    # --- For the bridges --------------------------------------------------------------------------------------------

    @api.model
    def _facts(self, case):
        """(label, value) of what somebody needs to know who has never seen a case."""
        labels = dict(case._fields["exception_type"]._description_selection(case.env))
        facts = [
            (self.env._("Case"), case.name),
            (self.env._("Kind"), labels[case.exception_type]),
            (self.env._("Warehouse"), case.warehouse_id.name),
            (self.env._("Product"), case.product_id.display_name or case.gtin or case.product_code),
            (self.env._("Lot/Serial"), case.lot_id.name or case.lot_code or case.serial_code),
            (self.env._("Bin"), case.location_id.display_name or case.bin_code),
            (self.env._("Transfer"), case.picking_id.name or case.document_code),
            (self.env._("Counted"), f"{case.quantity_counted:g}" if case.is_counted else False),
            (self.env._("Reason"), case.reason_code),
            (self.env._("Operator's note"), case.note),
        ]
        return [(label, value) for label, value in facts if value]

    @api.model
    def _title(self, case):
        """One line for a list of another app."""
        facts = dict(self._facts(case))
        kind, product = facts[self.env._("Kind")], facts.get(self.env._("Product"))
        return f"{case.name}: {kind}, {product}" if product else f"{case.name}: {kind}"

    @api.model
    def _as_html(self, case):
        """The facts as a list, and the way back to the case."""
        return self.env["ir.qweb"]._render(
            "warehouse_exception.adapter_facts", {"facts": self._facts(case), "case": case}
        )

    @api.model
    def _known(self, model, values):
        """Those of `values` that `model` has a field for: for apps whose fields differ from release to release."""
        fields = self.env[model]._fields
        return {name: value for name, value in values.items() if name in fields and value not in (None, False)}
