from __future__ import annotations

import pytest

from pinky_core import NotVisibleError, RetryPolicy, Rows, StatementError, TransportError
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
