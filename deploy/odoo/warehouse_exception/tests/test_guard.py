from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from .test_blocked import KEYS, BlockedCommon


@tagged("post_install", "-at_install")
class TestGuard(BlockedCommon):
    """Who has a role of ours adjusts nothing by hand. Who has none is left alone, unless the company wants it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = cls.user("plain", "stock.group_stock_user")
        cls.stock_manager = cls.user("both", "stock.group_stock_manager", "warehouse_exception.group_user")
        cls.loss = cls.product.property_stock_inventory
        cls.quant = cls.env["stock.quant"].search([("lot_id", "=", cls.lot.id), ("location_id", "=", cls.bin.id)])
        cls.customers = cls.env.ref("stock.stock_location_customers")

    def setUp(self):
        super().setUp()
        self.done = self.move(2, self.customers)
        self.assertEqual(self.on_hand(lot=self.lot), 8)

    # Each way to change stock by hand: as who, and with which context.

    def count_in_inventory_mode(self, user, context):
        quant = self.quant.with_user(user).with_context(**{**context, "inventory_mode": True})
        quant.write({"inventory_quantity": 5})
        quant.action_apply_inventory()

    def count_a_new_quant(self, user, context):
        quants = self.env["stock.quant"].with_user(user).with_context(**{**context, "inventory_mode": True})
        goods = {"product_id": self.product.id, "location_id": self.bin.id, "lot_id": self.lot.id}
        quants.create({**goods, "inventory_quantity": 5}).action_apply_inventory()

    def apply_a_count(self, user, context):
        self.quant.inventory_quantity = 5
        self.quant.with_user(user).with_context(**context).action_apply_inventory()

    def scrap(self, user, context):
        values = {"product_id": self.product.id, "lot_id": self.lot.id, "location_id": self.bin.id}
        scrap = self.env["stock.scrap"].with_user(user).with_context(**context).create({**values, "scrap_qty": 3})
        scrap.do_scrap()

    def transfer_into_a_loss(self, user, context):
        self.move(3, self.loss, user=user, context=context)

    def transfer_with_a_line_into_a_loss(self, user, context):
        """The move says a shelf, its line a loss."""
        move = self.env["stock.move"].with_user(user).with_context(**context)
        places = {"location_id": self.bin.id, "location_dest_id": self.quarantine.id}
        move = move.create({"product_id": self.product.id, "product_uom_qty": 3, **places})
        move._action_confirm()
        move.move_line_ids = [Command.clear(), Command.create({**self.line_values(3, self.loss), "picked": True})]
        move.picked = True
        move._action_done()

    def edit_a_done_line(self, user, context):
        self.done.move_line_ids.with_user(user).with_context(**context).write({"quantity": 5})

    def edit_a_done_move(self, user, context):
        self.done.with_user(user).with_context(**context).write({"quantity": 5})

    def add_a_line_to_a_done_move(self, user, context):
        lines = self.env["stock.move.line"].with_user(user).with_context(**context)
        lines.create({**self.line_values(3, self.customers), "move_id": self.done.id})

    def add_a_line_by_its_move(self, user, context):
        line = self.line_values(3, self.customers)
        self.done.with_user(user).with_context(**context).write({"move_line_ids": [Command.create(line)]})

    def create_a_done_move(self, user, context):
        moves = self.env["stock.move"].with_user(user).with_context(**context)
        places = {"location_id": self.bin.id, "location_dest_id": self.loss.id}
        line = Command.create(self.line_values(3, self.loss))
        goods = {"product_id": self.product.id, "product_uom_qty": 3, "state": "done", "move_line_ids": [line]}
        moves.create({**goods, **places})

    ADJUSTING = (
        count_in_inventory_mode,
        count_a_new_quant,
        apply_a_count,
        scrap,
        transfer_into_a_loss,
        transfer_with_a_line_into_a_loss,
        edit_a_done_line,
        edit_a_done_move,
        add_a_line_to_a_done_move,
        add_a_line_by_its_move,
        create_a_done_move,
    )

    def outcome(self, way, user, context=None):
        """What is left in the bin if `user` goes this `way`; 'refused' if they can't. Undone afterwards."""
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            way(self, user, context or {})
            self.env.flush_all()
            self.assertFalse(self.on_hand(self.quarantine, lot=self.lot))
            return self.on_hand(lot=self.lot)
        except (AccessError, UserError) as error:
            self.assertIn("not by hand", str(error))
            return "refused"
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def test_no_role_of_ours_adjusts_by_hand(self):
        for role in (*self.ROLES, "user", "manager"):
            person = getattr(self, f"as_{role}")
            for way in self.ADJUSTING:
                with self.subTest(role=role, way=way.__name__):
                    self.assertEqual(self.outcome(way, person), "refused")
        self.assertEqual(self.on_hand(lot=self.lot), 8)

    def test_a_person_without_a_role_of_ours_adjusts_as_before(self):
        for way in self.ADJUSTING:
            with self.subTest(way=way.__name__):
                self.assertEqual(self.outcome(way, self.plain), 5)

    def test_a_company_may_guard_against_everybody_and_against_nobody(self):
        for way in self.ADJUSTING:
            with self.subTest(way=way.__name__):
                self.company.exception_guard = "everyone"
                self.assertEqual(self.outcome(way, self.plain), "refused")
                self.company.exception_guard = "off"
                self.assertEqual(self.outcome(way, self.as_execute), 5)
                self.company.exception_guard = "roles"

    def test_no_context_gets_past_the_guard(self):
        for way in self.ADJUSTING:
            with self.subTest(way=way.__name__):
                self.assertEqual(self.outcome(way, self.as_execute, KEYS), "refused")
        for key, value in KEYS.items():
            for way in (type(self).transfer_into_a_loss, type(self).edit_a_done_line):
                with self.subTest(way=way.__name__, key=key):
                    self.assertEqual(self.outcome(way, self.as_execute, {key: value}), "refused")

    def test_borrowed_rights_do_not_help(self):
        with self.refused("not by hand", AccessError):
            quant = self.quant.with_user(self.as_execute).sudo().with_context(inventory_mode=True)
            quant.inventory_quantity_auto_apply = 5
        with self.refused("not by hand", AccessError):
            self.done.move_line_ids.with_user(self.as_execute).sudo().quantity = 5

    def test_a_stock_manager_with_a_role_finds_no_other_way(self):
        quant = self.quant.with_user(self.stock_manager)
        shelf = self.bin.with_user(self.stock_manager)
        done = self.done.with_user(self.stock_manager)
        count = self.quant._get_inventory_move_values(1, self.bin, self.loss)
        counted = self.env["stock.move"].create(count)
        counted._action_done()
        for way in (
            lambda: quant.with_context(inventory_mode=True).write({"inventory_quantity_auto_apply": 5}),
            lambda: quant.write({"quantity": 5}),
            lambda: quant.write({"lot_id": False}),
            lambda: quant.create({"product_id": self.product.id, "location_id": self.bin.id, "quantity": 5}),
            lambda: quant.sudo().with_context(inventory_mode=True).write({"inventory_quantity_auto_apply": 5}),
            lambda: shelf.write({"usage": "inventory"}),
            lambda: done.write({"state": "draft"}),
            lambda: done.write({"location_dest_id": self.loss.id}),
            lambda: done.move_line_ids.write({"state": "draft"}),
            lambda: done.move_line_ids.write({"lot_id": self.env["stock.lot"].create(self.other_lot()).id}),
            lambda: done.move_line_ids.write({"location_dest_id": self.loss.id}),
            lambda: done.move_line_ids.unlink(),
            lambda: counted.move_line_ids.with_user(self.stock_manager).action_revert_inventory(),
        ):
            with self.refused("not by hand", AccessError):
                way()
        self.assertEqual(self.on_hand(lot=self.lot), 7)

    def other_lot(self):
        return {"name": "L-9", "product_id": self.product.id}

    def test_ordinary_work_goes_on_for_people_with_a_role(self):
        """Receipts, transfers, deliveries, and counting without applying the count."""
        suppliers = self.env.ref("stock.stock_location_suppliers")
        self.move(4, self.bin, source=suppliers, user=self.as_execute)
        self.move(1, self.quarantine, user=self.as_execute)
        done = self.move(1, self.customers, user=self.as_execute)
        self.assertEqual(self.on_hand(lot=self.lot), 10)
        self.quant.with_user(self.as_execute).with_context(inventory_mode=True).inventory_quantity = 7
        done.move_line_ids.with_user(self.as_execute).write({"quantity": 1, "lot_id": self.lot.id})

    def test_a_transfer_is_validated_in_its_form_by_somebody_with_a_role(self):
        picking = self.reserved(3)
        with Form(picking.with_user(self.as_execute)) as form:
            form.note = "careful"
        picking.move_ids.picked = True
        picking.with_user(self.as_execute).button_validate()
        self.assertEqual((picking.state, self.on_hand(lot=self.lot)), ("done", 5))

    def test_the_system_adjusts(self):
        for way in self.ADJUSTING:
            with self.subTest(way=way.__name__):
                self.assertEqual(self.outcome(way, self.env.ref("base.user_root")), 5)

    def test_an_approved_response_adjusts(self):
        case = self.reported("overage")
        self.actions._propose(case, "accept")
        self.decided(case)
        ways = list(self.ADJUSTING)

        def adjusts(action):
            for way in ways:
                savepoint = self.env.cr.savepoint(flush=True)
                way(self, action.env.user, dict(action.env.context))
                self.env.flush_all()
                left.append(self.on_hand(lot=self.lot))
                savepoint.close(rollback=True)
                self.env.invalidate_all()

        left = []
        self.patch(self.env.registry["warehouse.exception.action"], "_do_accept", adjusts)
        case.with_user(self.as_execute).action_execute()
        self.assertEqual((case.failure, left), (False, [5] * len(ways)))


@tagged("post_install", "-at_install")
class TestGuardByRpc(BlockedCommon, HttpCase):
    def test_nobody_with_a_role_adjusts_over_the_network(self):
        """With a context that claims all it can."""
        self.as_execute.password = "only execute, really"
        self.authenticate(self.as_execute.login, "only execute, really")
        quant = self.env["stock.quant"].search([("lot_id", "=", self.lot.id), ("location_id", "=", self.bin.id)])
        goods = {"product_id": self.product.id, "lot_id": self.lot.id, "location_id": self.bin.id}
        scrap = self.env["stock.scrap"].create({**goods, "scrap_qty": 3})
        quant.inventory_quantity = 5
        for model, method, args in (
            ("stock.quant", "action_apply_inventory", [quant.ids]),
            ("stock.quant", "write", [quant.ids, {"quantity": 5}]),
            ("stock.scrap", "do_scrap", [scrap.ids]),
            ("stock.scrap", "action_validate", [scrap.ids]),
        ):
            with self.subTest(model=model, method=method), mute_logger("odoo.http"):
                params = {"model": model, "method": method, "args": args, "kwargs": {"context": KEYS}}
                with self.assertRaisesRegex(JsonRpcException, "odoo.exceptions.AccessError"):
                    self.make_jsonrpc_request(f"/web/dataset/call_kw/{model}/{method}", params)
        self.assertEqual(self.on_hand(lot=self.lot), 10)
