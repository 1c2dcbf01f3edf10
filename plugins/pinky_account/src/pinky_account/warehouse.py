"""Warehouses.

https://docs.snowflake.com/en/sql-reference/sql/create-warehouse,
https://docs.snowflake.com/en/sql-reference/sql/alter-warehouse,
https://docs.snowflake.com/en/sql-reference/sql/show-warehouses,
https://docs.snowflake.com/en/user-guide/warehouses-adaptive
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_core import (
    Address,
    Context,
    FieldChange,
    Identifier,
    Keyword,
    OnChange,
    QuotedKeyword,
    Resource,
    Source,
    prop,
    resource,
)


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


class WarehouseType(QuotedKeyword):
    """What a warehouse is built for."""

    STANDARD = "STANDARD"
    SNOWPARK_OPTIMIZED = "SNOWPARK-OPTIMIZED"
    ADAPTIVE = "ADAPTIVE"


class Generation(QuotedKeyword):
    """Hardware generation of a standard warehouse; a number may be given without quotes."""

    ONE = "1"
    TWO = "2"

    @classmethod
    def parse(cls, text: str | int) -> Self:
        """Read ``1``, ``2`` or their text; raises ValueError."""
        return super().parse(str(text))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment: the number or its text."""
        return {"enum": ["1", "2", 1, 2]}


class ResourceConstraint(Keyword):
    """Memory and processor architecture of one cluster."""

    STANDARD_GEN_1 = "STANDARD_GEN_1"
    STANDARD_GEN_2 = "STANDARD_GEN_2"
    MEMORY_1X = "MEMORY_1X"
    MEMORY_1X_X86 = "MEMORY_1X_x86"
    MEMORY_16X = "MEMORY_16X"
    MEMORY_16X_X86 = "MEMORY_16X_x86"
    MEMORY_64X = "MEMORY_64X"
    MEMORY_64X_X86 = "MEMORY_64X_x86"


class ScalingPolicy(Keyword):
    """When clusters of a multi-cluster warehouse start and stop."""

    STANDARD = "STANDARD"
    ECONOMY = "ECONOMY"


@resource("warehouse", scope="account", stateful=False)
class Warehouse(Resource):
    """A cluster of compute that runs queries."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE WAREHOUSE", "the account"),
        ("MODIFY", "the warehouse"),
        ("MANAGE WAREHOUSES", "the account"),
    )
    #: Snowflake picks these by region, generation and cluster count: null leaves them to it and is no difference.
    chosen_by_snowflake: ClassVar[frozenset[str]] = frozenset(
        {
            "generation", "resource_constraint", "enable_query_acceleration", "query_acceleration_max_scale_factor",
            "max_query_performance_level", "query_throughput_multiplier",
        }
    )  # fmt: skip

    warehouse_type: WarehouseType = prop(default=WarehouseType.STANDARD, column="type", doc="What it is built for.")
    warehouse_size: Size = prop(default=Size.XSMALL, column="size", unset=False, doc="How much one cluster can do.")
    generation: Generation | None = prop(default=None, doc="Hardware generation of a standard warehouse.")
    resource_constraint: ResourceConstraint | None = prop(default=None, doc="Memory and architecture of a cluster.")
    max_cluster_count: int = prop(default=1, minimum=1, doc="Most clusters that run at once.")
    min_cluster_count: int = prop(default=1, minimum=1, doc="Fewest clusters that run at once.")
    scaling_policy: ScalingPolicy = prop(default=ScalingPolicy.STANDARD, doc="When clusters start and stop.")
    auto_suspend: int | None = prop(default=600, minimum=0, doc="Idle seconds before it stops; 0 never stops it.")
    auto_resume: bool = prop(default=True, doc="Whether a query starts it.")
    initially_suspended: bool = prop(
        default=False, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="Created without starting it."
    )
    resource_monitor: Identifier | None = prop(
        default=None, refers_to="resource_monitor", doc="The monitor that limits its credits."
    )
    comment: str | None = prop(default="", doc="Free text.")
    enable_query_acceleration: bool | None = prop(default=None, doc="Whether queries may lease more compute.")
    query_acceleration_max_scale_factor: int | None = prop(
        default=None, minimum=0, maximum=100, doc="Most leased compute, as a multiple of the size; 0 is no limit."
    )
    max_query_performance_level: Size | None = prop(
        default=None, doc="Upper bound of performance of one query of an adaptive warehouse."
    )
    query_throughput_multiplier: int | None = prop(
        default=None, minimum=0, doc="How much work an adaptive warehouse runs at once: 2 or more; 0 is no limit."
    )
    max_concurrency_level: int | None = prop(
        default=8, minimum=1, source=Source.PARAMETER, doc="Statements that run at once on one cluster."
    )
    statement_queued_timeout_in_seconds: int | None = prop(
        default=0, minimum=0, source=Source.PARAMETER, doc="Seconds a statement may wait in its queue; 0 is no limit."
    )
    statement_timeout_in_seconds: int | None = prop(
        default=172800, minimum=0, maximum=604800, source=Source.PARAMETER, doc="Seconds a statement may run on it."
    )

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; null on a property that Snowflake chooses itself is not a wish."""
        found = super().changes(address, live, context)
        return [each for each in found if each.after is not None or each.path not in self.chosen_by_snowflake]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """A warehouse that never stops shows no number of idle seconds; declared, it is 0."""
        raw = super().from_row(row)
        if not raw.get("resource_constraint") and raw.get("generation") and raw.get("warehouse_type") == "STANDARD":
            # SHOW tells the constraint of a standard warehouse as its generation only
            raw["resource_constraint"] = f"STANDARD_GEN_{raw['generation']}"
        if "auto_suspend" in raw and raw["auto_suspend"] in (None, "", "null"):
            raw["auto_suspend"] = 0
        return raw
