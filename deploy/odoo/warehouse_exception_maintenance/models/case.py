from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

# Any of these words in a reason (`forklift_hit`, `rack_bent`) names equipment.
EQUIPMENT = frozenset("""
    equipment forklift truck stacker reach_truck pallet_jack jack trolley cart rack racking shelf shelving beam upright
    conveyor belt roller lift dock_leveller leveller door gate crane palletizer wrapper
    """.split())


class WarehouseExceptionAction(models.Model):
    _inherit = "warehouse.exception.action"

    kind = fields.Selection(selection_add=[("maintenance", "Ask for maintenance")], ondelete={"maintenance": "cascade"})

    @api.model
    def _kinds_for(self, case):
        kinds = super()._kinds_for(case)
        return kinds | {"maintenance"} if case.exception_type == "damaged" else kinds

    def _do_maintenance(self):
        case = self.case_id
        place = case._suspect_place().display_name or case.bin_code or "?"
        lines = [
            self.env._("Case: %s", case.name),
            self.env._("Place: %s", place),
            self.env._("Reason: %s", case.reason_code or "?"),
            case.note or "",
            self.note or "",
        ]
        requests = self.env["maintenance.request"].with_company(case.company_id)
        request = requests.create(
            {
                "name": self.env._("%(reason)s at %(place)s", reason=case.reason_code or case.name, place=place),
                "company_id": case.company_id.id,
                "maintenance_type": "corrective",
                "description": plaintext2html("\n".join(filter(None, lines))),
                "exception_case_id": case.id,
            }
        )
        # Of maintenance, Odoo lets people read only what they own, do or follow.
        people = (case.user_id | case.warehouse_id.exception_lead_id | self.env.user).filtered("active")
        request.message_subscribe(partner_ids=people.partner_id.ids)
        return request


class WarehouseExceptionCase(models.Model):
    _inherit = "warehouse.exception.case"

    maintenance_request_ids = fields.One2many("maintenance.request", "exception_case_id", "Maintenance", readonly=True)
    maintenance_count = fields.Integer(compute="_compute_maintenance_count")
    maintenance_summary = fields.Char("Maintenance requested", compute="_compute_maintenance_count")
    names_equipment = fields.Boolean(compute="_compute_names_equipment", help="The reason names a piece of equipment.")

    def _compute_maintenance_count(self):
        """Told to whoever reads the case, also those who may not open the request."""
        found = self.env["maintenance.request"].sudo().search([("exception_case_id", "in", self.ids)])
        by_case = found.grouped("exception_case_id")
        for case in self:
            requests = by_case.get(case.sudo(), found.browse())
            case.maintenance_count = len(requests)
            states = (f"{request.name} ({request.stage_id.name})" for request in requests)
            case.maintenance_summary = ", ".join(states) or False

    @api.depends("reason_code", "exception_type")
    def _compute_names_equipment(self):
        for case in self:
            reason = case.reason_code or ""
            named = reason in EQUIPMENT or EQUIPMENT & set(reason.split("_"))
            case.names_equipment = case.exception_type == "damaged" and bool(named)

    def _respond_damaged(self):
        result = super()._respond_damaged()
        if self.names_equipment and self.policy_id.auto_maintenance and not self.maintenance_request_ids:
            self._propose_maintenance(is_automatic=True)._run_at_once()
        return result

    def action_request_maintenance(self):
        """A request moves no stock and can be cancelled by whoever maintains: nobody has to approve it."""
        self._require_role("investigate")
        for case in self:
            if case.is_finished:
                raise UserError(self.env._("%s is finished: ask for maintenance in Maintenance itself.", case.name))
            if case.sudo().maintenance_request_ids:
                raise UserError(self.env._("%s asked for maintenance already.", case.name))
            case._propose_maintenance().sudo()._run_at_once()
        return self.action_open_maintenance() if len(self) == 1 else None

    def _propose_maintenance(self, **values):
        return self.env["warehouse.exception.action"]._propose(self, "maintenance", quantity=0, **values)

    def action_open_maintenance(self):
        self.ensure_one()
        self.check_access("read")
        found = self.sudo().maintenance_request_ids
        if not found.with_env(self.env).has_access("read"):
            raise UserError(
                self.env._(
                    "Only who owns, does or follows %s can open it. Ask its technician.", self.maintenance_summary
                )
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Maintenance"),
            "res_model": "maintenance.request",
            "view_mode": "form" if len(found) == 1 else "list,form",
            "res_id": found.id if len(found) == 1 else False,
            "domain": [("exception_case_id", "=", self.id)],
        }


class MaintenanceRequest(models.Model):
    _inherit = "maintenance.request"

    exception_case_id = fields.Many2one(
        "warehouse.exception.case",
        "Exception",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="warehouse_exception.group_user",
    )
