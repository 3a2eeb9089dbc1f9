from odoo import api, models


class WarehouseExceptionAdapter(models.AbstractModel):
    _inherit = "warehouse.exception.adapter"

    @api.model
    def _files_evidence(self):
        return True

    @api.model
    def _file_evidence(self, evidence):
        """The document stands on the photo's own attachment, whose guards refuse that it is changed or deleted."""
        result = super()._file_evidence(evidence)
        values = {
            "name": f"{evidence.case_id.name} {evidence.attachment_id.name}",
            "type": "binary",
            "attachment_id": evidence.attachment_id.id,
            "folder_id": self._evidence_folder(evidence.company_id).id,
            "company_id": evidence.company_id.id,
        }
        self.env["documents.document"].create(self._known("documents.document", values))
        return result

    @api.model
    def _evidence_folder(self, company):
        """A folder is a document, too. Who may see it is set there; nobody but its owner may, to begin with."""
        documents = self.env["documents.document"]
        name = self.env._("Warehouse exceptions")
        found = documents.search(
            [("type", "=", "folder"), ("name", "=", name), ("company_id", "=", company.id)], order="id", limit=1
        )
        access = {"access_internal": "none", "access_via_link": "none"}
        values = {"name": name, "type": "folder", "company_id": company.id, **access}
        return found or documents.create(self._known("documents.document", values))
