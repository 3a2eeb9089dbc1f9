from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.warehouse_exception.models.base.seal import unsealed
from odoo.addons.warehouse_exception.tests.common import GTIN_13, ExceptionCommon


@tagged("post_install", "-at_install")
class TestTicket(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Quality desk", "warehouse_exceptions": True, "company_id": cls.company.id}
        )
        cls.agent = cls.user("agent", "helpdesk_mgmt.group_helpdesk_user")
        # Where quality has an app of its own, that goes first.
        adapter = cls.env.registry["warehouse.exception.adapter"]
        cls.startClassPatcher(patch.object(adapter, "_quality_check", lambda adapter, case: None))

    def _case(self):
        case = self.opened(self.handheld.event("damaged", item={"code": GTIN_13}, note="crushed corner"))
        # Also where the response has opened a task by itself.
        unsealed(case).write({"task_name": False, "task_id": False, "task_model": False})
        case.user_id = self.as_investigate
        return case

    def test_a_case_opens_one_ticket_with_what_is_known(self):
        case = self._case()
        ticket = case._open_quality_task()
        self.assertEqual((ticket._name, ticket.exception_case_id, ticket.team_id), ("helpdesk.ticket", case, self.team))
        self.assertIn(case.name, ticket.name)
        self.assertIn("crushed corner", ticket.description)
        self.assertEqual(case._open_quality_task(), ticket)
        self.assertEqual(case.task_name, ticket.display_name)

    def test_an_agent_works_on_the_ticket_without_rights_on_cases(self):
        case = self._case()
        ticket = case._open_quality_task().with_user(self.agent)
        with self.assertRaises(AccessError):
            ticket.exception_case_id.read(["state"])
        self.assertTrue(ticket.web_read({"name": {}, "exception_case_id": {"fields": {"display_name": {}}}}))
        ticket.stage_id = self.env["helpdesk.ticket.stage"].search([("closed", "=", True)], limit=1)
        self.assertIn("is closed", str(case.message_ids.mapped("body")))
        told = case.activity_ids.filtered(lambda todo: todo.user_id == self.as_investigate)
        self.assertTrue(any(ticket.number in (todo.summary or "") for todo in told))

    def test_a_ticket_of_another_company_is_not_used(self):
        self.team.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        ticket = self._case()._open_quality_task()
        self.assertFalse(ticket.team_id)
        self.assertEqual(ticket.company_id, self.company)
