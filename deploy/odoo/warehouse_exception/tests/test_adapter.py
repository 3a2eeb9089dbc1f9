from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models.base.seal import unsealed
from .common import GTIN_13, ExceptionCommon, photo


@tagged("post_install", "-at_install")
class TestAdapter(ExceptionCommon):
    """What other apps do for a case, with stand-ins for them. The bridges test the real ones."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.adapter = type(cls.env["warehouse.exception.adapter"])

    def _case(self, **data):
        case = self.opened(self.handheld.event("damaged", item={"code": GTIN_13}, **data))
        # Also where a bridge or the response has opened a task by itself.
        unsealed(case).write({"task_name": False, "task_id": False, "task_model": False})
        case.activity_ids.unlink()
        return case

    def _stand_in(self, hook, work):
        self.patch(self.adapter, hook, lambda adapter, *args: work(*args))

    def _no_apps(self):
        for hook in ("_quality_check", "_helpdesk_ticket"):
            self._stand_in(hook, lambda case: None)

    def _ticket(self, case):
        return self.env["res.partner"].create({"name": f"Ticket of {case.name}"})

    def test_without_another_app_whoever_is_responsible_is_asked_once(self):
        self._no_apps()
        case = self._case()
        case.user_id = self.as_investigate
        for _again in range(2):
            self.assertIsNone(case._open_quality_task("Look at it"))
        self.assertEqual(case.activity_ids.mapped("summary"), [f"Inspect: {self.product.display_name}"])
        self.assertEqual(case.activity_ids.user_id, self.as_investigate)
        case.activity_ids.action_done()
        case._open_quality_task("Look at it")
        self.assertFalse(case.activity_ids, "a case has one task, also when it is done")

    def test_nobody_to_ask_is_no_error(self):
        self._no_apps()
        case = self._case()
        case.policy_id.team_id = case.user_id = False
        case._open_quality_task()
        self.assertFalse(case.activity_ids)
        self.assertTrue(case.task_name)

    def test_quality_goes_before_helpdesk_and_one_task_is_enough(self):
        self._no_apps()
        case = self._case()
        self._stand_in("_helpdesk_ticket", self._ticket)
        ticket = case._open_quality_task("Look at it")
        self.assertEqual((case._task(), case.task_name), (ticket, ticket.display_name))
        self.assertIn("Look at it", str(ticket.message_ids.mapped("body")))
        self._stand_in("_quality_check", lambda case: self.fail("asked again"))
        self.assertEqual(case._open_quality_task(), ticket)
        other = self._case()
        self._stand_in("_quality_check", lambda case: self.env["res.partner"].create({"name": "Check"}))
        self._stand_in("_helpdesk_ticket", lambda case: self.fail("one is enough"))
        self.assertEqual(other._open_quality_task().name, "Check")

    def test_an_app_that_refuses_is_told_and_leaves_nothing_behind(self):
        self._no_apps()
        case = self._case()
        case.user_id = self.as_investigate

        def refuses(case):
            self.env["res.partner"].create({"name": "half a ticket"})
            raise UserError(self.env._("no team is set up"))

        self._stand_in("_quality_check", refuses)
        self.assertIsNone(case._open_quality_task())
        self.assertFalse(self.env["res.partner"].search([("name", "=", "half a ticket")]))
        self.assertIn("no team is set up", str(case.message_ids.mapped("body")))
        self.assertTrue(case.activity_ids, "the activity is what remains")

    def test_a_task_whose_app_or_record_is_gone_breaks_no_case(self):
        self._no_apps()
        case = self._case()
        self._stand_in("_helpdesk_ticket", self._ticket)
        ticket = case._open_quality_task()
        self.assertTrue(case.with_user(self.as_user).has_task)
        ticket.unlink()
        case.invalidate_recordset()
        self.assertFalse(case.has_task)
        with self.assertRaisesRegex(UserError, "not there any more"):
            case.with_user(self.as_user).action_open_task()
        unsealed(case).write({"task_model": "an.app.that.went", "task_id": 7})
        case.invalidate_recordset()
        read = case.with_user(self.as_user).web_read({"task_name": {}, "task_id": {}, "has_task": {}})
        self.assertEqual((read[0]["has_task"], read[0]["task_name"]), (False, f"Ticket of {case.name}"))

    def test_nobody_names_another_task_than_the_one_that_was_opened(self):
        case = self._case()
        for values in ({"task_name": "x"}, {"task_id": 1}, {"task_model": "res.users"}):
            with self.assertRaises(AccessError):
                case.with_user(self.as_investigate).write(values)

    def test_a_response_stays_readable_when_the_app_of_its_result_goes(self):
        case = self._case()
        action = self.env["warehouse.exception.action"]._propose(case, "accept")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE warehouse_exception_action SET result = 'an.app.that.went,7' WHERE id = %s", [action.id]
        )
        action.invalidate_recordset()
        action._forget_results(["an.app.that.went"])
        self.assertEqual((action.result, action.note), (None, "(an.app.that.went,7)"))

    # --- Evidence as documents

    def _with_photo(self, data=b"\xff\xd8 a photo"):
        case = self._case(photos=[photo(data)])
        evidence = self.env["warehouse.exception.evidence"]
        self.assertEqual(evidence._receive(self.device, photo(data)["sha256"], 0, len(data), data).name, "complete")
        return case

    def test_a_photo_is_filed_after_its_receipt_and_once(self):
        filed = []
        self._stand_in("_files_evidence", lambda: True)
        self._stand_in("_file_evidence", filed.append)
        case = self._with_photo()
        self.assertFalse(filed, "the device's answer waits for no other app")
        evidence = self.env["warehouse.exception.evidence"]
        for _again in range(2):
            with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1):
                evidence._cron_file_evidence()
        self.assertIn(case.evidence_ids, filed)
        self.assertEqual(filed.count(case.evidence_ids), 1)

    def test_a_photo_that_can_not_be_filed_stays_evidence(self):
        def refuses(evidence):
            raise UserError(self.env._("the folder is full"))

        self._stand_in("_files_evidence", lambda: True)
        self._stand_in("_file_evidence", refuses)
        case = self._with_photo()
        case.evidence_ids._file()
        self.assertTrue(case.evidence_ids.filed_at and case.evidence_ids.complete)
        self.assertIn("the folder is full", str(case.message_ids.mapped("body")))

    def test_without_a_documents_app_nothing_is_filed_until_there_is_one(self):
        self._stand_in("_files_evidence", lambda: False)
        case = self._with_photo()
        self.env["warehouse.exception.evidence"]._cron_file_evidence()
        self.assertFalse(case.evidence_ids.filed_at)

    # --- Approvals elsewhere

    def test_decisions_are_told_and_a_mirror_that_fails_refuses_none(self):
        asked, settled = [], []
        self._stand_in("_approvals_asked", asked.append)
        self._stand_in("_approvals_settled", settled.append)
        case = self._case()
        self.env["warehouse.exception.action"]._propose(case, "accept")
        case.cause_id = self.env["warehouse.exception.cause"].search([], limit=1)
        case.with_user(self.as_override).action_override("for the test")
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(asked, list(case.approval_ids))
        case.with_user(self.as_investigate).action_withdraw()
        self.assertEqual(settled, list(case.approval_ids))

        def refuses(approvals):
            raise UserError(self.env._("the mirror is broken"))

        self._stand_in("_approvals_asked", refuses)
        self._stand_in("_approvals_settled", refuses)
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        self.assertEqual(case.state, "approved")
        self.assertIn("the mirror is broken", str(case.message_ids.mapped("body")))
