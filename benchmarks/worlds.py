"""The work that is measured: manifests written to a folder, and what SHOW would answer on an account that is so."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from pinky_core import Rows

DATABASE = "BENCH"
CONTEXT = "SELECT CURRENT_ACCOUNT() AS ACCOUNT, CURRENT_USER() AS USERNAME, CURRENT_ROLE() AS ROLE"
_CREATED = "2026-01-01 00:00:00.000 +0000"
_WAREHOUSE = (
    "name", "state", "type", "size", "min_cluster_count", "max_cluster_count", "started_clusters", "running", "queued",
    "is_default", "is_current", "auto_suspend", "auto_resume", "available", "provisioning", "quiescing", "other",
    "created_on", "resumed_on", "updated_on", "owner", "comment", "enable_query_acceleration",
    "query_acceleration_max_scale_factor", "resource_monitor", "scaling_policy", "owner_role_type",
    "resource_constraint",
)  # fmt: skip
_TABLE = (
    "created_on", "name", "database_name", "schema_name", "kind", "comment", "cluster_by", "rows", "bytes", "owner",
    "retention_time", "automatic_clustering", "change_tracking", "search_optimization", "search_optimization_progress",
    "search_optimization_bytes", "is_external", "enable_schema_evolution", "owner_role_type", "is_event", "budget",
    "is_hybrid", "is_iceberg", "is_dynamic", "is_immutable",
)  # fmt: skip
_COLUMN = (
    "table_name", "schema_name", "column_name", "data_type", "null?", "default", "kind", "expression", "comment",
    "database_name", "autoincrement", "schema_evolution_record",
)  # fmt: skip
_SCHEMA = (
    "created_on", "name", "is_default", "is_current", "database_name", "owner", "comment", "options",
    "retention_time", "owner_role_type",
)  # fmt: skip
_DATABASE = (
    "created_on", "name", "is_default", "is_current", "origin", "owner", "comment", "options", "retention_time",
    "kind", "budget", "owner_role_type",
)  # fmt: skip
# Types in turn, as a manifest spells them and as SHOW COLUMNS tells them.
_TYPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("NUMBER(38,0)", {"type": "FIXED", "precision": 38, "scale": 0, "nullable": True}),
    ("VARCHAR", {"type": "TEXT", "length": 16777216, "byteLength": 16777216, "nullable": True, "fixed": False}),
    ("TIMESTAMP_NTZ", {"type": "TIMESTAMP_NTZ", "precision": 0, "scale": 9, "nullable": True}),
    ("BOOLEAN", {"type": "BOOLEAN", "nullable": True}),
    ("NUMBER(12,2)", {"type": "FIXED", "precision": 12, "scale": 2, "nullable": True}),
)


@attrs.frozen
class World:
    """A manifest's folder, how many resources it declares, and the answers of an account that is as declared."""

    folder: Path
    resources: int
    answers: dict[str, Rows]
    view: Callable[[str], Rows | None] | None = None


def warehouses(folder: Path, count: int, *, there: bool = True) -> World:
    """``count`` warehouses of six properties in one file; ``there``: they exist, as declared."""
    names = [f"WH_{number:06d}" for number in range(count)]
    (folder / "manifest.yml").write_text("".join(_warehouse_texts(names)), encoding="utf-8")
    found = [_warehouse_row(name) for name in names] if there else []
    answers = {CONTEXT: _context(), "SHOW WAREHOUSES": Rows(_WAREHOUSE, found)}
    return World(folder, count, answers)


def tables(folder: Path, schemas: int, per_schema: int, columns: int = 10) -> World:
    """``schemas`` × ``per_schema`` tables that exist as declared, in a database-scoped manifest, one file a schema."""
    names = [f"S_{number:04d}" for number in range(schemas)]
    files = folder / "tables"
    files.mkdir()
    (folder / "manifest.yml").write_text(
        f"scope: database\ntarget: {DATABASE}\ninclude: [tables/*.yml]\n", encoding="utf-8"
    )
    for schema in names:
        text = "".join(_table_texts(schema, per_schema, columns))
        (files / f"{schema.lower()}.yml").write_text(text, encoding="utf-8")
    inside = {name: list(_column_rows(name, per_schema, columns)) for name in names}
    view = functools.partial(_information_schema, inside)
    return World(folder, schemas * per_schema, _table_answers(inside, per_schema), view)


def _warehouse_texts(names: list[str]) -> Iterator[str]:
    yield "scope: account\nresources:\n  warehouse:\n"
    for name in names:
        yield (
            f"    - name: {name}\n      warehouse_size: SMALL\n      auto_suspend: 60\n      auto_resume: true\n"
            f"      max_cluster_count: 2\n      scaling_policy: ECONOMY\n"
            f"      comment: Warehouse {name} of the benchmark\n"
        )


def _warehouse_row(name: str) -> tuple[Any, ...]:
    told = {
        "name": name, "state": "SUSPENDED", "type": "STANDARD", "size": "Small", "min_cluster_count": 1,
        "max_cluster_count": 2, "started_clusters": 0, "running": 0, "queued": 0, "is_default": "N",
        "is_current": "N", "auto_suspend": 60, "auto_resume": "true", "available": "", "provisioning": "",
        "quiescing": "", "other": "", "created_on": _CREATED, "resumed_on": _CREATED, "updated_on": _CREATED,
        "owner": "SYSADMIN", "comment": f"Warehouse {name} of the benchmark", "enable_query_acceleration": "false",
        "query_acceleration_max_scale_factor": 8, "resource_monitor": "null", "scaling_policy": "ECONOMY",
        "owner_role_type": "ROLE", "resource_constraint": "STANDARD_GEN_1",
    }  # fmt: skip
    return tuple(told[column] for column in _WAREHOUSE)


def _table_texts(schema: str, count: int, columns: int) -> Iterator[str]:
    yield "resources:\n  table:\n"
    for number in range(count):
        yield f"    - name: T_{number:05d}\n      schema: {schema}\n      comment: Table {number}\n      columns:\n"
        for place in range(columns):
            yield f"        - {{name: C_{place:03d}, type: '{_TYPES[place % len(_TYPES)][0]}'}}\n"


def _table_answers(inside: Mapping[str, list[tuple[Any, ...]]], per_schema: int) -> dict[str, Rows]:
    schemas = list(inside)
    found = {schema: [_table_row(schema, number) for number in range(per_schema)] for schema in schemas}
    answers = {
        CONTEXT: _context(),
        "SHOW DATABASES": Rows(_DATABASE, [_row(_DATABASE, name=DATABASE, kind="STANDARD", retention_time="1")]),
        f"SHOW SCHEMAS IN DATABASE {DATABASE}": Rows(
            _SCHEMA, [_row(_SCHEMA, name=name, database_name=DATABASE, retention_time="1") for name in schemas]
        ),
        f"SHOW TABLES IN DATABASE {DATABASE}": Rows(_TABLE, [row for rows in found.values() for row in rows]),
        f"SHOW COLUMNS IN DATABASE {DATABASE}": Rows(_COLUMN, [row for rows in inside.values() for row in rows]),
    }
    for schema in schemas:
        answers[f"SHOW TABLES IN SCHEMA {DATABASE}.{schema}"] = Rows(_TABLE, found[schema])
        answers[f"SHOW COLUMNS IN SCHEMA {DATABASE}.{schema}"] = Rows(_COLUMN, inside[schema])
    return answers


def _table_row(schema: str, number: int) -> tuple[Any, ...]:
    return _row(
        _TABLE, name=f"T_{number:05d}", database_name=DATABASE, schema_name=schema, kind="TABLE",
        comment=f"Table {number}", rows=1000, bytes=4096, retention_time="1", automatic_clustering="OFF",
        change_tracking="OFF", search_optimization="OFF", is_external="N", enable_schema_evolution="N", is_event="N",
        is_hybrid="N", is_iceberg="N", is_dynamic="N", is_immutable="N",
    )  # fmt: skip


def _column_rows(schema: str, tables_of_schema: int, columns: int) -> Iterator[tuple[Any, ...]]:
    told = [json.dumps(_TYPES[place % len(_TYPES)][1], separators=(",", ":")) for place in range(columns)]
    for number in range(tables_of_schema):
        table = f"T_{number:05d}"
        for place in range(columns):
            yield (table, schema, f"C_{place:03d}", told[place], "true", "", "COLUMN", "", "", DATABASE, "", None)


_VIEW = re.compile(
    rf"SELECT (?P<columns>[\w, ]+) FROM {DATABASE}\.INFORMATION_SCHEMA\.COLUMNS"
    r" WHERE TABLE_SCHEMA IN \((?P<schemas>[^)]*)\) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION\Z"
)


def _information_schema(inside: Mapping[str, list[tuple[Any, ...]]], statement: str) -> Rows | None:
    """Rows of INFORMATION_SCHEMA.COLUMNS, from those of SHOW COLUMNS; None for any other statement."""
    match = _VIEW.match(statement)
    if match is None:
        return None
    columns = match["columns"].split(", ")
    values: list[tuple[Any, ...]] = []
    for schema in re.findall(r"'(\w+)'", match["schemas"]):
        for table, _, name, told, *_ in inside[schema]:
            cells = {"TABLE_SCHEMA": schema, "TABLE_NAME": table, "COLUMN_NAME": name, **_viewed(told)}
            values.append(tuple(cells.get(column) for column in columns))
    return Rows(tuple(column.lower() for column in columns), values)


@functools.cache
def _viewed(told: str) -> dict[str, Any]:
    """A cell ``data_type`` of SHOW COLUMNS as the columns of the view tell it."""
    type_ = json.loads(told)
    number = type_["type"] == "FIXED"
    return {
        "DATA_TYPE": "NUMBER" if number else type_["type"],
        "CHARACTER_MAXIMUM_LENGTH": type_.get("length"),
        "NUMERIC_PRECISION": type_["precision"] if number else None,
        "NUMERIC_SCALE": type_["scale"] if number else None,
        "DATETIME_PRECISION": type_["scale"] if type_["type"].startswith("TIMESTAMP") else None,
        "IS_NULLABLE": "YES",
        "IS_IDENTITY": "NO",
    }


def _row(columns: tuple[str, ...], **told: Any) -> tuple[Any, ...]:
    known = {"created_on": _CREATED, "owner": "SYSADMIN", "owner_role_type": "ROLE", **told}
    return tuple(known.get(column, "") for column in columns)


def _context() -> Rows:
    return Rows(("account", "username", "role"), [("BENCH", "BENCH", "SYSADMIN")])
