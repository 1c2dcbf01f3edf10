from __future__ import annotations

import io
from pathlib import Path

import pytest

from pinky_core import NotVisibleError, RetryPolicy, Rows, SessionError, StatementError, TransportError
from pinky_core.connection import ConnectionSession, as_session
from pinky_core.session import RetryingSession, statement_error
from pinky_core.snowpark import SnowparkSession


class Script:
    """Answers one thing after the other: an exception is raised, anything else returned."""

    concurrency = 1

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls = 0

    def execute(self, statement: str, parameters: object = ()) -> Rows:
        self.calls += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Rows)
        return answer


OK = Rows(("status",), [("ok",)])
LOST = TransportError("connection lost")


def refused(errno: int) -> StatementError:
    return statement_error("no", errno=errno)


def retrying(*answers: object, attempts: int = 4) -> tuple[RetryingSession, Script, list[float]]:
    script, slept = Script(*answers), []
    return RetryingSession(script, RetryPolicy(attempts=attempts), sleep=slept.append), script, slept


def test_a_lost_connection_is_tried_again_with_growing_delays():
    session, script, slept = retrying(LOST, LOST, OK)
    assert session.execute("SHOW X") is OK
    assert script.calls == 3
    assert len(slept) == 2
    assert all(0 <= each <= 20 for each in slept)


def test_attempts_are_bounded():
    session, script, _ = retrying(LOST, LOST, LOST, LOST)
    with pytest.raises(TransportError):
        session.execute("SHOW X")
    assert script.calls == 4


def test_a_refusal_is_never_repeated():
    session, script, _ = retrying(refused(1003), OK)
    with pytest.raises(StatementError):
        session.execute("CREATE TABLE T")
    assert script.calls == 1


def test_a_lock_conflict_is_repeated():
    session, script, _ = retrying(refused(625), OK)
    assert session.execute("ALTER TABLE T SET COMMENT = 'x'") is OK
    assert script.calls == 2


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("CREATE TABLE D.S.T (A INT)", 2002),
        ("DROP TABLE D.S.T", 2003),
        ("ALTER TABLE D.S.T RENAME TO D.S.U", 2003),
        ("ALTER TABLE D.S.T ADD COLUMN A INT", 1430),
        ("ALTER TABLE D.S.T DROP COLUMN A", 904),
    ],
)
def test_already_done_counts_as_success_only_after_a_lost_outcome(statement: str, errno: int):
    lost, _, _ = retrying(LOST, refused(errno))
    assert lost.execute(statement)
    plain, _, _ = retrying(refused(errno))
    with pytest.raises(StatementError):
        plain.execute(statement)


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("CREATE TABLE D.S.T (A INT)", 2003),
        ("CREATE OR REPLACE TABLE T", 2002),
        ("DROP TABLE T", 3001),
        ("GRANT X", 2003),
    ],
)
def test_another_refusal_after_a_lost_outcome_is_an_error(statement: str, errno: int):
    session, _, _ = retrying(LOST, refused(errno))
    with pytest.raises(StatementError):
        session.execute(statement)


def test_numbers_that_mean_not_visible():
    for errno in (2003, 2043, 3001):
        assert isinstance(refused(errno), NotVisibleError)
    assert not isinstance(refused(1003), NotVisibleError)


def test_rows_by_name_and_unknown_columns_as_none():
    rows = Rows(("a", "b"), [(1, 2), (3, 4)])
    assert list(rows) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert list(rows.pick("b", "new_in_next_release")) == [(2, None), (4, None)]


def test_what_can_be_a_session():
    class Connection:
        def cursor(self) -> None: ...

    class Snowpark:
        file = None

        def sql(self) -> None: ...

    script = Script()
    assert as_session(script) is script
    assert isinstance(as_session(Connection()), ConnectionSession)
    assert isinstance(as_session(Snowpark()), SnowparkSession)
    with pytest.raises(TypeError, match="found str"):
        as_session("text")


class Staged:
    """A Snowpark session whose ways to read are refused for some places."""

    def __init__(self, **refused: str) -> None:
        self.tried: list[tuple[str, str]] = []
        self.refused = refused
        self.file = self

    def sql(self, text: str, params: object = None) -> Staged:
        self.tried.append(("copy", text))
        return self

    def collect(self) -> list[object]:
        return []

    def get(self, location: str, folder: str) -> None:
        self._try("get", location)
        Path(folder, "m.yml.bak").write_bytes(b"a neighbour")
        Path(folder, "m.yml").write_bytes(b"downloaded")

    def get_stream(self, location: str, *, decompress: bool) -> io.BytesIO:
        self._try("stream", location)
        assert not decompress
        return io.BytesIO(b"streamed")

    def _try(self, way: str, location: str) -> None:
        self.tried.append((way, location))
        if location.startswith(self.refused.get(way, "nowhere")):
            raise NotImplementedError(f"no {way} here")


def test_a_staged_file_is_read_by_the_first_way_that_works_and_later_ones_begin_with_it():
    staged = Staged(get="@D.S.R")
    session = SnowparkSession(staged)
    assert [session.read_file(f"@D.S.R/commits/1/{name}", 8) for name in ("m.yml", "v.sql")] == [b"streamed"] * 2
    assert [way for way, _ in staged.tried] == ["get", "stream", "stream"]
    staged.refused = {"stream": "@D.S.ST"}
    assert session.read_file("@D.S.ST/m.yml", 10) == b"downloaded"  # what worked elsewhere keeps no way closed


def test_files_that_nothing_reads_are_copied_and_where_that_fails_all_is_told():
    staged = Staged(get="@D.S.R", stream="@D.S.R")
    copying = SnowparkSession(staged, "D.S.ST/copies/")
    assert copying.read_file("@D.S.R/commits/1/a/m.yml", 10) == b"downloaded"
    assert staged.tried[2] == (
        "copy", "COPY FILES INTO '@D.S.ST/copies/commits/1/a/' FROM '@D.S.R/commits/1/a/' FILES = ('m.yml')",
    )  # fmt: skip
    assert staged.tried[3] == ("get", "@D.S.ST/copies/commits/1/a/m.yml")
    with pytest.raises(SessionError, match="no get here") as caught:
        SnowparkSession(staged).read_file("@D.S.R/commits/1/a/m.yml", 10)
    assert "no stream here" in caught.value.__notes__[0]
    assert isinstance(caught.value.__cause__, NotImplementedError)
