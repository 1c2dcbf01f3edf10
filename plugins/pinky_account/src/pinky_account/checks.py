"""What is wrong with declared warehouses before anything is asked of Snowflake.

https://docs.snowflake.com/en/sql-reference/sql/create-warehouse,
https://docs.snowflake.com/en/user-guide/warehouses-adaptive
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pinky_account.warehouse import Generation, ResourceConstraint, Warehouse, WarehouseType
from pinky_core import ABSENT, Declared, Diagnostic

__all__ = ["check_warehouses"]

_GENERATION_OF = {
    ResourceConstraint.STANDARD_GEN_1: Generation.ONE,
    ResourceConstraint.STANDARD_GEN_2: Generation.TWO,
}

#: Properties that an adaptive warehouse cannot have, and those that only it can.
_NOT_ADAPTIVE = ("warehouse_size", "min_cluster_count", "max_cluster_count", "scaling_policy")
_ADAPTIVE = ("max_query_performance_level", "query_throughput_multiplier")


def check_warehouses(resources: Sequence[Declared]) -> Iterable[Diagnostic]:
    """Properties of one warehouse that contradict each other."""
    for item in resources:
        if isinstance(item.body, Warehouse):
            for field, summary in (*_contradictions(item.body), *_of_the_other_type(item.body)):
                yield Diagnostic.error(
                    "contradiction",
                    f"{item.address}: {summary}",
                    address=item.address,
                    path=(field,),
                    location=item.location,
                )


def _contradictions(body: Warehouse) -> Iterator[tuple[str, str]]:
    if _given(body.query_throughput_multiplier) == 1:
        yield "query_throughput_multiplier", "query_throughput_multiplier is 0, or 2 and more"
    least, most = _given(body.min_cluster_count), _given(body.max_cluster_count)
    if least is not None and most is not None and least > most:
        yield "min_cluster_count", f"min_cluster_count {least} is more than max_cluster_count {most}"
    generation, constraint = _given(body.generation), _given(body.resource_constraint)
    kind = _given(body.warehouse_type)
    if generation is not None and kind is not None and kind is not WarehouseType.STANDARD:
        yield "generation", f"generation is for standard warehouses; this one is {kind}"
    if generation is not None and constraint is not None and _GENERATION_OF.get(constraint) is not generation:
        yield "generation", f"generation {generation} contradicts resource_constraint {constraint}"
    if constraint in _GENERATION_OF and kind is not None and kind is not WarehouseType.STANDARD:
        yield "resource_constraint", f"{constraint} is for standard warehouses; this one is {kind}"


def _of_the_other_type(body: Warehouse) -> Iterator[tuple[str, str]]:
    kind = _given(body.warehouse_type)
    if kind is None:
        return
    adaptive = kind is WarehouseType.ADAPTIVE
    for name in _NOT_ADAPTIVE if adaptive else _ADAPTIVE:
        if _given(getattr(body, name)) is not None:
            yield name, f"{name} is {'not ' if adaptive else ''}for adaptive warehouses; this one is {kind}"


def _given(value: Any) -> Any:
    return None if value is ABSENT else value
