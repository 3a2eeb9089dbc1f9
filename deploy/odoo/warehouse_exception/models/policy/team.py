from odoo import api, fields, models


class WarehouseExceptionTeam(models.Model):
    _name = "warehouse.exception.team"
    _description = "Exception team"
    _order = "name, id"

    name = fields.Char(required=True)
    company_id = fields.Many2one("res.company", index=True)
    leader_id = fields.Many2one("res.users", domain="[('share', '=', False)]", ondelete="restrict")
    member_ids = fields.Many2many("res.users", string="Members", domain="[('share', '=', False)]")
    case_count = fields.Integer(compute="_compute_case_count", string="Unfinished cases")

    def _compute_case_count(self):
        counted = self.env["warehouse.exception.case"]._read_group(
            [("policy_id.team_id", "in", self.ids), ("is_finished", "=", False)], ["policy_id"], ["__count"]
        )
        for team in self:
            team.case_count = sum(count for policy, count in counted if policy.team_id == team)

    @api.model
    def _least_busy(self, users):
        """Of `users`, who has the fewest unfinished cases; the first in case of a tie."""
        busy = dict(
            self.env["warehouse.exception.case"]._read_group(
                [("user_id", "in", users.ids), ("is_finished", "=", False)], ["user_id"], ["__count"]
            )
        )
        return min(users, key=lambda user: (busy.get(user, 0), user.id), default=users)
