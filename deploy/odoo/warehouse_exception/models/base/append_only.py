from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from .seal import is_unsealed


class AppendOnlyMixin(models.AbstractModel):
    """Records that are written once and then only read, whatever rights somebody has."""

    _name = "warehouse.exception.append.only"
    _description = "Append-only record"

    @api.model
    def _insert(self, vals_list):
        """Many rows that nobody will hold as records, each with the same fields, and those all given. `create` takes
        five times as long, for defaults and computed fields that these don't have.
        """
        self.check_access("create")
        if not vals_list:
            return
        names, now = list(vals_list[0]), self.env.cr.now()
        written = (self.env.uid, now, self.env.uid, now)
        rows = [
            (*(self._fields[name].convert_to_column_insert(vals[name], self, vals) for name in names), *written)
            for vals in vals_list
        ]
        columns = [*names, "create_uid", "create_date", "write_uid", "write_date"]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s) VALUES %s",
                SQL.identifier(self._table),
                SQL(", ").join(map(SQL.identifier, columns)),
                SQL(", ").join(rows),
            )
        )
        self._forget_inverses(names)

    @api.model
    def _forget_inverses(self, names):
        """What is in memory of the lists in which these rows are."""
        for name in names:
            for inverse in self.env.registry.field_inverses[self._fields[name]]:
                self.env[inverse.model_name].invalidate_model([inverse.name], flush=False)

    def write(self, vals):
        if not is_unsealed(self.env):
            raise AccessError(
                self.env._(
                    "%(records)s is evidence and can't be changed. Write what you found out into the case.",
                    records=self._description,
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise AccessError(self.env._("%(records)s is evidence and can't be deleted.", records=self._description))
