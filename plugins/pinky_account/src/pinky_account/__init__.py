"""Resource types that live at the Snowflake account.

The distribution announces this module in the entry-point group ``pinky``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pinky_core import hookimpl

if TYPE_CHECKING:
    from pinky_core import Declared, Diagnostic, Resource


@hookimpl
def pinky_resource_types() -> Iterable[type[Resource]]:
    """The kinds of this package."""
    from pinky_account.account_grant import AccountGrant
    from pinky_account.api_integration import ApiIntegration
    from pinky_account.contact_reference import AccountContactReference
    from pinky_account.database import Database
    from pinky_account.external_access_integration import ExternalAccessIntegration
    from pinky_account.network_policy import NetworkPolicy
    from pinky_account.network_rule import NetworkRule
    from pinky_account.notification_integration import NotificationIntegration
    from pinky_account.role import Role
    from pinky_account.role_grant import RoleGrant
    from pinky_account.storage_integration import StorageIntegration
    from pinky_account.user import User
    from pinky_account.warehouse import Warehouse

    return [
        AccountContactReference,
        AccountGrant,
        ApiIntegration,
        Database,
        ExternalAccessIntegration,
        NetworkPolicy,
        NetworkRule,
        NotificationIntegration,
        Role,
        RoleGrant,
        StorageIntegration,
        User,
        Warehouse,
    ]


@hookimpl
def pinky_check_resources(resources: Sequence[Declared]) -> Iterable[Diagnostic]:
    """Contradictions that show before anything is read."""
    from pinky_account.checks import check_warehouses

    return list(check_warehouses(resources))
