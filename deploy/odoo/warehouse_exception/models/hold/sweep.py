import logging
from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.fields import Domain

from .hold import OURS

_logger = logging.getLogger(__name__)

AT_ONCE = 200


class WarehouseExceptionHold(models.Model):
    """The daily look for lots that went past their date on a shelf."""

    _inherit = "warehouse.exception.hold"

    @api.model
    def _cron_sweep_expired(self):
        """Lock each expired lot that lies somewhere and isn't locked yet, one a transaction and `AT_ONCE` a run. Workers
        share the work by locks on the lots; should two take the same one all the same, the database refuses the second.
        """
        progress = self.env["ir.cron"]
        found = self._expired_and_free(AT_ONCE + 1)
        progress._commit_progress(remaining=min(len(found), AT_ONCE))
        for lot, company in found[:AT_ONCE]:
            if lot.try_lock_for_update(allow_referencing=True):
                self._sweep(lot, company)
            if not progress._commit_progress(1):
                return
        if len(found) > AT_ONCE:
            self.env.ref("warehouse_exception.cron_sweep_expired")._trigger()

    @api.model
    def _expired_and_free(self, limit, lots=None):
        """Pairs of a lot and the company in whose stock it lies."""
        now = fields.Datetime.now()
        domain = Domain("expiration_date", "<=", now) & Domain("quantity", ">", 0)
        domain &= Domain("location_id.usage", "in", OURS) & Domain("company_id", "!=", False)
        if lots:
            domain &= Domain("lot_id", "in", lots.ids)
        self.env["stock.lot"].flush_model(["expiration_date"])
        self.env["stock.quant"].flush_model(["expiration_date", "quantity"])
        self.flush_model()
        query = self.env["stock.quant"].sudo()._search(domain)
        # Held as expired, or released for this very date. In SQL, since what is done already grows with the years.
        query.add_where(
            """NOT EXISTS (
                SELECT FROM warehouse_exception_hold hold JOIN stock_lot lot ON lot.id = hold.lot_id
                WHERE hold.lot_id = stock_quant.lot_id AND hold.company_id = stock_quant.company_id
                    AND hold.reason = 'expired' AND hold.location_id IS NULL
                    AND (hold.state = 'active' OR hold.expiration_date = lot.expiration_date)
            )"""
        )
        query.order = "stock_quant.lot_id, stock_quant.company_id"
        query.limit = limit
        pairs = self.env.execute_query(query.select("DISTINCT stock_quant.lot_id, stock_quant.company_id"))
        return [(self.env["stock.lot"].browse(lot), self.env["res.company"].browse(company)) for lot, company in pairs]

    @api.model
    def _sweep(self, lot, company):
        if not self._expired_and_free(1, lot):
            return  # another worker was here in between
        try:
            with self.env.cr.savepoint():
                note = self.env._("Found past its date by the daily look: %s", lot.expiration_date.date())
                hold = self._place(company, lot.product_id, "expired", lot=lot, note=note)
                hold._escalate_to_lead()
                self.env.flush_all()
        except UniqueViolation:
            _logger.info("Lot %s was locked by another worker in the same moment.", lot.id)

    def _escalate_to_lead(self):
        """An activity on the lot for each lead of a warehouse that has it; there is no case, since no device reported."""
        quants = self._quants()
        lot = self.lot_id.sudo()
        summary = self.env._("Expired lot on stock")
        lot._message_log(body=self.env._("Expired and locked (%s).", self.name))
        for lead in quants.location_id.warehouse_id.exception_lead_id:
            places = ", ".join(
                quants.filtered(lambda quant: quant.location_id.warehouse_id.exception_lead_id == lead)[:20].mapped(
                    "location_id.display_name"
                )
            )
            lot.activity_schedule(
                "mail.mail_activity_data_todo",
                fields.Date.context_today(self) + timedelta(days=1),
                summary,
                self.env._(
                    "It lies in %s. Move it to quarantine or return it. To scrap or release it, report it as blocked stock: "
                    "its case decides.",
                    places,
                ),
                user_id=lead.id,
            )
