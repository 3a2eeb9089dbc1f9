from odoo import api, models


class StockQuant(models.Model):
    """What the system says that a bin has, now and at an earlier time. A count means nothing without its time."""

    _inherit = "stock.quant"

    @api.model
    def _exception_quants(self, product, location, lot=None):
        """All of `product` in exactly this bin, whichever package or owner; without a lot, all of its lots."""
        domain = [("product_id", "=", product.id), ("location_id", "=", location.id)]
        if lot:
            domain.append(("lot_id", "=", lot.id))
        return self.sudo().search(domain)

    @api.model
    def _exception_moves_domain(self, product, location, lot=None, since=None):
        """The done move lines that took from the bin or brought into it."""
        domain = [("state", "=", "done"), ("product_id", "=", product.id)]
        domain += ["|", ("location_id", "=", location.id), ("location_dest_id", "=", location.id)]
        if lot:
            domain.append(("lot_id", "=", lot.id))
        if since:
            domain.append(("date", ">=", since))
        return domain

    @api.model
    def _exception_moves_count(self, product, location, lot, since):
        lines = self.env["stock.move.line"].sudo()
        return lines.search_count(self._exception_moves_domain(product, location, lot, since))

    @api.model
    def _exception_on_hand(self, product, location, lot=None):
        return sum(self._exception_quants(product, location, lot).mapped("quantity"))

    @api.model
    def _exception_on_hand_at(self, at, product, location, lot=None):
        """What there was at `at`: what is there now, without what came and went since."""
        lines = self.env["stock.move.line"].sudo()
        since = self._exception_moves_domain(product, location, lot, at)
        quantity = self._exception_on_hand(product, location, lot)
        for place, sign in (("location_dest_id", -1), ("location_id", 1)):
            [[moved]] = lines._read_group([*since, (place, "=", location.id)], [], ["quantity_product_uom:sum"])
            quantity += sign * (moved or 0)
        return product.uom_id.round(quantity)
