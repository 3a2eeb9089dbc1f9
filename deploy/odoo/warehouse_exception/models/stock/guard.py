from odoo import api, models

from .take import GOODS

# Of a finished move, what would let somebody rewrite what happened.
_OF_MOVE = frozenset("state product_id product_uom location_id location_dest_id".split())
# Of a quant, all that says how much of what is where. Odoo's own methods write these as superuser.
_OF_QUANT = frozenset("quantity reserved_quantity product_id location_id lot_id package_id owner_id".split())


class StockMove(models.Model):
    """Stock comes from nothing and goes to nothing by moves from and to a location of the kind 'inventory loss': counts,
    scrap, and transfers that somebody sends there. This is as deep as all of them go.
    """

    _inherit = "stock.move"

    def _action_done(self, *args, **kwargs):
        adjusting = self.filtered(lambda move: move.state not in ("done", "cancel") and move._adjusts())
        adjusting._refuse_adjusting()
        return super()._action_done(*args, **kwargs)

    def _adjusts(self):
        return "inventory" in (self.location_id | self.location_dest_id).mapped("usage")

    def _refuse_adjusting(self):
        if self:
            product = self.product_id[:1].display_name
            self.company_id._refuse_by_hand(self.env._("Adjusting or scrapping stock (%s)", product))

    def write(self, vals):
        if _OF_MOVE & set(vals):
            done = self.filtered(lambda move: move.state == "done" and move._changes(vals, _OF_MOVE))
            if done:
                done.company_id._refuse_by_hand(self.env._("Changing a finished transfer"))
        return super().write(vals)

    def _changes(self, vals, names):
        return any(self._fields[name].convert_to_write(self[name], self) != vals[name] for name in names & set(vals))


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    def _action_done(self):
        """The line says where goods really go, whatever its move says."""
        adjusting = self.filtered(lambda line: "inventory" in (line.location_id | line.location_dest_id).mapped("usage"))
        adjusting.move_id._refuse_adjusting()
        return super()._action_done()

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._refuse_rewriting()
        return lines

    def write(self, vals):
        if GOODS & set(vals):
            self.filtered(lambda line: line._changes(vals))._refuse_rewriting()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done_by_hand(self):
        self._refuse_rewriting()

    def _changes(self, vals):
        return any(self._fields[name].convert_to_write(self[name], self) != vals[name] for name in GOODS & set(vals))

    def _refuse_rewriting(self):
        done = self.filtered(lambda line: line.state == "done" or line.move_id.state == "done")
        if done:
            done.company_id._refuse_by_hand(self.env._("Changing a finished transfer"))


class StockQuant(models.Model):
    _inherit = "stock.quant"

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and any({"quantity", "reserved_quantity"} & set(vals) for vals in vals_list):
            self.env.company._refuse_by_hand(self.env._("Writing stock quantities"))
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and _OF_QUANT & set(vals):
            self.company_id._refuse_by_hand(self.env._("Writing stock quantities"))
        return super().write(vals)

    def _apply_inventory(self, *args, **kwargs):
        """Told early, before anything is prepared; what decides is the move."""
        self.company_id._refuse_by_hand(self.env._("Applying a count"))
        return super()._apply_inventory(*args, **kwargs)


class StockScrap(models.Model):
    _inherit = "stock.scrap"

    def do_scrap(self):
        self.company_id._refuse_by_hand(self.env._("Scrapping stock"))
        return super().do_scrap()


class StockLocation(models.Model):
    _inherit = "stock.location"

    def write(self, vals):
        """Making a loss of a shelf, or the other way round, adjusts all that lies on it."""
        if "usage" in vals:
            turned = self.filtered(lambda location: location.usage != vals["usage"] and location.quant_ids)
            turned = turned.filtered(lambda location: "inventory" in (location.usage, vals["usage"]))
            if turned:
                turned.company_id._refuse_by_hand(self.env._("Turning a location into a loss, or back"))
        return super().write(vals)
