"""Who could work on cases can go on working on them.

In the first release every user mapped, resolved, closed and cancelled. These are roles of their own by now, so whoever was a
user gets those. Approving is new, and whom to trust with it is for the site to say.
"""

import logging

from odoo import SUPERUSER_ID, api
from odoo.fields import Command

_logger = logging.getLogger(__name__)

ROLES = ("investigate", "execute", "close")


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    # Also those who are archived for now, and those whom another group makes users.
    users = env.ref("warehouse_exception.group_user").all_user_ids - env.ref("base.user_root")
    for role in ROLES:
        group = env.ref(f"warehouse_exception.group_{role}")
        group.write({"user_ids": [Command.link(user.id) for user in users - group.all_user_ids]})
    _logger.info("%s users keep what they could do: the roles to %s.", len(users), ", ".join(ROLES))
    approvers = env.ref("warehouse_exception.group_approve").all_user_ids
    _logger.warning(
        "Cases need an approval from now on. These can give it: %s. Give the roles 'approve (operational)' and 'approve "
        "(financial)' to people who neither report nor propose.",
        ", ".join(approvers.mapped("login")) or "nobody",
    )
