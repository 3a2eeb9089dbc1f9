from odoo import api, fields, models
from odoo.exceptions import UserError

from ..base.seal import unsealed


class WarehouseExceptionCase(models.Model):
    """Mapping: from the codes that were read to the records that they mean."""

    _inherit = "warehouse.exception.case"

    unresolved = fields.Char("Not known here", compute="_compute_unresolved")

    @api.depends(lambda self: self._unresolved_depends())
    def _compute_unresolved(self):
        for case in self:
            case.unresolved = "; ".join(case._unresolved())

    def action_map(self):
        """Open cases that a person has mapped, after another look at what is still empty."""
        self._require_role("investigate")
        for case in self:
            case._map()
            missing = case._unresolved()
            if case._needs_product():
                raise UserError(
                    self.env._(
                        "%(case)s: no product has the code %(code)s. Choose the product, or give the code to one as "
                        "its barcode, and try again.",
                        case=case.name,
                        code=case.gtin or case.product_code,
                    )
                )
            case._step("open")
            if missing:
                case._message_log(body=self.env._("Opened without: %s", "; ".join(missing)))

    def _classify(self):
        """The first step of a case that waited as it was received."""
        self._map()
        if self.warehouse_id._governs(self.exception_type):
            state, _missing = self._first_state()
            self._step(state)

    def _first_state(self):
        """Where a case of a kind that is governed begins, and what of it means nothing here."""
        self.ensure_one()
        missing = self._unresolved()
        return ("needs_mapping" if missing else "open"), missing

    def _map(self):
        """Fill what is still empty and can be found."""
        # The look-ups keep to the case's company themselves; who maps need not read purchases or employees.
        found = self.sudo()._find_references()
        if found:
            self.write(found)
        expected = self.sudo()._find_expected()
        if expected:
            unsealed(self).write(expected)

    def _map_draft(self):
        """The same for a case that isn't stored yet: fills it and returns what was found."""
        found = self._find_references()
        self._fill(found)
        expected = self._find_expected()
        self._fill(expected)
        return found | expected

    @api.model
    def _draft(self, facts):
        """A case that isn't stored. It knows that it has no references yet, and need not ask for defaults."""
        draft = self.new()
        draft._fill(facts)
        for name, field in self._fields.items():
            if field.type == "many2one" and field.store and name not in facts:
                field._update_cache(draft, None)
        return draft

    def _fill(self, values):
        """Set fields of a draft from which nothing was computed yet, so that nothing has to be computed anew."""
        for name, value in values.items():
            field = self._fields[name]
            field._update_cache(self, field.convert_to_cache(value, self, validate=False))

    def _prepare_references(self):
        """Look up at once, for all these cases, what `_find_references` will ask for. Bridges extend the resolver's
        `_prepare`: one that does not costs a query a code, and is right all the same.
        """
        self.env["warehouse.exception.resolver"]._prepare(self)

    def _find_references(self):
        """Values for the references that are empty so far. Bridges add theirs."""
        self.ensure_one()
        resolver = self.env["warehouse.exception.resolver"]
        product = self.product_id or resolver._product(self.company_id, self.product_code, self.gtin)
        found = {
            "product_id": product,
            "uom_id": resolver._uom(product, self.unit_code),
            "location_id": resolver._location(self.warehouse_id, self.bin_code),
            "picking_id": resolver._picking(self.company_id, self.document_code, product),
            "lot_id": resolver._lot(self.company_id, product, self.lot_code, self.serial_code),
        }
        return {name: record.id for name, record in found.items() if record and not self[name]}

    def _find_expected(self):
        """How much the transfer moves, where the device did not say what it expected."""
        self.ensure_one()
        if self.expected_source != "unknown" or not self.picking_id or not self.product_id or not self.uom_id:
            return {}
        moves = self.picking_id.move_ids.filtered(
            lambda move: move.product_id == self.product_id and move.state != "cancel"
        )
        if not moves:
            return {}
        expected = sum(
            move.product_uom._compute_quantity(move.product_uom_qty, self.uom_id, round=False) for move in moves
        )
        return {"quantity_expected": expected, "expected_source": "picking"}

    def _needs_product(self):
        return bool((self.product_code or self.gtin) and not self.product_id)

    def _needs_document(self):
        return bool(self.document_code and not self.picking_id)

    def _unresolved_depends(self):
        """The fields that `_unresolved` looks at. Bridges add theirs."""
        codes = ["product_code", "gtin", "bin_code", "document_code", "unit_code"]
        return [*codes, "product_id", "location_id", "picking_id", "uom_id"]

    def _unresolved(self):
        """What was read and means nothing here, in words. A lot is not in it: many are first seen at the dock."""
        self.ensure_one()
        missing = []
        if self._needs_product():
            missing.append(self.env._("item %s", self.gtin or self.product_code))
        if self.bin_code and not self.location_id:
            missing.append(self.env._("bin %s", self.bin_code))
        if self._needs_document():
            missing.append(self.env._("document %s", self.document_code))
        if self.unit_code and not self.uom_id:
            missing.append(self.env._("unit %s", self.unit_code))
        return missing
