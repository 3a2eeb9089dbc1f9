import re

from odoo import api, fields, models
from odoo.exceptions import UserError

REPORTABLE = frozenset("""
    exception_type warehouse_id product_id lot_id location_id picking_id uom_id quantity_expected quantity_counted
    is_counted reason_code note
    """.split())


class WarehouseExceptionCase(models.Model):
    """A case that a person reported in Odoo: no device, no signature, and the reporter's name instead."""

    _inherit = "warehouse.exception.case"

    device_id = fields.Many2one(required=False)
    source = fields.Selection(
        [("device", "Handheld"), ("manual", "Reported in Odoo")],
        default="device",
        required=True,
        readonly=True,
        copy=False,
        help="A handheld signs what it reports. What a person reports in Odoo bears that person's name instead.",
    )
    reported_by_id = fields.Many2one("res.users", "Reported by", readonly=True, copy=False, ondelete="restrict")
    expected_source = fields.Selection(selection_add=[("person", "Reporter")], ondelete={"person": "set default"})

    _reported_by_someone = models.Constraint(
        "CHECK ((source = 'device' AND device_id IS NOT NULL) OR (source = 'manual' AND reported_by_id IS NOT NULL))",
        "A case is reported by a device or by a person.",
    )

    @api.model
    def action_report(self, values, photos=()):
        """A new case with the facts in `values`, seen by the current user; `photos` are (name, bytes).

        Returns the case. From there on it is a case like any other, but its reporter can't approve it.
        """
        self._require_role("report")
        unknown = set(values) - REPORTABLE
        if unknown:
            raise UserError(self.env._("Nobody can report this: %s. Nothing was kept.", ", ".join(sorted(unknown))))
        warehouse = self.env["stock.warehouse"].browse(values.get("warehouse_id"))
        warehouse.check_access("read")
        now = fields.Datetime.now()
        expected = values.get("quantity_expected") not in (None, False)
        case = (
            self.sudo()
            .with_company(warehouse.company_id)
            .with_context(tracking_disable=True, mail_create_nolog=True)
            .create(
                {
                    **values,
                    "source": "manual",
                    "reported_by_id": self.env.uid,
                    "captured_at": now,
                    "received_at": now,
                    "expected_source": "person" if expected else "unknown",
                    "reason_code": self._reason_code(values.get("reason_code")),
                    **self._report_codes(values),
                }
            )
        )
        case = case.with_context(tracking_disable=False)
        case._message_log(body=self.env._("Reported by %s in Odoo.", self.env.user.name))
        case._keep_photos(photos)
        case._classify()
        return case.with_env(self.env)

    @api.model
    def _reason_code(self, text):
        """A reason as the devices spell theirs, so that both are counted together: 'Box crushed' is box_crushed."""
        return re.sub(r"[^a-z0-9]+", "_", (text or "").lower()).strip("_")[:40] or False

    @api.model
    def _report_codes(self, values):
        """What a device would have read: lists, filters and documents of a case then need not ask who reported it."""
        product = self.env["product.product"].browse(values.get("product_id"))
        lot = self.env["stock.lot"].browse(values.get("lot_id"))
        return {
            "product_code": product.barcode or product.default_code,
            "lot_code": lot.name if product.tracking != "serial" else False,
            "serial_code": lot.name if product.tracking == "serial" else False,
            "bin_code": self.env["stock.location"].browse(values.get("location_id")).name,
            "document_code": self.env["stock.picking"].browse(values.get("picking_id")).name,
            "unit_code": self.env["uom.uom"].browse(values.get("uom_id")).name,
        }
