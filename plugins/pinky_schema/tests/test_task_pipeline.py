"""Stage, stream, procedure and task together: the shape of a dispatch, in dependency order, with nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pinky_schema
import pytest
from pinky_local.account import LocalAccount
from pinky_schema.task import Task

from pinky_core import Provider, Source, make_registry
from pinky_core.testing import Laboratory

PIPELINE: dict[str, list[dict[str, Any]]] = {
    "task": [
        {
            "name": "consume",
            "warehouse": "w",
            "when": "SYSTEM$STREAM_HAS_DATA('D.S.ARRIVALS')",
            "definition": "CALL D.S.DISPATCH(1)",
            "state": "started",
        },
    ],
    "stream": [{"name": "arrivals", "on_stage": "files"}],
    "procedure": [
        {
            "name": "dispatch",
            "arguments": [{"name": "n", "type": "int"}],
            "returns": "variant",
            "language": "python",
            "runtime_version": "3.11",
            "packages": ["snowflake-snowpark-python"],
            "imports": ["@files/lib.py"],
            "handler": "main",
            "body": "def main(session, n):\n    return {}\n",
        }
    ],
    "stage": [{"name": "files", "directory": {"enable": True}}],
}


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE WAREHOUSE W"):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"schema": pinky_schema}))
        yield Laboratory(provider, "schema", "D.S")
        assert not account.internal_errors


def test_pipeline_is_made_in_order_and_then_unchanged(laboratory: Laboratory) -> None:
    plan = laboratory.plan(PIPELINE)
    kinds = [change.address.kind for change in plan.changes]
    assert kinds.index("stage") < kinds.index("stream") < kinds.index("task")
    assert kinds.index("stage") < kinds.index("procedure") < kinds.index("task")
    laboratory.apply(plan)
    assert laboratory.plan(PIPELINE).empty
    (row,) = laboratory.provider.session.execute("SHOW TASKS IN SCHEMA D.S")
    assert row["state"] == "started"


def test_number_of_statements_does_not_grow_with_what_is_listed(laboratory: Laboratory) -> None:
    from pinky_core.read import Reader, Wanted

    streams = [{"name": f"s{i}", "on_stage": "files"} for i in range(20)]
    many = {**PIPELINE, "stream": [*PIPELINE["stream"], *streams]}
    laboratory.apply(laboratory.plan(many))
    for kind in ("stream", "task"):
        wanted = [Wanted(a, frozenset({"comment"})) for a in laboratory.addresses(many) if a.kind == kind]
        with Reader(laboratory.provider.session) as reader:
            found = laboratory.provider.registry.kinds[kind].read(reader, wanted)
            assert {each.address for each in wanted} == set(found)
            assert reader.statements == 1


def test_task_comes_after_what_the_json_of_its_call_names(laboratory: Laboratory) -> None:
    call = """CALL D.S.WRAPPER(PARSE_JSON('{"procedure": "D.S.WORK", "sql": "INSERT INTO D.S.T SELECT ''x''"}'))"""
    body = {"language": "SQL", "returns": "VARCHAR", "body": "BEGIN RETURN 'x'; END"}
    plan = laboratory.plan(
        {
            "task": [{"name": "a", "schedule": "5 MINUTES", "definition": call}],
            "procedure": [{"name": "work", **body}],
            "table": [{"name": "t", "columns": [{"name": "x", "type": "VARCHAR"}]}],
        }
    )
    assert [str(change.address) for change in plan.changes][-1] == "task D.S.A"
    assert {str(need) for need in plan.changes[-1].needs} == {"procedure D.S.WORK()", "table D.S.T"}


PARAMETERS: dict[str, Any] = {
    "serverless_task_min_statement_size": "SMALL",
    "serverless_task_max_statement_size": "x2large",
    "user_task_managed_initial_warehouse_size": "LARGE",
    "user_task_timeout_ms": 1,
    "suspend_task_after_num_failures": 2,
    "task_auto_retry_attempts": 3,
    "user_task_minimum_trigger_interval_in_seconds": 15,
    "log_level": "warn",
    "query_tag": "it's a \\ tag",
    "timezone": "Europe/Paris",
    "statement_timeout_in_seconds": 5,
    "statement_queued_timeout_in_seconds": 6,
    "lock_timeout": 7,
    "abort_detached_query": True,
    "autocommit": True,
    "error_on_nondeterministic_merge": False,
    "error_on_nondeterministic_update": True,
    "multi_statement_count": 0,
    "quoted_identifiers_ignore_case": True,
    "rows_per_resultset": 10,
    "use_cached_result": False,
    "transaction_abort_on_error": True,
    "timestamp_type_mapping": "TIMESTAMP_LTZ",
    "date_input_format": "YYYY-MM-DD",
    "date_output_format": "DD/MM/YYYY",
    "time_input_format": "HH24:MI",
    "time_output_format": "HH24:MI",
    "timestamp_input_format": "YYYY-MM-DD",
    "timestamp_output_format": "YYYY-MM-DD",
    "binary_input_format": "BASE64",
    "binary_output_format": "BASE64",
    "two_digit_century_start": 2000,
    "week_of_year_policy": 1,
    "week_start": 3,
}


def test_every_parameter_is_set_read_and_unset(laboratory: Laboratory) -> None:
    fields = {field.name for field in Task.spec.fields if field.source is Source.PARAMETER}
    assert fields == set(PARAMETERS)
    base = {"name": "t", "definition": "SELECT 1", "schedule": "5 MINUTES"}
    for values in (PARAMETERS, dict.fromkeys(PARAMETERS), PARAMETERS):
        document = {"task": [{**base, **values}]}
        laboratory.apply(laboratory.plan(document))
        again = laboratory.plan(document)
        assert again.empty, [change.fields for change in again.changes]
