from __future__ import annotations

import threading
import time

import pytest

from pinky_core import BoundaryError, Identifier, NotVisibleError, Rows, StatementError
from pinky_core.datatype import DataType
from pinky_core.read import CEILING, Reader, read_value
from pinky_core.session import statement_error
from pinky_core.testing import FakeSession
from tests.kinds import Colour


class Listing:
    """A SHOW over many names with Snowflake's ceiling: an error or silence, paging and LIKE."""

    concurrency = 4

    def __init__(self, names: list[str], *, silent: bool) -> None:
        self.names = sorted(names)
        self.silent = silent
        self.statements: list[str] = []

    def execute(self, statement: str, parameters: object = ()) -> Rows:
        self.statements.append(statement)
        names = self.names
        if " LIKE '" in statement:
            prefix = statement.split(" LIKE '")[1].split("%'")[0].replace("\\\\", "").replace("\\", "")
            names = [name for name in names if name.startswith(prefix)]
        if " FROM '" in statement:
            last = statement.split(" FROM '")[1].rstrip("'")
            names = [name for name in names if name > last]
        if "LIMIT" not in statement and len(names) > CEILING and not self.silent:
            raise statement_error("too many rows", errno=90153, statement=statement)
        return Rows(("name",), [(name,) for name in names[:CEILING]])


def test_an_answer_below_the_ceiling_is_one_statement():
    session = Listing(["A", "B"], silent=False)
    with Reader(session) as reader:
        assert len(reader.listing("TABLES", ("D", "S"))) == 2
    assert session.statements == ["SHOW TABLES IN SCHEMA D.S"]


@pytest.mark.parametrize("silent", [True, False])
def test_above_the_ceiling_everything_is_paged_by_name(silent: bool):
    names = [f"T{n:06d}" for n in range(2 * CEILING + 5)]
    session = Listing(names, silent=silent)
    with Reader(session) as reader:
        found = [name for (name,) in reader.listing("TABLES", ("D", "S")).pick("name")]
    assert found == names
    assert len(session.statements) == 4


def test_a_command_without_paging_is_split_by_first_characters():
    names = [f"A{n:05d}" for n in range(9000)] + [f"B_{n:05d}" for n in range(9000)]
    session = Listing(names, silent=True)
    with Reader(session) as reader:
        found = {name for (name,) in reader.listing("STAGES", ("D", "S"), pages=False).pick("name")}
    assert found == set(names)


def test_many_schemas_of_a_database_are_one_statement_few_are_one_each():
    def rows(*schemas: str) -> list[dict[str, str]]:
        return [{"name": f"T_{schema}", "schema_name": schema} for schema in schemas]

    session = FakeSession({"SHOW TABLES IN DATABASE D": rows("S1", "S2", "S3", "OTHER")})
    with Reader(session) as reader:
        found = reader.by_container("TABLES", [("D", f"S{n}") for n in (1, 2, 3, 4)])
    assert session.statements == ["SHOW TABLES IN DATABASE D"]
    assert {path: [name for (name,) in answer.pick("name")] for path, answer in found.items()} == {
        ("D", "S1"): ["T_S1"],
        ("D", "S2"): ["T_S2"],
        ("D", "S3"): ["T_S3"],
        ("D", "S4"): [],
    }
    few = FakeSession()
    with Reader(few) as reader:
        reader.by_container("TABLES", [("D", "S1"), ("D", "S2")])
    assert few.statements == ["SHOW TABLES IN SCHEMA D.S1", "SHOW TABLES IN SCHEMA D.S2"]


def test_a_database_over_the_ceiling_is_read_by_schema():
    session = FakeSession({"SHOW TABLES IN DATABASE D": 90153})
    with Reader(session) as reader:
        reader.by_container("TABLES", [("D", f"S{n}") for n in range(3)])
    assert len(session.statements) == 4


def test_a_statement_runs_once_however_many_ask():
    class Slow(FakeSession):
        def execute(self, statement: str, parameters: object = ()) -> Rows:
            time.sleep(0.01)
            return super().execute(statement)

    session = Slow()
    with Reader(session) as reader:
        threads = [threading.Thread(target=reader.rows, args=("SHOW ROLES",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert reader.statements == 1
    assert session.statements == ["SHOW ROLES"]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE T",
        "/* SHOW */ CREATE TABLE T (A INT)",
        "SHOW TABLES; DROP TABLE T",
        "USE ROLE ACCOUNTADMIN",
        "CALL P()",
        "",
        "SELECT 'never closed",
        "SHOW TABLES ->> DROP TABLE T",
        "SELECT SYSTEM$CANCEL_ALL_QUERIES(1)",
        'SELECT "SYSTEM$ABORT_SESSION"(1)',
    ],
)
def test_reading_never_sends_anything_else(statement: str):
    session = FakeSession()
    with Reader(session) as reader, pytest.raises(BoundaryError):
        reader.rows(statement)
    assert session.statements == []


def test_not_visible_is_told_apart_from_other_refusals():
    session = FakeSession({"DESCRIBE TABLE A": 2003, "DESCRIBE TABLE B": 1003})
    with Reader(session) as reader:
        assert reader.rows_or_none("DESCRIBE TABLE A") is None
        with pytest.raises(NotVisibleError):
            reader.rows("DESCRIBE TABLE A")
        with pytest.raises(StatementError):
            reader.rows_or_none("DESCRIBE TABLE B")


@pytest.mark.parametrize(
    ("annotation", "raw", "value"),
    [
        (bool, "true", True),
        (bool, "Y", True),
        (bool, "OFF", False),
        (bool, False, False),
        (int, "60", 60),
        (int, "", None),
        (int, "null", None),
        (str, "", None),
        (str, 5, "5"),
        (Identifier, "my name", Identifier("my name")),
        (Colour, "r-E-D", Colour.RED),
        (Colour, "Octarine", "OCTARINE"),
        (DataType, "INT", DataType.parse("NUMBER(38,0)")),
        (tuple[str, ...], '["a","b"]', ("a", "b")),
        (tuple[str, ...], "[a, b]", ("a", "b")),
        (tuple[str, ...], "a,b", ("a", "b")),
        (tuple[int, ...], ["1", 2], (1, 2)),
    ],
)
def test_cells_become_values(annotation: object, raw: object, value: object):
    assert read_value(annotation, raw) == value
