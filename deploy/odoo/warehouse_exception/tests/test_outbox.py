import base64
import json
import re
import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..lib import webhook as protocol
from ..models.base.seal import unsealed
from ..models.outbox import sending
from .common import GTIN_13, ExceptionCommon

SENDING = "odoo.addons.warehouse_exception.models.outbox.sending"


class Receiver(BaseHTTPRequestHandler):
    """The other end: keeps what it gets, and answers as the test says."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers.items()), body))
        answer = self.server.answers.pop(0) if self.server.answers else (200, {}, b"ok")
        if callable(answer):
            return answer(self)
        status, headers, text = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *args):
        pass


@contextmanager
def receiver(*answers):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answers = [], list(answers)
    server.done = threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.done.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def address(server):
    return f"http://127.0.0.1:{server.server_port}/hook/secret-path?x=1"


def stalls(handler):
    handler.server.done.wait(20)


def drips(handler):
    """A byte now and then, for ever: each read is quick, and the answer never ends."""
    handler.send_response(500)
    handler.end_headers()
    drip(handler)


def drips_headers(handler):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    drip(handler)


def drip(handler):
    try:
        while not handler.server.done.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()
    except OSError:
        return  # the other side has left, as it should


def endless(handler):
    """As fast as it goes: only what is read may count."""
    handler.send_response(500)
    handler.end_headers()
    try:
        while not handler.server.done.is_set():
            handler.wfile.write(b"x" * 65536)
    except OSError:
        return


def verify(secret, headers, body):
    """As somebody else would check it, by the text of Standard Webhooks; which of the signatures is right."""
    headers = {name.lower(): value for name, value in headers.items()}
    key = base64.b64decode(re.fullmatch(r"whsec_([A-Za-z0-9+/=]+)", secret)[1])
    right = HMAC(key, SHA256())
    right.update(f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body)
    wanted = "v1," + base64.b64encode(right.finalize()).decode()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    return headers["webhook-signature"].split(" ").index(wanted)


@tagged("post_install", "-at_install")
class TestPost(BaseCase):
    """One POST, whatever is at the other end."""

    def _post(self, server, body=b"{}"):
        return protocol.post(address(server), {"X-Test": "1"}, body, allow_http=True)

    def test_the_whole_body_and_the_headers_arrive(self):
        with receiver() as server:
            reply = self._post(server, '{"é":1}'.encode())
        self.assertEqual((reply.status, reply.body), (200, b""))
        [(path, headers, body)] = server.got
        self.assertEqual((path, headers["X-Test"], body.decode()), ("/hook/secret-path?x=1", "1", '{"é":1}'))

    def test_a_redirect_is_an_answer_and_not_followed(self):
        with receiver() as target, receiver((302, {"Location": address(target)}, b"")) as server:
            self.assertEqual(self._post(server).status, 302)
        self.assertEqual(target.got, [])

    def test_whoever_stalls_drips_or_never_ends_is_left_in_time(self):
        for answer in (stalls, drips, drips_headers, endless):
            with (
                self.subTest(answer=answer.__name__),
                receiver(answer) as server,
                patch.object(protocol, "READ_SECONDS", 0.5),
                patch.object(protocol, "TOTAL_SECONDS", 0.6),
            ):
                began = time.monotonic()
                try:
                    reply = self._post(server)
                    self.assertEqual(reply.status, 500)
                    self.assertLessEqual(len(reply.body), protocol.MAX_REPLY_BYTES)
                except protocol.Failed as error:
                    self.assertEqual(str(error), "no answer in time")
                self.assertLess(time.monotonic() - began, 3)

    def test_nobody_there_is_told_without_the_address(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with self.assertRaises(protocol.Failed) as caught:
            protocol.post(f"http://127.0.0.1:{port}/secret-path", {}, b"{}", allow_http=True)
        self.assertNotIn("secret-path", str(caught.exception))

    def test_a_certificate_that_nobody_trusts_is_refused(self):
        with receiver() as server, self.assertRaises(protocol.Failed):
            protocol.post(address(server).replace("http://", "https://"), {}, b"{}")
        self.assertEqual(server.got, [])

    def test_addresses_that_are_refused(self):
        for url in (
            "http://example.com/x",
            "ftp://example.com/x",
            "file:///etc/passwd",
            "https:///x",
            "https://user:password@example.com/x",
            "https://example.com/x#y",
            "https://example.com/x y",
            "https://example.com/\r\nX: y",
            "https://exämple.com/x",
            "https://example.com:port/x",
            "https://example.com/" + "x" * 2000,
        ):
            with self.subTest(url=url[:40]), self.assertRaises(protocol.BadUrl):
                protocol.check_url(url, allow_http=False)
        protocol.check_url("http://example.com/x", allow_http=True)

    def test_the_signature_of_the_standards_own_example(self):
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        signature = protocol.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
        self.assertEqual(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")


@tagged("post_install", "-at_install")
class TestOutbox(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.env["ir.config_parameter"].set_param("warehouse_exception.webhook_allow_http", "True")
        cls.deliveries = cls.env["warehouse.exception.webhook.delivery"]
        cls.env["warehouse.exception.webhook"].search([]).active = False

    def _endpoint(self, server, **values):
        return self.env["warehouse.exception.webhook"].create({"name": "n8n", "url": address(server), **values})

    def _case(self, kind="overage"):
        return self.case_of(
            self.handheld.event(kind, item={"code": GTIN_13}, quantity={"expected": "8", "counted": "5.5"})
        )

    def deliver(self, seconds=1):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: seconds):
            self.deliveries._cron_deliver()

    def _due_now(self):
        unsealed(self.deliveries.search([("state", "=", "waiting")])).write({"next_at": fields.Datetime.now()})

    def _secret(self, webhook):
        return webhook.with_user(self.as_manager).action_new_secret()["context"]["default_secret"]

    def test_what_happens_to_a_case_is_told_signed_and_in_order(self):
        with receiver() as server:
            webhook = self._endpoint(server)
            secret = self._secret(webhook)
            case = self._case()
            case.with_user(self.as_investigate).action_take()
            self.assertEqual(set(webhook.delivery_ids.mapped("state")), {"waiting"})
            self.deliver()
        told = [json.loads(body) for _path, _headers, body in server.got]
        self.assertEqual(
            [(each["type"], each["data"].get("previous_state"), each["data"]["state"]) for each in told],
            [
                ("case.created", None, "open"),
                ("case.step", "received", "open"),
                ("case.step", "open", "investigating"),
            ],
        )
        data = told[1]["data"]
        self.assertEqual((data["case"], data["expected"], data["counted"]), (case.name, "8", "5.5"))
        self.assertEqual((data["kind"], data["warehouse"]), ("overage", "EXT"))
        for _path, headers, body in server.got:
            self.assertEqual(verify(secret, headers, body), 0)
            self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(len({headers["webhook-id"] for _path, headers, _body in server.got}), 3)
        self.assertEqual(set(webhook.delivery_ids.mapped("state")), {"delivered"})

    def test_a_message_is_written_with_the_change_or_not_at_all(self):
        with receiver() as server:
            webhook = self._endpoint(server)
            try:
                with self.env.cr.savepoint():
                    self._case()
                    self.assertTrue(webhook.delivery_ids)
                    raise ZeroDivisionError
            except ZeroDivisionError:
                self.env.invalidate_all()
            self.assertFalse(webhook.delivery_ids)

    def test_the_job_is_woken_by_each_message(self):
        cron = self.env.ref("warehouse_exception.cron_outbox")
        with receiver() as server:
            self._endpoint(server)
            before = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
            self._case()
            self.assertGreater(self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]), before)

    def test_an_endpoint_hears_only_what_it_wants(self):
        receiving = self.env["warehouse.exception.kind"].search([("code", "=", "receiving_discrepancy")])
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        with receiver() as server:
            created = self._endpoint(server, on_step=False)
            other_kind = self._endpoint(server, kind_ids=[(6, 0, receiving.ids)])
            other_company = self._endpoint(server, company_id=elsewhere.id)
            archived = self._endpoint(server, active=False)
            self._case()
            self.assertEqual(created.delivery_ids.mapped("event"), ["case.created"])
            for webhook in (other_kind, other_company, archived):
                self.assertFalse(webhook.delivery_ids)
            created.active = False
            self._case()
            self.assertEqual(len(created.delivery_ids), 1)

    def test_escalations_and_findings_are_told_but_nobodys_badge(self):
        self.company.write({"exception_repeat_cases": 1, "exception_repeat_days": 7})
        with receiver() as server:
            self._endpoint(server, on_created=False, on_step=False)
            case = self.opened(self.handheld.event("overage", item={"code": GTIN_13}, operator={"badge": "B-7"}))
            unsealed(case).write({"open_since": fields.Datetime.now() - timedelta(hours=50)})
            with patch.object(self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1):
                self.env["warehouse.exception.escalation"]._cron_escalate()
            self.deliver()
        told = [json.loads(body) for _path, _headers, body in server.got]
        escalated = [each["data"] for each in told if each["type"] == "case.escalated"]
        self.assertEqual([(each["case"], each["escalation"]["trigger"]) for each in escalated], [(case.name, "aging")])
        findings = {each["data"]["trigger"] for each in told if each["type"] == "finding"}
        self.assertEqual(findings, {"repeat_product"})
        self.assertNotIn(b"B-7", b"".join(body for _path, _headers, body in server.got))

    def test_a_failure_is_tried_again_later_with_the_same_id_and_body(self):
        with receiver((500, {}, b"oh no"), (200, {}, b"")) as server:
            webhook = self._endpoint(server, on_step=False)
            secret = self._secret(webhook)
            self._case()
            self.deliver()
            delivery = webhook.delivery_ids
            self.assertEqual((delivery.state, delivery.tries, delivery.last_status), ("waiting", 1, 500))
            self.assertEqual(delivery.last_error, "oh no")
            self.assertGreater(delivery.next_at, fields.Datetime.now())
            self.deliver()
            self.assertEqual(len(server.got), 1, "not before its time")
            self._due_now()
            self.deliver()
        self.assertEqual((delivery.state, delivery.tries, delivery.last_error), ("delivered", 2, False))
        first, second = server.got
        self.assertEqual(first[2], second[2])
        self.assertEqual(first[1]["webhook-id"], second[1]["webhook-id"])
        self.assertEqual(verify(secret, second[1], second[2]), 0)

    def test_a_redirect_is_a_failure_and_not_followed(self):
        with receiver() as target, receiver((307, {"Location": address(target)}, b"")) as server:
            webhook = self._endpoint(server, on_step=False)
            self._case()
            self.deliver()
        self.assertEqual((target.got, webhook.delivery_ids.state), ([], "waiting"))
        self.assertIn("redirect", webhook.delivery_ids.last_error)

    def test_an_endpoint_that_stalls_does_not_use_up_the_time_of_another(self):
        with receiver(*[stalls] * 9) as stuck, receiver() as fine:
            first = self._endpoint(stuck)
            for _number in range(3):
                self._case()
            second = self._endpoint(fine)
            self._case()
            with patch.object(protocol, "READ_SECONDS", 0.2), patch.object(protocol, "TOTAL_SECONDS", 0.4):
                self.deliver()
        self.assertEqual(len(stuck.got), 1)
        self.assertEqual(set(first.delivery_ids.mapped("state")), {"waiting"})
        self.assertEqual(set(second.delivery_ids.mapped("state")), {"delivered"})

    def test_what_is_refused_alone_holds_up_nothing_behind_it(self):
        with receiver((400, {}, b"not this one")) as server:
            webhook = self._endpoint(server)
            self._case()
            self.deliver()
        self.assertEqual(webhook.delivery_ids.sorted("id").mapped("state"), ["waiting", "delivered"])

    def test_a_message_that_can_not_be_sent_at_all_does_not_stop_the_job(self):
        with receiver() as server:
            broken, fine = self._endpoint(server), self._endpoint(server)
            unsealed(broken.sudo()).write({"secret": "not a secret"})
            self._case()
            with self.assertLogs(SENDING, "ERROR") as logged:
                self.deliver()
        self.assertEqual(set(broken.delivery_ids.mapped("state")), {"waiting"})
        self.assertEqual(set(fine.delivery_ids.mapped("state")), {"delivered"})
        self.assertNotIn("secret-path", str(logged.output))

    @mute_logger(SENDING)
    def test_after_the_last_try_it_is_parked_and_a_manager_sends_it_again(self):
        with receiver(*[(503, {}, b"")] * sending.MAX_TRIES) as server:
            webhook = self._endpoint(server, on_step=False)
            self._case()
            for _try in range(sending.MAX_TRIES + 2):
                self._due_now()
                self.deliver()
            self.assertEqual(len(server.got), sending.MAX_TRIES)
            delivery = webhook.delivery_ids
            self.assertEqual((delivery.state, webhook.parked_count), ("parked", 1))
            for role in (*self.ROLES, "user"):
                with self.subTest(role=role), self.assertRaises(AccessError):
                    delivery.with_user(getattr(self, f"as_{role}")).action_resend()
            webhook.with_user(self.as_manager).action_resend_parked()
            self.assertEqual((delivery.state, delivery.tries), ("waiting", 0))
            self.deliver()
        self.assertEqual((delivery.state, webhook.parked_count), ("delivered", 0))
        self.assertTrue(webhook.last_delivered_at)

    @mute_logger(SENDING)
    def test_an_endpoint_that_is_gone_gets_nothing_more_of_that_message(self):
        with receiver((410, {}, b"gone")) as server:
            webhook = self._endpoint(server, on_step=False)
            self._case()
            self.deliver()
        self.assertEqual((webhook.delivery_ids.state, webhook.active), ("parked", True))

    def test_the_wait_doubles_with_jitter_has_a_limit_and_heeds_what_is_asked_within_it(self):
        for tries, shortest, longest in ((1, 22, 38), (4, 180, 300), (30, 16200, 27000)):
            delays = [self.deliveries._delay(tries, None).total_seconds() for _time in range(20)]
            self.assertGreater(len(set(delays)), 1)
            self.assertTrue(all(shortest <= delay <= longest for delay in delays), delays)
        asked = {"120": 120, "99999999999999999999": 21600, "-5": 22, "soon": 22, "": 22}
        for text, least in asked.items():
            delay = self.deliveries._delay(1, protocol.Reply(429, b"", text)).total_seconds()
            self.assertTrue(least <= delay <= max(least, 38), (text, delay))

    def test_a_run_that_has_no_time_left_stops_after_one(self):
        with receiver() as server:
            self._endpoint(server)
            self._case()
            self.deliver(0)
        self.assertEqual(len(server.got), 1)

    def test_a_message_that_another_worker_has_is_left_to_it(self):
        with receiver() as server:
            webhook = self._endpoint(server, on_step=False)
            self._case()
            with patch.object(
                type(self.deliveries), "try_lock_for_update", lambda records, **_options: records.browse()
            ):
                self.deliver()
            self.assertEqual((server.got, webhook.delivery_ids.state), ([], "waiting"))

    def test_both_secrets_are_used_for_a_day_after_a_change(self):
        with receiver() as server:
            webhook = self._endpoint(server, on_step=False)
            before = self._secret(webhook)
            after = self._secret(webhook)
            self._case()
            self.deliver()
            unsealed(webhook.sudo()).write({"previous_until": fields.Datetime.now() - timedelta(seconds=1)})
            self._case()
            self.deliver()
        (_path, headers, body), (_path, later_headers, later_body) = server.got
        self.assertEqual((verify(after, headers, body), verify(before, headers, body)), (0, 1))
        self.assertEqual(verify(after, later_headers, later_body), 0)
        with self.assertRaises(ValueError):
            verify(before, later_headers, later_body)

    # --- who may do what

    def test_a_secret_is_shown_once_and_read_by_nobody(self):
        with receiver() as server:
            webhook = self._endpoint(server)
        secret = self._secret(webhook)
        self.assertTrue(secret.isascii())
        self.assertEqual(webhook.sudo().secret, secret)
        system = self.user("system", "warehouse_exception.group_manager", "base.group_system")
        for user in (self.as_manager, self.as_audit, system):
            with self.assertRaises(AccessError):
                webhook.with_user(user).read(["secret"])
            self.assertNotIn(secret, str(webhook.with_user(user).read()))
            with self.assertRaises(AccessError):
                webhook.with_user(user).search([("secret", "=", secret)])
            with self.assertRaises(AccessError):
                webhook.with_user(user).write({"secret": "whsec_AAAA"})
        self.assertNotIn(secret, str(webhook.message_ids.mapped("body")))
        self.assertNotIn(secret, str(self.env["warehouse.exception.webhook.secret"].search([]).read()))

    def test_only_managers_have_endpoints(self):
        values = {"name": "n8n", "url": "https://n8n.example/hook"}
        webhook = self.env["warehouse.exception.webhook"].with_user(self.as_manager).create(values)
        for role in (*self.ROLES, "user"):
            user = getattr(self, f"as_{role}")
            for call in (
                lambda user=user: webhook.with_user(user).create(values),
                lambda user=user: webhook.with_user(user).write({"url": "https://x.example"}),
                lambda user=user: webhook.with_user(user).action_new_secret(),
                lambda user=user: webhook.with_user(user).action_test(),
                lambda user=user: webhook.with_user(user).action_resend_parked(),
            ):
                with self.subTest(role=role), self.assertRaises(AccessError):
                    call()
            if role != "audit":
                with self.assertRaises(AccessError):
                    webhook.with_user(user).read(["url"])
        with self.assertRaises(AccessError):
            webhook.with_user(self.as_manager).unlink()
        with self.assertRaises(AccessError):
            webhook.sudo().unlink()

    def test_what_was_told_is_not_written_by_people(self):
        with receiver() as server:
            webhook = self._endpoint(server)
            webhook.with_user(self.as_manager).action_test()
            delivery = webhook.delivery_ids
            for user in (self.as_manager, self.as_audit, self.env.user):
                for change in (
                    lambda user=user: delivery.with_user(user).write({"body": "{}"}),
                    lambda user=user: delivery.with_user(user).unlink(),
                    lambda user=user: delivery.with_user(user).create(
                        {"webhook_id": webhook.id, "event": "test", "message_id": "x", "body": "{}"}
                    ),
                ):
                    with self.assertRaises(AccessError):
                        change()
            self.deliver()
        self.assertEqual(json.loads(server.got[0][2])["type"], "test")
        self.assertEqual(delivery.with_user(self.as_audit).state, "delivered")

    def test_without_tls_only_where_the_setting_says_so(self):
        self.env["ir.config_parameter"].set_param("warehouse_exception.webhook_allow_http", False)
        with self.assertRaisesRegex(ValidationError, "must begin with https"):
            self.env["warehouse.exception.webhook"].create({"name": "n8n", "url": "http://n8n.example/hook"})
        self.env["ir.config_parameter"].set_param("warehouse_exception.webhook_allow_http", "True")
        with receiver() as server:
            webhook = self._endpoint(server, on_step=False)
            self._case()
            self.env["ir.config_parameter"].set_param("warehouse_exception.webhook_allow_http", False)
            with mute_logger(SENDING):
                self.deliver()
        self.assertEqual((server.got, webhook.delivery_ids.state), ([], "waiting"))

    def test_what_was_delivered_long_ago_goes(self):
        with receiver() as server:
            webhook = self._endpoint(server, on_step=False)
            self._case()
            self._case()
            self.deliver()
            self._case()
        old, young, waiting = webhook.delivery_ids.sorted("id")
        unsealed(old).write({"delivered_at": fields.Datetime.now() - timedelta(days=91)})
        self.deliveries._gc_delivered()
        self.assertEqual(webhook.delivery_ids, young | waiting)
