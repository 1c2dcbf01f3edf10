"""Reading columns and keys: cells decoded, ceilings, what happens without a warehouse."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pinky_schema.column import Identity
from pinky_schema.table import Table

from pinky_core import ABSENT, Address, DataType, DiagnosticsError, Identifier, Reader, Wanted, parse_path
from pinky_core.testing import FakeSession

CEILING = 10_000
DATABASE = {"SHOW DATABASES": [{"name": "DB"}], "SHOW SCHEMAS IN DATABASE DB": [{"name": "S", "retention_time": "5"}]}


def shown_column(name: str, data_type: Mapping[str, Any], table: str = "T", **more: Any) -> dict[str, Any]:
    """A row of SHOW COLUMNS."""
    row = {"table_name": table, "schema_name": "S", "column_name": name, "data_type": json.dumps(data_type)}
    return {**row, "default": "", "comment": "", "autoincrement": "", **more}


def shown_table(name: str = "T", **more: Any) -> dict[str, Any]:
    """A row of SHOW TABLES."""
    row = {"name": name, "database_name": "DB", "schema_name": "S", "kind": "TABLE", "comment": "", "cluster_by": ""}
    return {**row, "rows": "3", "retention_time": "5", "change_tracking": "OFF", "enable_schema_evolution": "N", **more}


def read(
    answers: Mapping[str, Sequence[Mapping[str, Any]] | int], *fields: str, names: Sequence[str] = ("T",)
) -> tuple[dict[str, Table], list[str]]:
    """The live tables by name, and the statements it took."""
    session = FakeSession({**DATABASE, **answers})
    wanted = [Wanted(Address("table", parse_path(f"DB.S.{name}")), frozenset(fields)) for name in names]
    with Reader(session) as reader:
        found = Table.read(reader, wanted)
    tables = {str(address.name): body for address, body in found.items() if isinstance(body, Table)}
    return tables, sorted(session.statements)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ({"type": "FIXED", "precision": 10, "scale": 2, "nullable": True}, "NUMBER(10,2)"),
        ({"type": "REAL", "nullable": True}, "FLOAT"),
        ({"type": "TEXT", "length": 7, "byteLength": 28, "nullable": True, "fixed": False}, "VARCHAR(7)"),
        ({"type": "BINARY", "length": 8, "byteLength": 8, "nullable": True, "fixed": True}, "BINARY(8)"),
        ({"type": "TIMESTAMP_TZ", "precision": 0, "scale": 3, "nullable": True}, "TIMESTAMP_TZ(3)"),
        ({"type": "TIME", "precision": 0, "scale": 9, "nullable": True}, "TIME(9)"),
        ({"type": "DATE", "nullable": True}, "DATE"),
        ({"type": "ARRAY", "nullable": True}, "ARRAY"),
        ({"type": "GEOGRAPHY", "nullable": True}, "GEOGRAPHY"),
    ],
)
def test_types_of_show_columns(cell: Mapping[str, Any], expected: str) -> None:
    answers = {"SHOW TABLES IN SCHEMA DB.S": [shown_table()], "SHOW COLUMNS IN SCHEMA DB.S": [shown_column("A", cell)]}
    tables, statements = read(answers, "columns")
    (column,) = tables["T"].columns
    assert column.type == DataType.parse(expected)
    assert not any(statement.startswith("DESCRIBE") for statement in statements)


@pytest.mark.parametrize(
    ("cell", "described"),
    [
        ({"type": "VECTOR", "nullable": True}, "VECTOR(FLOAT, 3)"),
        ({"type": "MAP", "nullable": True}, "MAP(VARCHAR(16777216), NUMBER(38,0))"),
        ({"type": "ARRAY", "nullable": True, "fields": []}, "ARRAY(NUMBER(38,0))"),
        ({"type": "OF_TOMORROW", "nullable": True}, "OF_TOMORROW(1, x)"),
    ],
)
def test_types_that_are_not_told_in_full_are_described(cell: Mapping[str, Any], described: str) -> None:
    answers = {
        "SHOW TABLES IN SCHEMA DB.S": [shown_table(), shown_table("PLAIN")],
        "SHOW COLUMNS IN SCHEMA DB.S": [
            shown_column("A", {"type": "DATE"}),
            shown_column("B", cell),
            shown_column("C", {"type": "DATE"}),
            shown_column("A", {"type": "DATE"}, "PLAIN"),
        ],
        "DESCRIBE TABLE DB.S.T": [
            {"name": "A", "type": "DATE", "null?": "N"},
            {"name": "B", "type": described, "null?": "Y", "default": "1", "comment": "x"},
            {"name": "C", "type": "VARCHAR(5) COLLATE 'en-ci'", "null?": "Y"},
        ],
    }
    tables, statements = read(answers, "columns", names=("T", "PLAIN"))
    first, second, third = tables["T"].columns
    assert (first.not_null, first.default, first.collate) == (True, None, None)
    assert (second.comment, str(second.default)) == ("x", "1")
    assert third.collate == "en-ci"
    known = "TOMORROW" not in described
    assert second.type == (DataType.parse(described) if known else DataType("UNKNOWN", qualifier=described))
    assert [each for each in statements if each.startswith("DESCRIBE")] == ["DESCRIBE TABLE DB.S.T"]


def test_identities_defaults_and_collations_of_show_columns() -> None:
    number = {"type": "FIXED", "precision": 38, "scale": 0, "nullable": False}
    text = {"type": "TEXT", "length": 5, "nullable": True}
    answers = {
        "SHOW TABLES IN SCHEMA DB.S": [shown_table()],
        "SHOW COLUMNS IN SCHEMA DB.S": [
            shown_column("A", number, autoincrement="IDENTITY START 5 INCREMENT -2 ORDER"),
            shown_column("b c", {**text, "collation": "en"}, default="'x'", comment="y"),
            shown_column("D", text),
        ],
    }
    tables, _ = read(answers, "columns")
    first, second, third = tables["T"].columns
    assert first.identity == Identity(start=5, increment=-2, order=True)
    assert first.not_null is True
    assert (second.name, str(second.default), second.comment, second.collate) == (Identifier("b c"), "'x'", "y", "en")
    assert (third.default, third.comment, third.collate) == (None, None, ABSENT)  # no collation is told


def full_answer() -> list[dict[str, Any]]:
    """As many rows of SHOW COLUMNS as it ever gives."""
    return [shown_column(f"C{number}", {"type": "DATE"}, "OTHER") for number in range(CEILING)]


VIEW = r"SELECT .* FROM DB\.INFORMATION_SCHEMA\.COLUMNS WHERE TABLE_SCHEMA IN \('S'\) ORDER BY .*"


def viewed(table: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    """A row of INFORMATION_SCHEMA.COLUMNS as the query names its columns."""
    row = {"table_schema": "S", "table_name": table, "column_name": name, "data_type": kind, "is_nullable": "YES"}
    return {**row, "is_identity": "NO", **more}


def test_a_full_answer_is_not_believed_and_the_view_tells() -> None:
    answers = {
        "SHOW TABLES IN SCHEMA DB.S": [shown_table(), shown_table("TIMES")],
        "SHOW COLUMNS IN SCHEMA DB.S": full_answer(),
        VIEW: [
            viewed("T", "A", "NUMBER", numeric_precision=38, numeric_scale=0, is_identity="YES", identity_start="1",
                   identity_increment="2", identity_ordered="NO", column_default="whatever"),
            viewed("T", "B", "TEXT", character_maximum_length=9, is_nullable="NO", column_default="'x'", comment="c"),
            viewed("T", "C", "TIMESTAMP_NTZ", datetime_precision=6),
            viewed("T", "D", "FLOAT"),
            viewed("TIMES", "A", "TIMESTAMP_LTZ", datetime_precision=None),
        ],
        "DESCRIBE TABLE DB.S.TIMES": [{"name": "A", "type": "TIMESTAMP_LTZ(3)", "null?": "Y"}],
    }  # fmt: skip
    tables, statements = read(answers, "columns", names=("T", "TIMES"))
    assert [str(column.type) for column in tables["T"].columns] == [
        "NUMBER(38,0)", "VARCHAR(9)", "TIMESTAMP_NTZ(6)", "FLOAT",
    ]  # fmt: skip
    first, second = tables["T"].columns[:2]
    assert (first.identity, first.default) == (Identity(start=1, increment=2, order=False), None)
    assert (second.not_null, str(second.default), second.comment) == (True, "'x'", "c")
    assert [str(column.type) for column in tables["TIMES"].columns] == ["TIMESTAMP_LTZ(3)"]
    assert sum(statement.startswith("SELECT") for statement in statements) == 1


def test_without_a_warehouse_the_declared_tables_are_described() -> None:
    answers: dict[str, Any] = {
        "SHOW TABLES IN SCHEMA DB.S": [shown_table(), shown_table("OTHER"), shown_table("U")],
        "SHOW COLUMNS IN SCHEMA DB.S": full_answer(),
        VIEW: 606,
        "DESCRIBE TABLE DB.S.T": [{"name": "A", "type": "DATE", "null?": "Y"}],
        "DESCRIBE TABLE DB.S.U": [{"name": "B", "type": "DATE", "null?": "Y"}],
    }
    tables, statements = read(answers, "columns", names=("T", "U"))
    assert [column.name for column in tables["T"].columns] == ["A"]
    assert [column.name for column in tables["U"].columns] == ["B"]
    described = [each for each in statements if each.startswith("DESCRIBE")]
    assert described == ["DESCRIBE TABLE DB.S.T", "DESCRIBE TABLE DB.S.U"]


def test_many_schemas_are_read_by_one_statement_and_apart_where_that_is_full() -> None:
    names = [f"S{number}" for number in range(4)]
    whole = [{**shown_column("A", {"type": "DATE"}), "schema_name": name} for name in names]
    per_schema: dict[str, Any] = {
        f"SHOW COLUMNS IN SCHEMA DB.{name}": [row] for name, row in zip(names, whole, strict=True)
    }
    tables = [{**shown_table(), "schema_name": name} for name in names]
    wanted = [Wanted(Address("table", parse_path(f"DB.{name}.T")), frozenset({"columns"})) for name in names]
    for answer, expected in ((whole, 1), (full_answer(), 5)):
        session = FakeSession(
            {
                "SHOW DATABASES": [{"name": "DB"}],
                "SHOW SCHEMAS IN DATABASE DB": [{"name": name, "retention_time": "1"} for name in names],
                "SHOW TABLES IN DATABASE DB": tables,
                "SHOW COLUMNS IN DATABASE DB": answer,
                **per_schema,
            }
        )
        with Reader(session) as reader:
            found = Table.read(reader, wanted)
        assert all(len(body.columns) == 1 for body in found.values() if isinstance(body, Table))
        assert len(found) == 4
        assert sum("COLUMNS" in statement for statement in session.statements) == expected


def test_keys_are_put_together_in_their_order() -> None:
    key = {"schema_name": "S", "table_name": "T", "constraint_name": "P", "rely": "true"}
    foreign = {"fk_schema_name": "S", "fk_table_name": "T", "fk_name": "F", "pk_database_name": "DB", "rely": None,
               "pk_schema_name": "S", "pk_table_name": "the parent"}  # fmt: skip
    answers = {
        "SHOW TABLES IN SCHEMA DB.S": [shown_table()],
        "SHOW PRIMARY KEYS IN SCHEMA DB.S": [
            {**key, "column_name": "B", "key_sequence": "2"},
            {**key, "column_name": "A", "key_sequence": 1},
            {**key, "table_name": "OTHER", "column_name": "Z", "key_sequence": 1},
        ],
        "SHOW IMPORTED KEYS IN SCHEMA DB.S": [
            {**foreign, "fk_column_name": "Y", "pk_column_name": "K2", "key_sequence": 2},
            {**foreign, "fk_column_name": "X", "pk_column_name": "K1", "key_sequence": 1},
        ],
    }
    tables, _ = read(answers, "primary_key", "foreign_keys", "unique_keys")
    primary = tables["T"].primary_key
    assert primary is not None
    assert (primary.columns, primary.name, primary.rely) == (("A", "B"), "P", True)
    (reference,) = tables["T"].foreign_keys
    assert (reference.columns, reference.referenced_columns) == (("X", "Y"), ("K1", "K2"))
    assert reference.references == 'DB.S."the parent"'
    assert reference.rely is ABSENT
    assert tables["T"].unique_keys == ()


def test_full_answers_of_keys_are_read_per_declared_table() -> None:
    full = [
        {"schema_name": "S", "table_name": "X", "constraint_name": str(n), "column_name": "A", "key_sequence": 1}
        for n in range(CEILING)
    ]
    own = {"schema_name": "S", "table_name": "T", "constraint_name": "P", "column_name": "A", "key_sequence": 1}
    answers = {
        "SHOW TABLES IN SCHEMA DB.S": [shown_table()],
        "SHOW PRIMARY KEYS IN SCHEMA DB.S": full,
        "SHOW PRIMARY KEYS IN TABLE DB.S.T": [own],
    }
    tables, _ = read(answers, "primary_key")
    assert tables["T"].primary_key is not None
    assert tables["T"].primary_key.columns == ("A",)


def test_only_what_is_declared_is_read() -> None:
    tables, statements = read({"SHOW TABLES IN SCHEMA DB.S": [shown_table(comment="x")]}, "comment")
    assert tables["T"].comment == "x"
    assert tables["T"].primary_key is ABSENT
    assert statements == ["SHOW TABLES IN SCHEMA DB.S"]


def test_rows_of_other_kinds_are_passed_over() -> None:
    rows = [shown_table(name.upper(), **{name: "Y"}) for name in ("is_external", "is_event", "is_hybrid")]
    rows += [shown_table(name.upper(), **{name: "Y"}) for name in ("is_iceberg", "is_dynamic")]
    rows += [shown_table("TEMP", kind="TEMPORARY"), shown_table("LASTING", kind="TRANSIENT", new_column="ignored")]
    tables, _ = read({"SHOW TABLES IN SCHEMA DB.S": rows}, "transient")
    assert list(tables) == ["LASTING"]
    assert tables["LASTING"].transient is True
    assert tables["LASTING"].inherited_retention == 1  # the schema says 5, which no transient table keeps


def test_a_declared_name_of_another_kind_is_an_error() -> None:
    rows = [shown_table("T", is_dynamic="Y"), shown_table("U", is_iceberg="Y")]
    with pytest.raises(DiagnosticsError, match=r"DB\.S\.T is there, and is of kind dynamic table"):
        read({"SHOW TABLES IN SCHEMA DB.S": rows}, "comment")
