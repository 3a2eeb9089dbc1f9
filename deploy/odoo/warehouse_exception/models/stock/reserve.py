from odoo import fields, models
from odoo.fields import Domain

from ..base.seal import not_acting
from ..hold.hold import OURS

_KEY = "warehouse_exception_barred"


class Barred:
    """What of the stock a reservation passes over. An object, so that nothing from the network can take its place."""

    def __init__(self, domain):
        self.domain = domain


def _barred_in(env):
    barred = env.context.get(_KEY)
    return barred.domain if isinstance(barred, Barred) else Domain.FALSE


class StockMove(models.Model):
    """No move reserves what is held, nor takes what has expired out of the house. Chained moves go the same way."""

    _inherit = "stock.move"

    def _update_reserved_quantity_vals(self, need, location_id, *args, **kwargs):
        move = self._passing_over_barred(location_id)
        return super(StockMove, move)._update_reserved_quantity_vals(need, location_id, *args, **kwargs)

    def _get_available_quantity(self, location_id, *args, **kwargs):
        move = self._passing_over_barred(location_id)
        return super(StockMove, move)._get_available_quantity(location_id, *args, **kwargs)

    def _trigger_assign(self):
        """A response may take what it is about. What others could reserve after it is no part of the response."""
        return super(StockMove, not_acting(self))._trigger_assign()

    def _passing_over_barred(self, location):
        return self.with_context(**{_KEY: Barred(self._barred(location))})

    def _barred(self, location):
        """The stock that this move may not take, as a domain on quants."""
        self.ensure_one()
        if location.usage not in OURS or not self.product_id.is_storable:
            return Domain.FALSE
        holds = self.env["warehouse.exception.hold"]._active_for(self.product_id, self.company_id)
        expires = self.product_id.tracking != "none" and self.product_id.use_expiration_date
        if not holds and not expires:
            return Domain.FALSE
        way = self._way(self.location_dest_id)
        # A response frees and moves goods, and Odoo then reserves anew for whoever waits. Those are not the response.
        holds = not_acting(holds) if way == "away" else holds
        found = Domain.OR(hold._domain() for hold in holds if hold._stops(way))
        if expires and way == "away":
            past = Domain("product_id", "=", self.product_id.id)
            past &= Domain("expiration_date", "<=", fields.Datetime.now())
            found |= past & Domain("lot_id", "not in", self._lots_released_as_expired().ids)
        return found

    def _lots_released_as_expired(self):
        domain = [("product_id", "=", self.product_id.id), ("expiration_date", "<=", fields.Datetime.now())]
        lots = self.env["stock.lot"].sudo().search(domain)
        return lots - lots._expired(self.company_id)

    def _way(self, destination):
        """Where goods go that this move takes to `destination`: a chain counts as a whole."""
        self.ensure_one()
        if destination._is_quarantine():
            return "quarantine"
        if destination.usage == "supplier":
            return "supplier"
        seen, chain = self.browse(), self
        while chain:
            ends = destination | chain.location_final_id | (chain - self).location_dest_id
            if any(end._is_outgoing() or end.usage == "production" for end in ends):
                return "away"
            if "outgoing" in chain.picking_type_id.mapped("code"):
                return "away"
            seen |= chain
            chain = chain.move_dest_ids.filtered(lambda move: move.state != "cancel") - seen
        return "inside"


class StockQuant(models.Model):
    _inherit = "stock.quant"

    def _compute_available_quantity(self):
        """What is held is not offered to people who look for a lot or a bin to take from."""
        result = super()._compute_available_quantity()
        holds = self.env["warehouse.exception.hold"]._active_for(self.product_id, self.company_id)
        if holds:
            self.filtered_domain(Domain.OR(hold._domain() for hold in holds)).available_quantity = 0
        return result

    def _get_gather_domain(self, *args, **kwargs):
        domain = super()._get_gather_domain(*args, **kwargs)
        return Domain(domain) & ~_barred_in(self.env)

    def _gather(self, *args, **kwargs):
        quants = super()._gather(*args, **kwargs)
        # A cache of quants, which chained moves bring along, was not searched with the domain above.
        barred = _barred_in(self.env)
        if "quants_cache" in self.env.context and not barred.is_false():
            quants = quants.filtered_domain(~barred)
        return quants

    def _get_reserve_quantity(self, product_id, location_id, quantity, *args, **kwargs):
        """Where no move asked (lots chosen by hand), what is held is passed over, wherever it would go."""
        quants = self
        if quantity > 0 and not isinstance(self.env.context.get(_KEY), Barred):
            companies = location_id.company_id or self.env.companies
            holds = self.env["warehouse.exception.hold"]._active_for(product_id, companies)
            barred = Domain.OR(hold._domain() for hold in holds if hold._stops("inside"))
            quants = self.with_context(**{_KEY: Barred(barred)})
        return super(StockQuant, quants)._get_reserve_quantity(product_id, location_id, quantity, *args, **kwargs)
