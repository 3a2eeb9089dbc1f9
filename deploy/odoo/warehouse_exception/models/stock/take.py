from odoo import api, models
from odoo.exceptions import UserError

from ..base.seal import is_acting
from ..hold.hold import OURS

# Whatever of a line says which goods go from where to where.
GOODS = frozenset(
    """
    quantity product_uom_id product_id lot_id quant_id location_id location_dest_id
    package_id result_package_id owner_id move_id picking_id state
    """.split()
)


class StockMoveLine(models.Model):
    """What is held, or has expired and would leave the house, can't be taken by a line: not when it is made or changed
    by hand, and not when it is validated. Which way somebody came here does not matter, nor does the context.
    """

    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._refuse_blocked()
        return lines

    def write(self, vals):
        if not GOODS & set(vals):
            return super().write(vals)
        before = {line: (line._goods(), line.quantity_product_uom) for line in self}
        result = super().write(vals)
        self.filtered(
            lambda line: line._goods() != before[line][0] or line.quantity_product_uom > before[line][1]
        )._refuse_blocked()
        return result

    def _action_done(self):
        self._refuse_blocked()
        return super()._action_done()

    def _goods(self):
        return (self.product_id, self.lot_id, self.location_id, self.location_dest_id, self.move_id)

    def _refuse_blocked(self):
        taking = self.filtered(
            lambda line: line.quantity_product_uom > 0 and line.location_id.usage in OURS and line.state != "cancel"
        )
        for company, lines in taking.grouped("company_id").items():
            holds = self.env["warehouse.exception.hold"]._active_for(lines.product_id, company)
            expired = lines.lot_id._expired(company)
            if holds or expired:
                for line in lines:
                    line._refuse_if_blocked(holds, expired)

    def _refuse_if_blocked(self, holds, expired):
        goods = (self.product_id, self.company_id, self.location_id, self.lot_id)
        holds = holds.filtered(lambda hold: hold._covers(*goods))
        if not holds and self.lot_id not in expired:
            return
        way = self.move_id._way(self.location_dest_id) if self.move_id else "inside"
        stopping = holds.filtered(lambda hold: hold._stops(way))
        what = " ".join(filter(None, (self.product_id.display_name, self.lot_id.name)))
        if stopping:
            raise UserError(
                self.env._(
                    "%(what)s in %(where)s is held (%(hold)s) and can't be taken from there. Nothing was moved. It needs a "
                    "release that is approved in its case; until then it can go to quarantine only.",
                    what=what,
                    where=self.location_id.display_name,
                    hold=", ".join(filter(None, (stopping[0].name, stopping[0].case_id.name))),
                )
            )
        if self.lot_id in expired and way == "away" and not is_acting(self.env):
            raise UserError(
                self.env._(
                    "%(what)s expired on %(date)s and can't leave the house. Nothing was moved. Take another lot, or report "
                    "this one as blocked: its case can release it, by approval. It can go back to its vendor or to "
                    "quarantine.",
                    what=what,
                    date=self.lot_id.expiration_date.date(),
                )
            )
