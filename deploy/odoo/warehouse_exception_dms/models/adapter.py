from odoo import api, models


class WarehouseExceptionAdapter(models.AbstractModel):
    _inherit = "warehouse.exception.adapter"

    @api.model
    def _files_evidence(self):
        return True

    @api.model
    def _file_evidence(self, evidence):
        result = super()._file_evidence(evidence)
        directory = self._case_directory(evidence.case_id)
        # The attachment's own name: the beginning of the photo's hash. Two events of a case may name one photo.
        name = evidence.attachment_id.name
        if name in directory.file_ids.mapped("name"):
            return result
        self.env["dms.file"].create(
            {
                "name": name,
                "directory_id": directory.id,
                "attachment_id": evidence.attachment_id.id,
                "size": evidence.attachment_id.file_size,
                "checksum": evidence.attachment_id.checksum,
                "image_1920": False,  # a preview would be a copy of the photo, which outlives it
            }
        )
        return result

    @api.model
    def _case_directory(self, case):
        directories = self.env["dms.directory"]
        root = self.env.ref("warehouse_exception_dms.root")
        found = directories.search(
            [("parent_id", "=", root.id), ("res_model", "=", case._name), ("res_id", "=", case.id)], limit=1
        )
        return found or directories.with_context(check_name=False).create(
            {
                "name": case.name.replace("/", "-"),
                "parent_id": root.id,
                "model_id": root.model_id.id,
                "res_model": case._name,
                "res_id": case.id,
            }
        )
