"""Resource types that live in a Snowflake database.

The distribution announces this module in the entry-point group ``pinky``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pinky_core import hookimpl

if TYPE_CHECKING:
    from pinky_core import Resource


@hookimpl
def pinky_resource_types() -> Iterable[type[Resource]]:
    """The kinds of this package."""
    from pinky_database.contact_reference import DatabaseContactReference
    from pinky_database.database_grant import DatabaseGrant
    from pinky_database.database_role import DatabaseRole
    from pinky_database.schema import Schema

    return [DatabaseContactReference, DatabaseGrant, DatabaseRole, Schema]
