from odoo import fields, models

from .resolver import spellings


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    employee_id = fields.Many2one("hr.employee", "Operator", check_company=True, tracking=True, ondelete="restrict")

    def _find_references(self):
        found = super()._find_references()
        if not self.employee_id:
            employee = self.env["warehouse.exception.resolver"]._employee(self.company_id, self.operator_badge)
            if employee:
                found["employee_id"] = employee.id
        return found

    def _reporters(self):
        """Also whoever reported the same again: none of them approves it."""
        resolver, users = self.env["warehouse.exception.resolver"].sudo(), self.sudo().employee_id.user_id
        for badge in set(self.sudo().event_ids.mapped("operator_badge")) - {False}:
            users |= resolver._employee(self.company_id, badge).user_id
        return super()._reporters() | users.with_env(self.env)

    def _was_reported_by(self, user):
        """By the person's own badge: nobody else's is looked up."""
        case, employees = self.sudo(), user.sudo().employee_ids.filtered(lambda each: each.company_id == self.company_id)
        badges = set(employees.mapped("barcode")) - {False}
        told = case.event_ids.mapped("operator_badge") if badges else ()
        by_badge = any(badges.intersection(spellings(badge)) for badge in told)
        return bool(case.employee_id & employees) or by_badge or super()._was_reported_by(user)

    def _unresolved(self):
        missing = super()._unresolved()
        if self.operator_badge and not self.employee_id:
            missing.append(self.env._("badge %s", self.operator_badge))
        return missing

    def _unresolved_depends(self):
        return [*super()._unresolved_depends(), "operator_badge", "employee_id"]
