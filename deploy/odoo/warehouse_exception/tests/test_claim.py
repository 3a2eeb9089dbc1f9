import hashlib
import io

from PIL import Image

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import photo
from .dock import DockCommon


def jpeg(color):
    out = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(out, "JPEG")
    return out.getvalue()


@tagged("post_install", "-at_install")
class TestClaim(DockCommon):
    """A supplier claim, from the report to what came back."""

    def _case(self, counted="8", **data):
        return self.reported(self.receipt((self.product, 10)), counted, **data)

    def _claim(self, **data):
        case = self._case(**data)
        self.plan(case, "short_close")
        self.env["warehouse.exception.action"]._propose(case, "claim")
        self.carried_out(case)
        return case.claim_ids

    def test_a_short_receipt_ends_in_a_settled_claim(self):
        case = self._case()
        self.plan(case, "short_close")
        action = self.env["warehouse.exception.action"]._propose(case, "claim")
        self.assertEqual((action.amount, action.is_financial), (200, True))
        case.with_user(self.as_investigate).action_submit()
        self.assertEqual(case.approval_ids.mapped("step"), ["operational", "financial"])
        self.assertEqual((case.claim_ids.ids, self.shelved()), ([], 0))
        self.decide_all(case)
        self.assertEqual((case.claim_ids.ids, self.shelved()), ([], 0))
        case.with_user(self.as_execute).action_execute()
        claim = case.claim_ids
        self.assertEqual((case.state, self.shelved(), action.result), ("resolved", 8, claim))
        self.assertEqual((claim.partner_id, claim.amount, claim.state), (self.vendor, 200, "draft"))
        self.assertRegex(claim.name, r"CLM/\d{4}/\d{5}")
        claim.with_user(self.as_execute).action_send()
        claim.with_user(self.as_execute).action_accept()
        claim.with_user(self.as_approve_finance).action_settle(150)
        self.assertEqual((claim.state, claim.recovered, claim.recovered_company), ("settled", 150, 150))
        self.assertTrue(claim.sent_at and claim.answered_at and claim.settled_at)

    def test_a_policy_can_claim_what_is_short_instead_of_awaiting_it(self):
        self.env["warehouse.exception.policy"].search([]).write({"propose_claim": True})
        case = self._case()
        self.assertEqual(case._live_actions().sorted("sequence").mapped("kind"), ["short_close", "claim"])
        self.finish(case)
        self.assertEqual((case.claim_ids.line_ids.quantity, self.shelved()), (2, 8))

    def test_a_surplus_and_a_wrong_item_can_be_claimed(self):
        surplus = self._case("12")
        wrong = self._case("3", item={"code": "HAD"}, reason="wrong_item")
        for case in surplus | wrong:
            self.assertIn("claim", self.env["warehouse.exception.action"]._kinds_for(case))
            self.env["warehouse.exception.action"]._propose(case, "claim")
            self.carried_out(case)
        self.assertEqual((surplus.claim_ids.line_ids.quantity, self.shelved()), (2, 12))
        self.assertEqual((wrong.claim_ids.line_ids.quantity, wrong.claim_ids.line_ids.reason), (3, "Wrong item"))
        self.assertEqual(self.quarantined(self.other, self.vendor), 3)

    def test_without_a_vendor_no_claim_is_written(self):
        case = self._case()
        case.picking_id.partner_id = False
        self.assertNotIn("claim", self.env["warehouse.exception.action"]._kinds_for(case))
        self.plan(case, "claim")
        case.with_user(self.as_investigate).action_submit()
        self.decide_all(case)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.state, case.claim_ids.ids), ("executing", []))
        self.assertIn("Nobody knows from whom", case.failure)

    def test_who_may_not_neither_writes_sends_nor_settles_a_claim(self):
        claim = self._claim()
        buttons = {
            "execute": "action_send action_email action_accept action_refuse",
            "approve_finance": "action_settle",
        }
        for role, names in buttons.items():
            for other in (*self.ROLES, "user", "manager"):
                if other == role:
                    continue
                for name in names.split():
                    with self.subTest(button=name, role=other), self.assertRaises(AccessError):
                        getattr(claim.with_user(getattr(self, f"as_{other}")), name)()
        for role in (*self.ROLES, "user", "manager"):
            user = getattr(self, f"as_{role}")
            for records in (claim, claim.line_ids):
                with self.assertRaises(AccessError):
                    records.with_user(user).create({"claim_id": claim.id})
                with self.assertRaises(AccessError):
                    records.with_user(user).unlink()
                with self.assertRaises(AccessError):
                    records.with_user(user).write({"currency_id": claim.currency_id.id})
        for values in ({"state": "settled"}, {"recovered": 1}, {"partner_id": self.lead.partner_id.id}):
            with self.assertRaises(AccessError):
                claim.with_user(self.as_execute).write(values)
            with self.assertRaises(AccessError):
                claim.sudo().write(values)
        claim.with_user(self.as_execute).vendor_reference = "RMA-1"

    def test_a_claim_takes_no_step_that_does_not_exist(self):
        claim = self._claim()
        for name in ("action_accept", "action_refuse"):
            with self.assertRaisesRegex(UserError, "can't become"):
                getattr(claim.with_user(self.as_execute), name)()
        with self.assertRaisesRegex(UserError, "can't become"):
            claim.with_user(self.as_approve_finance).action_settle(1)
        claim.with_user(self.as_execute).action_send()
        claim.with_user(self.as_execute).action_accept()
        for amount in (-1, 201):
            with self.assertRaisesRegex(UserError, "between nothing and that"):
                claim.with_user(self.as_approve_finance).action_settle(amount)
        wizard = self.env["warehouse.exception.settle.claim"].with_user(self.as_approve_finance)
        wizard = wizard.with_context(active_id=claim.id).create({})
        self.assertEqual(wizard.recovered, 200)
        wizard.action_settle()
        self.assertEqual((claim.state, claim.recovered), ("settled", 200))

    def test_a_refused_claim_recovers_nothing(self):
        claim = self._claim()
        claim.with_user(self.as_execute).action_send()
        claim.with_user(self.as_execute).action_refuse("they say it was complete")
        self.assertEqual((claim.state, claim.recovered), ("refused", 0))

    def test_the_printed_claim_has_photos_signatures_and_hashes(self):
        here, missing = jpeg("red"), jpeg("blue")
        case = self._case(photos=[photo(here), photo(missing)], note="Torn foil")
        self.plan(case, "claim")
        sha256 = hashlib.sha256(here).hexdigest()
        self.env["warehouse.exception.evidence"]._receive(self.device, sha256, 0, len(here), here)
        case.with_user(self.as_investigate).action_take()
        self.carried_out(case)
        claim = case.claim_ids
        report = self.env["ir.actions.report"].with_user(self.as_user)
        html = report._render_qweb_html("warehouse_exception.report_claim", claim.ids)[0].decode()
        expected = [
            claim.name,
            case.name,
            case.picking_id.name,
            "Vendor",
            "Cod fillet",
            "Torn foil",
            "DOCK-01",
            sha256,
            hashlib.sha256(missing).hexdigest(),
            "has not come in",
            "data:image/jpeg;base64,",
            case.event_ids.digest,
            case.event_ids.key_id.kid,
        ]
        expected += [
            user.name for user in (self.as_investigate, self.as_approve, self.as_approve_finance, self.as_execute)
        ]
        for text in expected:
            self.assertIn(text, html)
        self.assertEqual(html.count("data:image/jpeg;base64,"), 1)

    def test_a_claim_of_another_company_is_not_read(self):
        claim = self._claim()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.user("stranger", "warehouse_exception.group_user")
        stranger.write({"company_ids": [(6, 0, elsewhere.ids)], "company_id": elsewhere.id})
        self.assertFalse(self.env["warehouse.exception.claim"].with_user(stranger).search([("id", "=", claim.id)]))
        with self.assertRaises(AccessError):
            self.env["ir.actions.report"].with_user(stranger)._render_qweb_html(
                "warehouse_exception.report_claim", claim.ids
            )
