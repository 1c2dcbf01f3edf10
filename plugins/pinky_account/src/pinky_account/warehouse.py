"""Warehouses.

https://docs.snowflake.com/en/sql-reference/sql/create-warehouse,
https://docs.snowflake.com/en/sql-reference/sql/alter-warehouse
"""

from __future__ import annotations

from pinky_core import Keyword, OnChange, Resource, Source, prop, resource


class Size(Keyword):
    """How much compute one cluster has; each size doubles the one before."""

    XSMALL = "XSMALL", "X-Small", "X-SMALL"
    SMALL = "SMALL", "Small"
    MEDIUM = "MEDIUM", "Medium"
    LARGE = "LARGE", "Large"
    XLARGE = "XLARGE", "X-Large", "X-LARGE"
    XXLARGE = "XXLARGE", "2X-Large", "X2LARGE", "2X-LARGE"
    XXXLARGE = "XXXLARGE", "3X-Large", "X3LARGE", "3X-LARGE"
    X4LARGE = "X4LARGE", "4X-Large", "4X-LARGE"
    X5LARGE = "X5LARGE", "5X-Large", "5X-LARGE"
    X6LARGE = "X6LARGE", "6X-Large", "6X-LARGE"


@resource("warehouse", scope="account", stateful=False)
class Warehouse(Resource):
    """A cluster of compute that runs queries."""

    warehouse_size: Size = prop(default=Size.XSMALL, column="size", unset=False, doc="How much compute one cluster has.")
    auto_suspend: int | None = prop(default=600, minimum=0, doc="Idle seconds before it stops.")
    auto_resume: bool = prop(default=True, doc="Whether a query starts it.")
    comment: str | None = prop(default=None, doc="Free text.")
    initially_suspended: bool = prop(
        default=False, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="Created without starting it."
    )
    max_concurrency_level: int | None = prop(
        default=8, minimum=1, source=Source.PARAMETER, doc="Statements that run at once on one cluster."
    )
