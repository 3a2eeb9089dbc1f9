from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, float_round
from odoo.tools.mail import generate_tracking_message_id

from ..base.seal import is_unsealed
from .states import KINDS, STATES

# What the device said. People add to a case what they know; they don't rewrite what was reported.
FACTS = frozenset(
    """
    name exception_type state device_id warehouse_id company_id captured_at received_at reason_code note
    product_code gtin lot_code serial_code expiry_date bin_code document_code operator_badge unit_code
    quantity_expected expected_source quantity_counted is_counted quantity_variance
    event_ids scan_ids evidence_ids
    step_ids state_since approval_ids policy_id deadline_at amount_at_stake override_reason failure
    response_due response_at response_tries instructions merge_key repeats_told_at
    quarantine_open quarantine_since quarantine_waived
    legal_hold open_since escalation_ids
    source reported_by_id ended_at is_recurrent
    """.split()
)
QUANTITY = {"digits": 0, "readonly": True}  # exactly as reported: no rounding to a unit's precision


def variance(is_counted, expected_source, counted, expected):
    if not is_counted or expected_source == "unknown":
        return 0.0
    # Six decimals are all that the wire has; the rest is noise of binary fractions.
    return float_round(counted - expected, precision_digits=6)


class WarehouseExceptionCase(models.Model):
    """One inventory exception, from the report to its end."""

    _name = "warehouse.exception.case"
    _description = "Warehouse exception"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    # Who may only read a case may still say something about it.
    _mail_post_access = "read"

    name = fields.Char("Number", required=True, readonly=True, copy=False)
    exception_type = fields.Selection(KINDS, "Kind", required=True, readonly=True)
    state = fields.Selection(
        STATES,
        default="received",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
        group_expand="_group_expand_state",
    )
    user_id = fields.Many2one("res.users", "Responsible", tracking=True, domain="[('share', '=', False)]")
    device_id = fields.Many2one(
        "warehouse.exception.device", required=True, readonly=True, index=True, ondelete="restrict"
    )
    warehouse_id = fields.Many2one("stock.warehouse", required=True, readonly=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="warehouse_id.company_id", store=True, index=True)
    captured_at = fields.Datetime("Captured", required=True, readonly=True, help="By the device's clock.")
    received_at = fields.Datetime("Received", required=True, readonly=True, help="By this server's clock.")

    # As read: these stay, whatever they are mapped to.
    product_code = fields.Char("Item as read", readonly=True)
    gtin = fields.Char("GTIN", readonly=True, index="btree_not_null")
    lot_code = fields.Char("Lot as read", readonly=True)
    serial_code = fields.Char("Serial as read", readonly=True)
    expiry_date = fields.Date("Expiry as read", readonly=True)
    bin_code = fields.Char("Bin as read", readonly=True)
    document_code = fields.Char("Document as read", readonly=True)
    operator_badge = fields.Char("Badge as read", readonly=True)
    unit_code = fields.Char("Unit as read", readonly=True)

    # What it means in Odoo.
    product_id = fields.Many2one("product.product", check_company=True, tracking=True, ondelete="restrict")
    lot_id = fields.Many2one(
        "stock.lot",
        "Lot/Serial",
        check_company=True,
        tracking=True,
        ondelete="restrict",
        domain="[('product_id', '=', product_id)]",
    )
    location_id = fields.Many2one("stock.location", "Bin", check_company=True, tracking=True, ondelete="restrict")
    picking_id = fields.Many2one("stock.picking", "Transfer", check_company=True, tracking=True, ondelete="restrict")
    uom_id = fields.Many2one("uom.uom", "Unit", tracking=True, ondelete="restrict")

    quantity_expected = fields.Float("Expected", **QUANTITY)
    expected_source = fields.Selection(
        [("event", "Device"), ("picking", "Transfer"), ("unknown", "Unknown")],
        default="unknown",
        required=True,
        readonly=True,
        help="Who said how much there should be.",
    )
    quantity_counted = fields.Float("Counted", **QUANTITY)
    is_counted = fields.Boolean(readonly=True, help="Some kinds of exception are not about a quantity.")
    quantity_variance = fields.Float("Variance", compute="_compute_quantity_variance", store=True, digits=0)
    reason_code = fields.Char("Reason", readonly=True)
    note = fields.Text("Operator's note", readonly=True)

    event_ids = fields.One2many("warehouse.exception.event", "case_id", "Events", readonly=True)
    scan_ids = fields.One2many("warehouse.exception.scan", "case_id", "Scans", readonly=True)
    evidence_ids = fields.One2many("warehouse.exception.evidence", "case_id", "Photos", readonly=True)
    photo_count = fields.Integer("Photos reported", compute="_compute_photos")
    photo_received_count = fields.Integer("Photos received", compute="_compute_photos")
    photo_summary = fields.Char("Photo progress", compute="_compute_photos")

    _name_unique = models.Constraint("UNIQUE(name)", "A case has a number of its own.")

    @api.depends("quantity_counted", "quantity_expected", "is_counted", "expected_source")
    def _compute_quantity_variance(self):
        for case in self:
            case.quantity_variance = variance(
                case.is_counted, case.expected_source, case.quantity_counted, case.quantity_expected
            )

    @api.depends("evidence_ids.complete")
    def _compute_photos(self):
        for case in self:
            reported = case.evidence_ids.filtered("event_id")
            case.photo_count = len(reported)
            case.photo_received_count = len(reported.filtered("complete"))
            case.photo_summary = False
            if case.photo_count:
                case.photo_summary = self.env._(
                    "%(received)s of %(all)s photos received", received=case.photo_received_count, all=case.photo_count
                )

    @api.model
    def _group_expand_state(self, states, domain):
        """The board shows where work waits, even if none does."""
        shown = {"needs_mapping", "open", "investigating", "pending_approval", "approved", *states}
        return [state for state, _label in STATES if state in shown]

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")  # before a number is spent
        for vals, name in zip(vals_list, self._next_names(len(vals_list)), strict=True):
            vals["name"] = name
        return super().create(vals_list)

    @api.model
    def _next_names(self, count):
        """So many numbers by one query. A sequence that a site set up in another way is asked for each."""
        sequences = self.env["ir.sequence"]
        sequence = sequences.search(
            [("code", "=", self._name), ("company_id", "in", (False, self.env.company.id))], order="company_id", limit=1
        )
        if count < 2 or sequence.implementation != "standard" or sequence.use_date_range:
            return [sequences.next_by_code(self._name) for _number in range(count)]
        prefix, suffix = sequence._get_prefix_suffix()
        numbers = self.env.execute_query(
            SQL("SELECT nextval(%s) FROM generate_series(1, %s)", f"ir_sequence_{sequence.id:03d}", count)
        )
        return [f"{prefix}{number:0{sequence.padding}d}{suffix}" for (number,) in numbers]

    @api.model
    def _log_many(self, bodies):
        """A note in the chatter of each case: {case: body}. Odoo's own ways look for each message into what is in memory of
        its document, which is most of what they cost.
        """
        author = self.env.user.partner_id
        shared = {
            "author_id": author.id,
            "date": fields.Datetime.now(),
            "email_from": author.email_formatted,
            "reply_to": author.email_formatted,  # nobody gets it by mail
            "model": self._name,
            "message_type": "notification",
            "is_internal": True,
            "email_add_signature": False,
            "message_id": generate_tracking_message_id("message-notify"),
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note"),
        }
        self.concat(*bodies).invalidate_recordset(["message_ids"])
        self.env["mail.message"].sudo()._insert(
            [{**shared, "res_id": case.id, "body": body} for case, body in bodies.items()]
        )

    def write(self, vals):
        facts = FACTS & set(vals)
        if facts and not is_unsealed(self.env):
            raise AccessError(
                self.env._(
                    "What a device reported can't be edited (%(fields)s), and a case moves on by its buttons only.",
                    fields=", ".join(sorted(facts)),
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("A case can't be deleted. Cancel it: it stays readable for an audit."))
