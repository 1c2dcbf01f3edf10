"""Tasks that call Python procedures: what the procedure's session knows of the run."""

from __future__ import annotations

import pytest
from pinky_local.account import LocalAccount

pytest.importorskip("snowflake.snowpark")

PROCEDURE = """CREATE PROCEDURE step(x VARIANT) RETURNS VARIANT LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python') HANDLER = 'run' AS $$
def run(session, x):
    if x["fail"]:
        raise ValueError("as asked")
    session.sql("INSERT INTO log SELECT SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_NAME')").collect()
    session.sql("CALL SYSTEM$SET_RETURN_VALUE('of the procedure')").collect()
    return {"done": True}
$$"""


def test_a_procedure_takes_part_in_the_run_of_the_task_that_calls_it() -> None:
    with LocalAccount() as account, account.connect() as connection:

        def run(*statements: str) -> list[tuple[object, ...]]:
            rows: list[tuple[object, ...]] = []
            for sql in statements:
                rows = connection.cursor().execute(sql).fetchall()
            return rows

        run("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE TABLE log (what VARCHAR)", PROCEDURE)
        run(
            "CREATE TASK root WAREHOUSE = compute_wh SCHEDULE = '1 HOUR' AS CALL step(PARSE_JSON('{\"fail\": false}'))",
            "CREATE TASK child WAREHOUSE = compute_wh AFTER root "
            "WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT') <> 'SKIP' "
            "AS INSERT INTO log SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT')",
            "CREATE TASK bad WAREHOUSE = compute_wh AFTER root AS CALL step(PARSE_JSON('{\"fail\": true}'))",
            "SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('root')",
        )
        account.advance(3601)
        assert sorted(run("SELECT what FROM log")) == [("ROOT",), ("of the procedure",)]
        history = run(
            "SELECT name, state, return_value FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE query_id IS NOT NULL"
        )
        assert sorted(map(str, history)) == sorted(
            map(
                str,
                [("ROOT", "SUCCEEDED", "of the procedure"), ("BAD", "FAILED", None), ("CHILD", "SUCCEEDED", None)],
            )
        )
        inside = [entry.verb for entry in account.journal if entry.origin == "task D.S.ROOT"]
        assert inside == ["CALL", "INSERT", "CALL"]
        assert account.internal_errors == []
