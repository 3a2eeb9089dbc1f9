from odoo import api, models
from odoo.tools import SQL


class InsertMixin(models.AbstractModel):
    """Rows that are written many at a time, by one statement."""

    _name = "warehouse.exception.insert"
    _description = "Written in bulk"

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
        rows = [(*row, *written) for row in zip(*(self._column(name, vals_list) for name in names), strict=True)]
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
    def _column(self, name, vals_list):
        """What the column of that name gets in each row. What is the same in all of them is converted once."""
        convert, first = self._fields[name].convert_to_column_insert, vals_list[0]
        if all(vals[name] == first[name] for vals in vals_list):
            return [convert(first[name], self, first)] * len(vals_list)
        return [convert(vals[name], self, vals) for vals in vals_list]

    @api.model
    def _forget_inverses(self, names):
        """What is in memory of the lists in which these rows are."""
        for name in names:
            for inverse in self.env.registry.field_inverses[self._fields[name]]:
                self.env[inverse.model_name].invalidate_model([inverse.name], flush=False)


class MailMessage(models.Model):
    _name = "mail.message"
    _inherit = ["mail.message", "warehouse.exception.insert"]

    @api.model
    def _forget_inverses(self, names):
        """Every document has a list of its messages, and whoever writes some knows which ones it is about."""
        return super()._forget_inverses([name for name in names if name != "res_id"])
