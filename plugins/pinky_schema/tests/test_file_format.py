"""File formats through the real connector on a local account, and texts that only Snowflake prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_local.account import LocalAccount
from pinky_schema.file_format import FileFormat
from pinky_schema.format_options import COMPRESSIONS, OPTION_NAMES, OPTIONS
from pinky_schema.grant import Grant
from pinky_schema.stage import Stage

from pinky_core import (
    Action,
    Address,
    BlockedPlanError,
    DiagnosticsError,
    Identifier,
    Names,
    Provider,
    Reader,
    Risk,
    hookimpl,
    make_registry,
)
from pinky_core.convert import convert_body
from pinky_core.testing import FakeSession, Laboratory, check_resource_type

ADDRESS = Address("file_format", (Identifier("D"), Identifier("S"), Identifier("F")))
# Every option of DESC FILE FORMAT of the page's example of a CSV format.
DESCRIBED = {
    "TYPE": "csv", "RECORD_DELIMITER": "\\n", "FIELD_DELIMITER": ",", "FILE_EXTENSION": "", "SKIP_HEADER": "0",
    "PARSE_HEADER": "FALSE", "DATE_FORMAT": "AUTO", "TIME_FORMAT": "AUTO", "TIMESTAMP_FORMAT": "AUTO",
    "BINARY_FORMAT": "HEX", "ESCAPE": "NONE", "ESCAPE_UNENCLOSED_FIELD": "\\\\", "TRIM_SPACE": "FALSE",
    "FIELD_OPTIONALLY_ENCLOSED_BY": "NONE", "NULL_IF": "[\\\\N]", "COMPRESSION": "AUTO",
    "ERROR_ON_COLUMN_COUNT_MISMATCH": "TRUE", "VALIDATE_UTF8": "TRUE", "SKIP_BLANK_LINES": "FALSE",
    "REPLACE_INVALID_CHARACTERS": "FALSE", "EMPTY_FIELD_AS_NULL": "TRUE", "SKIP_BYTE_ORDER_MARK": "TRUE",
    "ENCODING": "UTF8",
}  # fmt: skip


class Formats:
    """A plugin with the kind under test and those that use file formats."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [FileFormat, Stage, Grant]


REGISTRY = make_registry({"formats": Formats()})


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE ROLE LOADERS"):
            connection.cursor().execute(statement)
        yield Laboratory(Provider(connection, registry=REGISTRY), "schema", "D.S")
        assert not account.internal_errors


def apply(laboratory: Laboratory, name: str = "f", /, **fields: Any) -> list[str]:
    """Apply one file format, check that the second plan is empty, and answer the statements."""
    document = {"file_format": [{"name": name, **fields}]}
    plan = laboratory.plan(document)
    laboratory.apply(plan)
    again = laboratory.plan(document)
    assert again.empty, [(change.reason, change.fields) for change in again.changes]
    return [statement.text for statement in plan.statements()]


# -- statements --------------------------------------------------------------------------------------------------------


def test_a_format_says_its_type_first(laboratory: Laboratory) -> None:
    options = {"field_delimiter": "\t", "skip_header": 1, "null_if": ["", "NULL", "\\N"], "escape": "none"}
    assert apply(laboratory, comment="none", **options) == [
        "CREATE FILE FORMAT D.S.F TYPE = CSV FIELD_DELIMITER = '\t' SKIP_HEADER = 1 ESCAPE = NONE "
        "NULL_IF = ('', 'NULL', '\\\\N') COMMENT = 'none'"
    ]


def test_options_and_comment_are_set_at_once_and_null_sets_the_default(laboratory: Laboratory) -> None:
    apply(laboratory, field_delimiter=";", null_if=["x"], comment="c", encoding="ISO-8859-1", file_extension=".txt")
    assert apply(laboratory, field_delimiter="|", null_if=[], comment="d") == [
        "ALTER FILE FORMAT D.S.F SET FIELD_DELIMITER = '|' NULL_IF = () COMMENT = 'd'"
    ]
    assert apply(
        laboratory, field_delimiter=None, null_if=None, comment=None, encoding=None, file_extension=None, escape=None
    ) == [
        "ALTER FILE FORMAT D.S.F SET FIELD_DELIMITER = ',' FILE_EXTENSION = NONE NULL_IF = ('\\\\N') "
        "ENCODING = 'UTF8' COMMENT = ''"
    ]


def test_another_type_needs_permission_and_takes_nothing_over_but_the_comment(laboratory: Laboratory) -> None:
    apply(laboratory, field_delimiter=";", comment="kept")
    plan = laboratory.plan({"file_format": [{"name": "f", "type": "json", "strip_outer_array": True}]})
    (change,) = plan.changes
    assert (change.action, change.risk) == (Action.REPLACE, Risk.DESTRUCTIVE)
    assert "external tables" in change.loses
    with pytest.raises(BlockedPlanError, match="external tables"):
        laboratory.provider.apply(plan)
    assert apply(laboratory, type="json", strip_outer_array=True) == [
        "CREATE OR REPLACE FILE FORMAT D.S.F TYPE = JSON STRIP_OUTER_ARRAY = TRUE COMMENT = 'kept'"
    ]


def test_a_type_that_is_not_declared_stays(laboratory: Laboratory) -> None:
    apply(laboratory, type="json", trim_space=True, null_if=["x"])
    assert apply(laboratory, trim_space=False, null_if=None) == [
        "ALTER FILE FORMAT D.S.F SET TRIM_SPACE = FALSE NULL_IF = ()"
    ]
    with pytest.raises(DiagnosticsError, match="'skip_header' is not an option of JSON files"):
        laboratory.plan({"file_format": [{"name": "f", "skip_header": 1}]})


def test_rename_keeps_it(laboratory: Laboratory) -> None:
    apply(laboratory, type="parquet", use_vectorized_scanner=True)
    assert apply(laboratory, "g", renamed_from="f", type="parquet") == ["ALTER FILE FORMAT D.S.F RENAME TO D.S.G"]


def test_a_stage_comes_after_the_format_it_names_and_usage_is_granted(laboratory: Laboratory) -> None:
    resources = {
        "stage": [{"name": "a", "file_format": {"format_name": "f"}}],
        "file_format": [{"name": "f", "type": "json"}],
        "grant": [{"privilege": "USAGE", "on": {"file_format": "f"}, "to_role": "loaders"}],
    }
    statements = [each.text for each in laboratory.plan(resources).statements()]
    assert laboratory.converge(resources).empty
    assert statements.index("CREATE FILE FORMAT D.S.F TYPE = JSON") < statements.index(
        "CREATE STAGE D.S.A FILE_FORMAT = (FORMAT_NAME = 'D.S.F')"
    )
    assert "GRANT USAGE ON FILE FORMAT D.S.F TO ROLE LOADERS" in statements


def test_many_formats_are_read_by_one_statement(laboratory: Laboratory) -> None:
    resources = {"file_format": [{"name": f"f{n}", "skip_header": n} for n in range(20)]}
    assert laboratory.converge(resources).empty
    with Reader(laboratory.provider.session) as reader:
        from pinky_core import Wanted

        wanted = [Wanted(each, frozenset({"skip_header"})) for each in laboratory.addresses(resources)]
        assert len(FileFormat.read(reader, wanted)) == 20
        assert reader.statements == 1


# -- mistakes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"type": "json", "skip_header": 1}, "'skip_header' is not an option of JSON files"),
        ({"strip_outer_array": True}, "'strip_outer_array' is not an option of CSV files"),
        ({"type": "avro", "compression": "bz2"}, "BZ2 is not a compression of AVRO files; allowed: AUTO, GZIP"),
        ({"type": "orc", "compression": "gzip"}, "'compression' is not an option of ORC files"),
        ({"type": "parquet", "compression": "gzip"}, "allowed: AUTO, LZO, SNAPPY, NONE"),
        ({"parse_header": True, "skip_header": 1}, "does not go together with 'parse_header"),
        ({"type": "custom"}, "'custom' is not allowed"),
        ({"format_name": "g"}, "format_name"),
    ],
)
def test_mistakes_are_told(laboratory: Laboratory, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(DiagnosticsError, match=text):
        laboratory.plan({"file_format": [{"name": "f", **fields}]})


# -- reading -----------------------------------------------------------------------------------------------------------


def plan_beside(
    row: dict[str, Any], document: dict[str, Any], described: dict[str, str]
) -> tuple[list[str], list[str]]:
    """The statements that follow beside one live file format, and the DESCRIBE statements that were needed."""
    session = FakeSession(
        {
            "SHOW DATABASES.*": [{"name": "D"}],
            "SHOW SCHEMAS.*": [{"name": "S"}],
            "SHOW FILE FORMATS IN SCHEMA D.S": [{"name": "F", "comment": "", **row}],
            "DESCRIBE FILE FORMAT D.S.F": [
                {"property": name, "property_type": "", "property_value": value, "property_default": ""}
                for name, value in described.items()
            ],
        }
    )
    plan = Laboratory(Provider(session, registry=REGISTRY), "schema", "D.S").plan(
        {"file_format": [{"name": "f", **document}]}
    )
    asked = [each for each in session.statements if each.startswith("DESCRIBE")]
    return [each.text for each in plan.statements()], asked


DEFAULTS: dict[str, Any] = dict.fromkeys(OPTIONS["CSV"] - {"multi_line"})
SPELLED = {"record_delimiter": "\n", "escape_unenclosed_field": "\\", "null_if": ["\\N"], "file_extension": ""}


@pytest.mark.parametrize("document", [DEFAULTS, SPELLED], ids=["null", "spelled"])
def test_the_defaults_of_the_page_are_no_difference_however_they_are_told(document: dict[str, Any]) -> None:
    shown = {**DESCRIBED, "RECORD_DELIMITER": "\n", "ESCAPE_UNENCLOSED_FIELD": "\\", "NULL_IF": ["\\N"]}
    shown |= {name: value == "TRUE" for name, value in DESCRIBED.items() if value in ("TRUE", "FALSE")}
    assert plan_beside({"type": "CSV", "format_options": json.dumps(shown)}, document, {}) == ([], [])
    described = ["DESCRIBE FILE FORMAT D.S.F"]
    assert plan_beside({"type": "CSV", "format_options": "{TYPE=CSV}"}, document, DESCRIBED) == ([], described)
    assert plan_beside({"type": "CSV"}, document, DESCRIBED) == ([], described)


def test_types_are_read_in_the_spelling_of_show() -> None:
    row = {"type": "Parquet", "format_options": json.dumps({"TYPE": "PARQUET", "BINARY_AS_TEXT": True})}
    assert plan_beside(row, {"type": "PARQUET", "binary_as_text": True}, {}) == ([], [])


def test_texts_of_a_list_are_told_apart_where_they_hold_commas() -> None:
    row = {"type": "CSV", "format_options": json.dumps({"NULL_IF": ["a, b", ""]})}
    assert plan_beside(row, {"null_if": ["a, b", ""]}, {})[0] == []
    assert plan_beside(row, {"null_if": ["a", "b", ""]}, {})[0] == [
        "ALTER FILE FORMAT D.S.F SET NULL_IF = ('a', 'b', '')"
    ]


def test_every_option_has_a_type_of_files() -> None:
    assert set().union(*OPTIONS.values()) == set(OPTION_NAMES)
    assert {name for name, options in OPTIONS.items() if "compression" in options} == set(COMPRESSIONS)


def test_a_stage_needs_the_format_it_names() -> None:
    body, mistakes = convert_body(Stage, {"file_format": {"format_name": "f"}})
    assert body is not None, mistakes
    stage = Address("stage", (*ADDRESS.path[:2], Identifier("ST")))
    assert ADDRESS in set(body.needs(stage, Names([ADDRESS])))


# -- laws --------------------------------------------------------------------------------------------------------------

TEXTS = st.sampled_from(("|", "\\t", "'", '"', ";;", "NONE", "\\\\"))
FORMATS = st.sampled_from(("AUTO", "YYYY-MM-DD", "HH24:MI 'x'", "auto"))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "record_delimiter": TEXTS,
    "field_delimiter": TEXTS,
    "escape": TEXTS,
    "escape_unenclosed_field": TEXTS,
    "field_optionally_enclosed_by": TEXTS,
    "date_format": FORMATS,
    "time_format": FORMATS,
    "timestamp_format": FORMATS,
    "file_extension": st.sampled_from((".csv", "it's", "NONE", "")),
    "encoding": st.sampled_from(("UTF8", "ISO-8859-1")),
    "null_if": st.lists(st.sampled_from(("", "NULL", "\\N", "a, b", "it's", " ", "[x]")), max_size=3, unique=True),
}


@pytest.mark.parametrize("type_", ["CSV", "JSON", "AVRO", "ORC", "PARQUET", "XML"])
def test_laws(laboratory: Laboratory, type_: str) -> None:
    values = {**VALUES, "compression": st.sampled_from(sorted(COMPRESSIONS.get(type_, ())) or ("AUTO",))}
    skip = {"parse_header"} | set(OPTION_NAMES) - OPTIONS[type_]  # which excludes skip_header
    drawn = {name: strategy for name, strategy in values.items() if name in OPTIONS[type_]}
    check_resource_type(FileFormat, laboratory, values=drawn, fixed={"type": type_}, skip=skip, max_examples=8)
