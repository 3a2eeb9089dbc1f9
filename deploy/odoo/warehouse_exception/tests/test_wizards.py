import base64
import io

from PIL import Image

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..models.base.seal import unsealed
from .common import GTIN_13, ExceptionCommon

APPROVAL = "warehouse.exception.approval"
CASE = "warehouse.exception.case"


def picture():
    out = io.BytesIO()
    Image.new("RGB", (2400, 10), (1, 2, 3)).save(out, "JPEG")
    return out.getvalue()


@tagged("post_install", "-at_install")
class TestWizards(ExceptionCommon):
    """The dialogs are ways to the same methods: they let nobody do what the methods would not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.product.standard_price = 100

    def _case(self, counted="5", **data):
        quantity = {"expected": "8", "counted": counted}
        case = self.opened(self.handheld.event("overage", item={"code": GTIN_13}, quantity=quantity, **data))
        unsealed(case._live_actions()).write({"state": "withdrawn"})
        return case

    def _propose(self, case, user, kind="accept", **values):
        wizard = self.env["warehouse.exception.propose"].with_user(user)
        return wizard.create({"case_id": case.id, "kind": kind, **values}).action_propose()

    def _say(self, records, method, user, why=None):
        wizard = self.env["warehouse.exception.reason"].with_user(user)
        target = f"{records._name},{method}"
        return wizard.with_context(active_ids=records.ids).create({"target": target, "why": why}).action_go()

    def _submitted(self):
        case = self._case()
        self._propose(case, self.as_investigate)
        case.with_user(self.as_investigate).action_submit()
        return case

    # --- Propose -----------------------------------------------------------------------------------------------------

    def test_whoever_investigates_proposes_what_makes_sense(self):
        case = self._case()
        wizard = Form(
            self.env["warehouse.exception.propose"].with_user(self.as_investigate).with_context(default_case_id=case.id)
        )
        self.assertIn("accept", wizard.allowed_kinds)
        wizard.kind = "accept"
        wizard.note = "counted twice"
        wizard.save().action_propose()
        action = case._live_actions()
        self.assertEqual(
            (action.kind, action.note, action.proposed_by_id), ("accept", "counted twice", self.as_investigate)
        )
        self.assertEqual((action.state, case.state), ("proposed", "open"))

    def test_the_dialog_suggests_what_a_kind_says_by_itself(self):
        self.stock(8)
        event = self.handheld.event(
            "cycle_count_variance",
            item={"code": GTIN_13},
            bin={"code": "EXT-A-03-02"},
            quantity={"expected": "8", "counted": "5"},
        )
        case = self.opened(event)
        case._live_actions().with_user(self.as_investigate).action_withdraw()
        dialog = self.env["warehouse.exception.propose"].with_user(self.as_investigate)
        wizard = Form(dialog.with_context(default_case_id=case.id))
        wizard.kind = "accept"
        self.assertEqual(wizard.quantity, 3)
        wizard.kind = "adjust"
        self.assertEqual((wizard.quantity, wizard.location_id), (-3, self.bin))
        wizard.save().action_propose()
        adjust = case._live_actions().filtered(lambda action: action.kind == "adjust")
        self.assertEqual((adjust.quantity, adjust.book_quantity, adjust.amount), (-3, 8, case._worth(3)))

    def test_the_same_is_not_proposed_twice(self):
        case = self._case()
        self._propose(case, self.as_investigate)
        with self.assertRaisesRegex(UserError, "proposed already"):
            self._propose(case, self.as_investigate)
        self.assertEqual(len(case._live_actions()), 1)

    def test_nobody_else_proposes(self):
        case = self._case()
        for role in (*self.ROLES, "user", "manager"):
            if role != "investigate":
                with self.subTest(role), self.assertRaises(AccessError):
                    self._propose(case, getattr(self, f"as_{role}"))
        self.assertFalse(case._live_actions())

    def test_nothing_is_proposed_while_a_decision_is_waited_for(self):
        case = self._submitted()
        with self.assertRaisesRegex(UserError, "can't be done in that state"):
            self._propose(case, self.as_investigate)

    # --- Why ---------------------------------------------------------------------------------------------------------

    def test_the_reason_is_kept_with_the_step(self):
        case = self._case()
        self._say(case, "action_cancel", self.as_investigate, "a mistake")
        self.assertEqual((case.state, case.step_ids[-1].why), ("cancelled", "a mistake"))

    def test_where_a_reason_is_needed_nothing_happens_without_one(self):
        case = self._submitted()
        waiting = case.approval_ids[0]
        for records, method, user in (
            (waiting, "action_send_back", self.as_approve),
            (waiting, "action_refuse", self.as_approve),
            (case, "action_override", self.as_override),
            (case, "action_reopen", self.as_override),
        ):
            for why in (None, "", "  "):
                with self.subTest(method=method, why=why), self.assertRaisesRegex(UserError, "Say why"):
                    self._say(records, method, user, why)
        self.assertEqual((case.state, waiting.state), ("pending_approval", "waiting"))

    def test_the_dialog_lets_nobody_do_what_the_button_would_not(self):
        case = self._submitted()
        for user in (self.as_investigate, self.as_user, self.as_manager, self.as_audit, self.as_approve_finance):
            for method in ("action_approve", "action_refuse", "action_send_back"):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    self._say(case.approval_ids[0], method, user, "because")
        for method in ("action_cancel", "action_withdraw", "action_override", "action_reopen", "action_replan"):
            with self.subTest(method), self.assertRaises(AccessError):
                self._say(case, method, self.as_approve, "because")

    def test_the_dialog_presses_no_button_that_is_not_on_its_list(self):
        case = self._case()
        for target in (f"{CASE},unlink", f"{CASE},_step", "res.users,action_archive", f"{APPROVAL},_decide"):
            wizard = self.env["warehouse.exception.reason"].with_user(self.as_override)
            wizard = wizard.create({"target": target, "record_ids": case.ids, "why": "closed"})
            with self.subTest(target), self.assertRaisesRegex(UserError, "no such button"):
                wizard.action_go()
        self.assertEqual(case.state, "open")

    def test_several_are_approved_together_and_the_sum_is_shown_before(self):
        approvals = (self._submitted() | self._submitted()).approval_ids.filtered(lambda a: a.step == "operational")
        wizard = (
            self.env["warehouse.exception.reason"].with_user(self.as_approve).with_context(active_ids=approvals.ids)
        )
        wizard = wizard.create({"target": f"{APPROVAL},action_approve"})
        self.assertIn("600.00", wizard.about.split("\n")[0])
        self.assertIn("Accept as it is", wizard.about)
        wizard.action_go()
        self.assertEqual(set(approvals.mapped("state")), {"approved"})

    # --- Report ------------------------------------------------------------------------------------------------------

    def _report(self, user, photos=(), **values):
        said = {
            "exception_type": "overage",
            "warehouse_id": self.warehouse.id,
            "product_id": self.product.id,
            "location_id": self.bin.id,
            "uom_id": self.product.uom_id.id,
            "quantity_counted": 5,
            "is_expected": True,
            "quantity_expected": 8,
            "reason_code": "Box crushed",
            **values,
        }
        wizard = self.env["warehouse.exception.report.wizard"].with_user(user).create(said)
        for name, data in photos:
            wizard.photo_ids += (
                self.env["ir.attachment"]
                .with_user(user)
                .with_context(image_no_postprocess=True)
                .create({"name": name, "datas": base64.b64encode(data), "res_model": wizard._name, "res_id": 0})
            )
        return self.env[CASE].browse(wizard.action_report()["res_id"])

    def test_a_person_reports_without_a_device_and_the_case_goes_on_like_any_other(self):
        case = self._report(self.as_report)
        self.respond()
        self.assertEqual((case.state, case.source, case.device_id.id), ("open", "manual", False))
        self.assertEqual((case.reported_by_id, case.reason_code), (self.as_report, "box_crushed"))
        self.assertEqual((case.expected_source, case.quantity_variance, case.amount_at_stake), ("person", -3, 300))
        self.assertEqual((case.product_code, case.bin_code), (GTIN_13, "A-03-02"))
        self.assertTrue(case.policy_id and case.deadline_at)

    def test_who_reported_never_approves(self):
        both = self.user("both", "warehouse_exception.group_report", "warehouse_exception.group_approve")
        case = self._report(both)
        self.respond()
        unsealed(case._live_actions()).write({"state": "withdrawn"})
        self._propose(case, self.as_investigate)
        case.with_user(self.as_investigate).action_submit()
        self.assertFalse(case.approval_ids[0].with_user(both).can_decide)
        with self.assertRaisesRegex(AccessError, "who reported a case does not approve it"):
            case.approval_ids[0].with_user(both).action_approve()
        case.approval_ids[0].with_user(self.as_approve).action_approve()

    def test_nobody_else_reports(self):
        values = {"exception_type": "damaged", "warehouse_id": self.warehouse.id}
        for role in (*self.ROLES, "user", "manager"):
            if role != "report":
                with self.subTest(role), self.assertRaises(AccessError):
                    self.env[CASE].with_user(getattr(self, f"as_{role}")).action_report(values)

    def test_a_report_can_not_smuggle_in_what_a_device_or_a_method_decides(self):
        for smuggled in ("state", "device_id", "company_id", "policy_id", "reported_by_id", "amount_at_stake"):
            with self.subTest(smuggled), self.assertRaisesRegex(UserError, "Nobody can report this"):
                self.env[CASE].with_user(self.as_report).action_report(
                    {"exception_type": "damaged", "warehouse_id": self.warehouse.id, smuggled: 1}
                )

    def test_photos_of_a_report_are_evidence_to_the_byte(self):
        data = picture()
        case = self._report(self.as_report, [("a.jpg", data), ("again.jpg", data)])
        evidence = case.evidence_ids
        self.assertEqual((len(evidence), evidence.attachment_id.raw, evidence.added_by_id), (1, data, self.as_report))
        self.assertEqual((evidence.company_id, case.thumbnail_id), (self.company, evidence.attachment_id))
        for editor in (evidence, evidence.with_user(self.as_report), evidence.sudo()):
            with self.assertRaises(AccessError):
                editor.write({"sha256": "0"})
            with self.assertRaises(AccessError):
                editor.attachment_id.write({"raw": b"x"})

    def test_what_is_no_photo_is_refused_and_no_case_is_left(self):
        before = self.env[CASE].search_count([])
        with self.assertRaisesRegex(UserError, "is no photo"), self.env.cr.savepoint():
            self._report(self.as_report, [("x.exe", b"MZ\x90\x00not a picture")])
        self.assertEqual(self.env[CASE].search_count([]), before)

    def test_a_report_about_nothing_is_refused(self):
        with self.assertRaisesRegex(UserError, "Say at least which"):
            self._report(self.as_report, product_id=False, location_id=False)

    def test_a_warehouse_of_another_company_is_out_of_reach(self):
        other = self.env["res.company"].create({"name": "Other"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", other.id)], limit=1)
        with self.assertRaises(AccessError):
            self.env[CASE].with_user(self.as_report).action_report(
                {"exception_type": "damaged", "warehouse_id": warehouse.id}
            )

    def test_without_a_policy_the_company_says_until_when(self):
        self.env["warehouse.exception.policy"].search([]).active = False
        self.company.exception_deadline_hours = 5
        case = self._report(self.as_report)
        case._respond_and_settle()
        hours = (case.deadline_at - fields.Datetime.now()).total_seconds() / 3600
        self.assertAlmostEqual(hours, 5, delta=0.1)
