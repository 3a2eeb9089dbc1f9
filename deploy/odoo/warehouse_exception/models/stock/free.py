from odoo import api, fields, models
from odoo.fields import Domain


class StockQuant(models.Model):
    """Stock that somebody could be sent to: free, not held, not past its date, and in another bin."""

    _inherit = "stock.quant"

    @api.model
    def _exception_free_domain(self, product, location, company, but_not=None):
        """`but_not` is the bin where somebody looked already."""
        domain = Domain("product_id", "=", product.id) & Domain("location_id", "child_of", location.id)
        domain &= Domain("location_id.usage", "=", "internal") & Domain("owner_id", "=", False)
        domain &= Domain("expiration_date", "=", False) | Domain("expiration_date", ">", fields.Datetime.now())
        domain &= Domain("removal_date", "=", False) | Domain("removal_date", ">", fields.Datetime.now())
        if but_not:
            domain &= ~Domain("location_id", "child_of", but_not.id)
        for hold in self.env["warehouse.exception.hold"]._active_for(product, company):
            domain &= ~hold._domain()
        quarantines = self.env["stock.location"].sudo().search([("exception_quarantine", "=", True)])
        return domain & ~Domain("location_id", "child_of", quarantines.ids)

    @api.model
    def _exception_free_bins(self, product, location, company, but_not=None, limit=5):
        """The bins with the most that is free, as (bin, quantity): fewest ways for whoever walks."""
        return self.sudo()._read_group(
            self._exception_free_domain(product, location, company, but_not),
            ["location_id"],
            ["available_quantity:sum"],
            having=[("available_quantity:sum", ">", 0)],
            order="available_quantity:sum DESC, location_id",
            limit=limit,
        )

    @api.model
    def _exception_free_quants(self, product, location, company, but_not=None):
        """Of the stock that Odoo would reserve from, in the order in which it would, what is free for somebody."""
        free = self._exception_free_domain(product, location, company, but_not)
        quants = self.sudo()._gather(product, location).filtered_domain(free)
        return quants.filtered(lambda quant: product.uom_id.compare(quant.quantity - quant.reserved_quantity, 0) > 0)
