from odoo import models
from odoo.exceptions import AccessError

_GROUP = "warehouse_exception.group_%s"


class WarehouseExceptionRoles(models.AbstractModel):
    """Who may do what. Each role is a group of its own, so that a site can give them to different people."""

    _name = "warehouse.exception.roles"
    _description = "Role checks"

    def _has_role(self, role):
        return self.env.user.has_group(_GROUP % role)

    def _require_role(self, *roles):
        """Refuse the current user without one of `roles`. Rights that code took with sudo() don't count."""
        if not any(self._has_role(role) for role in roles):
            names = [self.env.ref(_GROUP % role).sudo().name for role in roles]
            raise AccessError(
                self.env._(
                    "This needs the role '%(role)s' of Warehouse Exceptions, and %(user)s does not have it. Nothing was "
                    "changed. Whoever manages the users can give it to you.",
                    role=self.env._("' or '").join(names),
                    user=self.env.user.name,
                )
            )
