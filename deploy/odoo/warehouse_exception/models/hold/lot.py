from odoo import api, fields, models


class StockLot(models.Model):
    _inherit = "stock.lot"

    exception_hold_ids = fields.One2many(
        "warehouse.exception.hold", "lot_id", "Holds", readonly=True, groups="warehouse_exception.group_user"
    )
    exception_hold_count = fields.Integer(compute="_compute_exception_blocked", compute_sudo=True)
    exception_blocked = fields.Boolean(
        "Blocked",
        compute="_compute_exception_blocked",
        compute_sudo=True,
        search="_search_exception_blocked",
        help="Held, or expired and not released: can't be reserved or shipped.",
    )

    @api.depends("expiration_date", "exception_hold_ids.state")
    def _compute_exception_blocked(self):
        found = self.env["warehouse.exception.hold"]._read_group(
            [("lot_id", "in", self.ids)], ["lot_id", "state"], ["__count"]
        )
        holds = {(lot, state): count for lot, state, count in found}
        expired = self._expired()
        for lot in self:
            active = holds.get((lot, "active"), 0)
            lot.exception_hold_count = active + holds.get((lot, "released"), 0)
            lot.exception_blocked = bool(active) or lot in expired

    def _search_exception_blocked(self, operator, value):
        if operator != "in":
            return NotImplemented
        lots = self.env["warehouse.exception.hold"].sudo().search([("state", "=", "active"), ("lot_id", "!=", False)])
        expired = self.sudo().search([("expiration_date", "<=", fields.Datetime.now())])._expired()
        return [("id", "in" if True in value else "not in", (lots.lot_id | expired).ids)]

    def _expired(self, company=None):
        """Of these, those that are past their date and were not released for that very date."""
        now = fields.Datetime.now()
        past = self.sudo().filtered(lambda lot: lot.expiration_date and lot.expiration_date <= now)
        if not past:
            return self.browse()
        domain = [("lot_id", "in", past.ids), ("reason", "=", "expired"), ("state", "=", "released")]
        if company:
            domain.append(("company_id", "=", company.id))
        released = self.env["warehouse.exception.hold"].sudo().search(domain)
        freed = released.filtered(lambda hold: hold.expiration_date == hold.lot_id.expiration_date).lot_id
        return (past - freed).with_env(self.env)

    def action_view_exception_holds(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("warehouse_exception.hold_action")
        return {**action, "domain": [("lot_id", "=", self.id)], "context": {}}
