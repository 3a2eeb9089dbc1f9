import base64

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.warehouse_exception.models.base.seal import unsealed
from odoo.addons.warehouse_exception.tests.common import ExceptionCommon, photo

from ..hooks import unlink_documents

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestDocument(ExceptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people()
        cls.keeper = cls.user("keeper", "dms.group_dms_manager")
        cls.both = cls.user("both", "dms.group_dms_manager", "warehouse_exception.group_manager")

    def _case(self, data=PNG):
        case = self.case_of(self.handheld.event("damaged", photos=[photo(data, "image/png")]))
        self.env["warehouse.exception.evidence"]._receive(self.device, photo(data)["sha256"], 0, len(data), data)
        case.evidence_ids._file()
        return case

    def _documents(self, case):
        return self.env["dms.file"].search([("res_model", "=", case._name), ("res_id", "=", case.id)])

    def test_a_photo_is_a_document_of_its_case_and_no_copy(self):
        case = self._case()
        document = self._documents(case)
        self.assertEqual(document.attachment_id, case.evidence_ids.attachment_id)
        self.assertEqual(base64.b64decode(document.content), PNG)
        self.assertFalse(document.content_file or document.content_binary or document.image_1920)
        self.assertEqual(document.directory_id.name, case.name.replace("/", "-"))
        self.assertEqual((document.mimetype, document.size), ("image/png", len(PNG)))

    def test_a_photo_that_two_events_name_is_shown_once_and_cases_have_folders_of_their_own(self):
        case, other = self._case(), self._case()
        case.evidence_ids._file()
        self.assertEqual(len(self._documents(case)), 1)
        self.assertNotEqual(self._documents(case).directory_id, self._documents(other).directory_id)

    def test_who_may_read_the_case_may_read_its_documents_and_others_may_not(self):
        document = self._documents(self._case())
        self.assertTrue(document.with_user(self.as_user).content)
        outsider = self.user("outsider", "base.group_user")
        self.assertNotIn(document, self.env["dms.file"].with_user(outsider).search([]))
        with self.assertRaises(AccessError):
            document.with_user(outsider).read(["content"])

    def test_nobody_changes_moves_or_deletes_a_photo_here(self):
        case = self._case()
        document = self._documents(case)
        elsewhere = self._documents(self._case(PNG + b"2")).directory_id
        for user in (self.keeper, self.both, self.env.ref("base.user_root")):
            mine = document.with_user(user)
            for values in ({"content": b"eA=="}, {"directory_id": elsewhere.id}, {"attachment_id": False}, {"name": "x"}):
                with self.subTest(user=user.login, values=values), self.assertRaises(AccessError):
                    mine.write(values)
            for records in (mine, document.directory_id.with_user(user), document.attachment_id.with_user(user)):
                with self.subTest(user=user.login, records=records), self.assertRaises(AccessError):
                    records.with_context(dms_file=True).unlink()
        self.assertEqual(case.evidence_ids._whole(), PNG)

    def test_nobody_makes_a_document_of_a_photo_by_hand(self):
        case = self._case()
        own = self.env["dms.storage"].create({"name": "own", "save_type": "database"})
        folder = self.env["dms.directory"].create({"name": "own", "is_root_directory": True, "storage_id": own.id})
        attachment = case.evidence_ids.attachment_id
        with self.assertRaises(AccessError):
            self.env["dms.file"].with_user(self.both).create(
                {"name": "mine.png", "directory_id": folder.id, "attachment_id": attachment.id}
            )

    def test_what_retention_removes_is_gone_here_too(self):
        case = self._case()
        attachment = case.evidence_ids.attachment_id
        unsealed(case.evidence_ids).write({"attachment_id": False, "complete": False})
        unsealed(attachment).unlink()
        self.assertFalse(self._documents(case))

    def test_uninstalling_leaves_the_photos(self):
        case = self._case()
        unlink_documents(self.env)
        self.assertFalse(self._documents(case))
        case.invalidate_recordset()
        self.assertEqual(case.evidence_ids._whole(), PNG)
