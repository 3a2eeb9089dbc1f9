from odoo import api, fields, models

from ...lib import precision


class WarehouseExceptionEvent(models.Model):
    """How exact the time is that the device put on an event."""

    _inherit = "warehouse.exception.event"

    # Neither is an Integer: a device that woke up in 1970 corrects itself by more milliseconds than fit into one.
    clock_offset_ms = fields.Float("Clock correction (ms)", digits=0, readonly=True)
    clock_uncertainty_ms = fields.Float("Clock uncertainty (ms)", digits=0, readonly=True)
    clock_knowledge = fields.Selection(
        [
            ("measured", "Known, and how exactly"),
            ("corrected", "Corrected, without knowing how exactly"),
            ("never", "Not checked since the device was switched on"),
        ],
        "Clock",
        readonly=True,
        help="What the device knew of the right time when it wrote the event's. "
        "Where it knew nothing, look at when the event was received.",
    )
    captured_precision = fields.Char("Exact to", compute="_compute_captured_precision")
    clock_correction = fields.Char(
        compute="_compute_captured_precision", help="What the device added to its own clock, as its server had told it."
    )

    @api.depends("clock_knowledge", "clock_uncertainty_ms", "clock_offset_ms")
    def _compute_captured_precision(self):
        for event in self:
            event.captured_precision = event._precision_in_words()
            known = event.clock_knowledge in ("measured", "corrected")
            event.clock_correction = precision.exact(round(event.clock_offset_ms)) if known else False

    def _precision_in_words(self):
        if self.clock_knowledge == "measured":
            return f"\N{PLUS-MINUS SIGN} {precision.rough(round(self.clock_uncertainty_ms))}"
        if self.clock_knowledge == "corrected":
            return self.env._("(the device corrected its clock and does not know how exact it is)")
        if self.clock_knowledge == "never":
            return self.env._("(the device's clock was not checked since it was switched on)")
        return False

    @api.model
    def _clock_values(self, clock):
        """What to store of a Clock. Who tells an uncertainty has heard a server since it was switched on, if only that
        nothing is to correct; who tells an offset alone, before that."""
        if clock.uncertainty_ms is not None:
            knowledge = "measured"
        else:
            knowledge = "never" if clock.offset_ms is None else "corrected"
        return {
            "clock_knowledge": knowledge,
            "clock_offset_ms": clock.offset_ms or 0,
            "clock_uncertainty_ms": clock.uncertainty_ms or 0,
        }


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    captured_precision = fields.Char("Exact to", compute="_compute_captured_precision")

    @api.depends("event_ids.captured_precision")
    def _compute_captured_precision(self):
        for case in self:
            # That of the first report: the case's own time is its.
            case.captured_precision = case.event_ids.sorted("id")[:1].captured_precision
