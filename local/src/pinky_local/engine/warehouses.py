"""What only warehouses have: starting and stopping, and the rules between their properties.

Rests on https://docs.snowflake.com/en/sql-reference/sql/alter-warehouse and, for adaptive ones, on
https://docs.snowflake.com/en/user-guide/warehouses-adaptive.
"""

from __future__ import annotations

from collections.abc import Callable

from pinky_local.engine import errors, families, properties
from pinky_local.engine.cancelling import abort_all
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.specs.account import SIZES, default_size, is_adaptive, standard
from pinky_local.engine.statement import Statement

_ADAPTIVE_ONLY = ("MAX_QUERY_PERFORMANCE_LEVEL", "QUERY_THROUGHPUT_MULTIPLIER")
_NOT_ADAPTIVE = (
    "WAREHOUSE_SIZE", "GENERATION", "RESOURCE_CONSTRAINT", "MAX_CLUSTER_COUNT", "MIN_CLUSTER_COUNT", "SCALING_POLICY",
    "AUTO_SUSPEND", "AUTO_RESUME", "INITIALLY_SUSPENDED", "ENABLE_QUERY_ACCELERATION",
    "QUERY_ACCELERATION_MAX_SCALE_FACTOR",
)  # fmt: skip
"""What the syntax of CREATE ADAPTIVE WAREHOUSE does not have."""

_SIZES_OF = {
    "STANDARD_GEN_1": ("XSMALL", "X6LARGE"),
    "STANDARD_GEN_2": ("XSMALL", "X4LARGE"),
    "MEMORY_1X": ("XSMALL", "X4LARGE"),
    "MEMORY_1X_x86": ("XSMALL", "X4LARGE"),
    "MEMORY_16X": ("MEDIUM", "X6LARGE"),
    "MEMORY_16X_x86": ("MEDIUM", "X4LARGE"),
    "MEMORY_64X": ("LARGE", "X4LARGE"),
    "MEMORY_64X_x86": ("LARGE", "X4LARGE"),
}
"""The smallest and the largest size by resource constraint."""


def create_warehouse(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE [ADAPTIVE] WAREHOUSE name."""
    adaptive = "ADAPTIVE" in creation.modifiers
    creation.modifiers.discard("ADAPTIVE")
    if adaptive and creation.mode == "alter":
        raise errors.unsupported("CREATE OR ALTER ADAPTIVE WAREHOUSE")
    settings = creation.settings
    properties.read_settings(statement, creation.spec, creating=True, settings=settings)
    if adaptive and settings.properties.setdefault("WAREHOUSE_TYPE", "ADAPTIVE") != "ADAPTIVE":
        raise errors.invalid_value(settings.properties["WAREHOUSE_TYPE"], "WAREHOUSE_TYPE")


def check(_: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise where properties contradict each other; forget those that a change of type has made meaningless."""
    held = item.properties
    foreign = _NOT_ADAPTIVE if is_adaptive(item) else _ADAPTIVE_ONLY
    for name in foreign:
        if name in given:
            raise errors.invalid_property(name, "ADAPTIVE WAREHOUSE" if is_adaptive(item) else "WAREHOUSE")
        held.pop(name, None)
    if held.pop("WAIT_FOR_COMPLETION", None) is not None and "WAREHOUSE_SIZE" not in given:
        raise errors.missing_option("WAREHOUSE_SIZE")
    if held.get("QUERY_THROUGHPUT_MULTIPLIER") == 1:
        raise errors.invalid_value("1", "QUERY_THROUGHPUT_MULTIPLIER")
    _check_clusters(item)
    _check_generation(item, given)
    _check_size(item)


def _check_clusters(item: CatalogObject) -> None:
    least = item.properties.get("MIN_CLUSTER_COUNT", 1)
    if least > item.properties.get("MAX_CLUSTER_COUNT", 1):
        raise errors.compilation(2145, "22023", f"MAX_CLUSTER_COUNT must not be less than MIN_CLUSTER_COUNT ({least}).")


def _check_generation(item: CatalogObject, given: frozenset[str]) -> None:
    """GENERATION is for standard warehouses, and the same thing as RESOURCE_CONSTRAINT = STANDARD_GEN_n there."""
    generation, constraint = item.properties.get("GENERATION"), item.properties.get("RESOURCE_CONSTRAINT")
    both = {"GENERATION", "RESOURCE_CONSTRAINT"} <= given
    if generation is not None and not standard(item) and "GENERATION" in given:
        raise errors.invalid_property("GENERATION", "SNOWPARK-OPTIMIZED WAREHOUSE")
    if generation is None or constraint is None or constraint == f"STANDARD_GEN_{generation}":
        return
    if both:
        raise errors.invalid_combination("GENERATION", generation, "RESOURCE_CONSTRAINT", constraint)
    item.properties.pop("RESOURCE_CONSTRAINT" if "GENERATION" in given else "GENERATION")


def _check_size(item: CatalogObject) -> None:
    """The sizes that RESOURCE_CONSTRAINT and GENERATION allow, by the table of alter-warehouse."""
    if is_adaptive(item):
        return
    name = "RESOURCE_CONSTRAINT"
    constraint = item.properties.get(name, "" if standard(item) else "MEMORY_16X")
    if item.properties.get("GENERATION") == "2":
        name, constraint = "GENERATION", "STANDARD_GEN_2"
    if constraint not in _SIZES_OF:
        return
    least, most = _SIZES_OF[constraint]
    order = list(SIZES)
    size = item.properties.get("WAREHOUSE_SIZE") or default_size(item)
    if not order.index(least) <= order.index(size) <= order.index(most):
        value = "2" if name == "GENERATION" else constraint
        raise errors.invalid_combination(name, value, "WAREHOUSE_SIZE", SIZES[size])


def alter_warehouse(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read SUSPEND, RESUME [IF SUSPENDED], ENABLE, DISABLE, ABORT ALL QUERIES."""
    tokens = statement.tokens
    if tokens.accept("SUSPEND"):
        return lambda: _turn(statement, item, "SUSPENDED", quiet=False)
    if tokens.accept("RESUME"):
        quiet = tokens.accept("IF", "SUSPENDED")
        return lambda: _turn(statement, item, "STARTED", quiet=quiet)
    if tokens.word() in ("ENABLE", "DISABLE"):
        disabled = tokens.any_word() == "DISABLE"
        return lambda: _admit(statement, item, disabled=disabled)
    if tokens.accept("ABORT", "ALL", "QUERIES"):
        return abort_all(statement, item)
    return None


def _turn(statement: Statement, item: CatalogObject, state: str, *, quiet: bool) -> None:
    statement.require(item, "OPERATE")
    if is_adaptive(item):
        raise errors.unsupported(f"{'SUSPEND' if state == 'SUSPENDED' else 'RESUME'} of an adaptive warehouse")
    if item.state.get("state", "STARTED") == state:
        if quiet:
            return
        word = "suspended" if state == "SUSPENDED" else "resumed"
        text = f"Invalid state. Warehouse '{item.name}' cannot be {word}."
        raise errors.compilation(90064 if state == "SUSPENDED" else 90063, "22000", text)
    item.state["state"] = state


def _admit(statement: Statement, item: CatalogObject, *, disabled: bool) -> None:
    statement.require(item, "OPERATE")
    if not is_adaptive(item):
        raise errors.unsupported(f"{'DISABLE' if disabled else 'ENABLE'} of a warehouse that is not adaptive")
    item.state["disabled"] = disabled


families.CREATE["warehouse"] = create_warehouse
families.ALTER["warehouse"] = alter_warehouse
families.VALUE_CHECK["warehouse"] = check
