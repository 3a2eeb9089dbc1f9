from markupsafe import Markup

from odoo import fields, models

from ...lib.quantity import plain


class StockPicking(models.Model):
    """A transfer shows the cases about it and their photos, and says when more came in than was expected."""

    _inherit = "stock.picking"

    exception_case_ids = fields.One2many("warehouse.exception.case", "picking_id", "Exceptions", readonly=True)
    exception_case_count = fields.Integer("Number of exceptions", compute="_compute_exception_counts")
    exception_photo_count = fields.Integer("Photos of exceptions", compute="_compute_exception_counts")

    def _compute_exception_counts(self):
        def counted(model, field):
            found = self.env[model].sudo()._read_group([(field, "in", self.ids)], [field], ["__count"])
            return {picking.id: count for picking, count in found}

        cases = counted("warehouse.exception.case", "picking_id")
        photos = dict(
            self.env["warehouse.exception.evidence"]
            .sudo()
            ._read_group([("case_id.picking_id", "in", self.ids)], ["case_id"], ["__count"])
        )
        for picking in self:
            picking.exception_case_count = cases.get(picking.id, 0)
            ours = picking._origin.id
            picking.exception_photo_count = sum(count for case, count in photos.items() if case.picking_id.id == ours)

    def action_exception_cases(self):
        """The cases about this transfer; the one, if it is one."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.case_action")
        action |= {"domain": [("picking_id", "=", self.id)], "context": {}}
        cases = self.exception_case_ids
        if len(cases) == 1:
            action |= {"views": [(False, "form")], "res_id": cases.id}
        return action

    def action_exception_photos(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.evidence_action")
        return action | {"domain": [("case_id.picking_id", "=", self.id)]}

    def _note_exception(self, case, text):
        """A line in the chatter that leads to the case."""
        for picking in self.sudo():
            picking._message_log(body=Markup("%s %s") % (case._get_html_link(), text))

    def _action_done(self):
        """More than was expected is a fact that somebody should see, with a case or without."""
        for picking in self.filtered(lambda picking: picking.picking_type_id.code == "incoming"):
            for move in picking.move_ids.filtered(lambda move: move.picked and move.state not in ("done", "cancel")):
                if move.product_uom.compare(move.quantity, move.product_uom_qty) > 0:
                    picking._message_log(
                        body=self.env._(
                            "More was received than expected: %(product)s, %(received)s instead of %(expected)s.",
                            product=move.product_id.display_name,
                            received=plain(move.quantity),
                            expected=plain(move.product_uom_qty),
                        )
                    )
        return super()._action_done()
