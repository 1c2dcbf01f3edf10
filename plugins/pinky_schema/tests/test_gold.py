"""Recording and verifying on the tables of a local account.

What a graph does is played by `Pipeline`: it copies files between stages, and where the root task is executed it enters
the inputs and the outputs of a business procedure into the registries, as the runtime does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pinky_schema
import pytest
from pinky_local.account import LocalAccount
from pinky_schema.gold import GoldError, Match, Verification, environment, list_gold, record, verify
from pinky_schema.stage_facts import Facts

from pinky_core import Provider, Rows, Session, StatementError, make_registry, string_literal
from pinky_core.testing import MemorySource

FACTS = "  stages: {bucket: 's3://acme', storage_integration: ACME, warehouse: W, viewer: NOBODY}\n"
MANIFEST = "scope: schema\ntarget: D.S\nvars:\n" + FACTS + (
    "stages:\n- external_input_files: {procedure: INGEST}\n- external_output_files\n- internal_exposed_files\n"
)  # fmt: skip
DEV = Facts(env="DEV")
Procedure = Callable[[str], dict[tuple[str, str], str]]  # content of an input → content of outputs by slot and path


def one_output(content: str) -> dict[tuple[str, str], str]:
    name = content.split(",")[0]
    return {("external_output_files", f"client/export/{name}.csv"): content.upper()}


class Pipeline:
    """A session whose stages hold texts, and in which executing the root task runs a procedure over new files."""

    concurrency = 1

    def __init__(self, session: Session) -> None:
        self.session = session
        self.statements: list[str] = []
        self.files: dict[str, dict[str, str]] = {}
        self.procedures: dict[str, Procedure] = {"D.S": one_output, "D.PROD": one_output}
        self.version = "1.0"
        self.runs = 0
        self.batch = 1000
        self.broken = ""  # what the root task fails with
        self.bad: dict[str, str] = {}  # inputs that fail, with their errors
        self.history: list[tuple[str, str]] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        self.statements.append(statement)
        if statement.startswith("COPY FILES"):
            return self.copy(statement)
        if found := re.match(r"EXECUTE TASK (.*)\.(\w+)\Z", statement):
            self.run(found[1])
            return Rows(("status",), [("scheduled",)])
        if "TASK_HISTORY(" in statement:
            return Rows(("state", "error_message"), self.history[-1:])
        return self.session.execute(statement, parameters)

    def stage(self, location: str) -> dict[str, str]:
        return self.files.setdefault(location.rstrip("/"), {})

    def copy(self, statement: str) -> Rows:
        found = re.fullmatch(
            r"COPY FILES INTO '([^']*)' FROM '([^']*)' FILES = \((.*)\) DETAILED_OUTPUT = TRUE", statement
        )
        assert found is not None, statement
        names = [name for name in re.findall(r"'([^']*)'", found[3]) if name in self.stage(found[2])]
        self.stage(found[1]).update({name: self.stage(found[2])[name] for name in names})
        return Rows(("file",), [(name,) for name in names])

    def land(self, schema: str, **files: str) -> None:
        self.stage(f"@{schema}.EXTERNAL_INPUT_FILES").update({f"p/{name}.csv": text for name, text in files.items()})

    def run(self, schema: str) -> None:
        if self.broken:
            self.history.append(("FAILED", self.broken))
            return
        registry = f"{schema}.EXTERNAL_INPUT_FILES_REGISTRY"
        known = {row[0] for row in self.session.execute(f"SELECT RELATIVE_PATH FROM {registry}").values}
        files = self.stage(f"@{schema}.EXTERNAL_INPUT_FILES")
        new = sorted(set(files) - known)[: self.batch]
        if not new:
            self.history.append(("SUCCEEDED", ""))
            return
        self.runs += 1
        run_id = f"run-{schema}-{self.runs}"
        version = "NULL" if not self.version else string_literal(self.version)
        self.session.execute(
            f"INSERT INTO {schema}.RUNS (RUN_ID, ATTEMPT, SP_VERSION, STATUS, FILES) "
            f"SELECT '{run_id}', 1, {version}, 'DONE', {len(new)}"
        )
        for path in new:
            error = self.bad.get(path)
            self.enter(schema, path, "PARKED" if error else "DONE", run_id, error)
            for (slot, output), text in ({} if error else self.procedures[schema](files[path])).items():
                self.publish(schema, slot, output, text, run_id, [path])
        self.history.append(("SUCCEEDED", ""))

    def enter(self, schema: str, path: str, status: str, run_id: str, error: str | None = None) -> None:
        text = "NULL" if error is None else string_literal(error)
        self.session.execute(
            f"INSERT INTO {schema}.EXTERNAL_INPUT_FILES_REGISTRY (RELATIVE_PATH, FILE_NAME, ETAG, STATUS, RUN_ID, "
            "ATTEMPTS, ERROR, FIRST_SEEN_AT, FINISHED_AT, LEASE_UNTIL) SELECT "
            f"{string_literal(path)}, 'x', 'e', '{status}', '{run_id}', 1, {text}, CURRENT_TIMESTAMP(), "
            "CURRENT_TIMESTAMP(), DATEADD(SECOND, 60, CURRENT_TIMESTAMP())"
        )

    def publish(self, schema: str, slot: str, path: str, text: str, run_id: str, inputs: list[str]) -> None:
        raw, by_rows = (hashlib.sha256(each.encode()).hexdigest() for each in (text, "".join(sorted(text.split(";")))))
        registry = f"{schema}.{slot.upper()}_REGISTRY"
        made_of = f"PARSE_JSON('{json.dumps(inputs)}')::ARRAY"
        self.session.execute(
            f"MERGE INTO {registry} R USING (SELECT {string_literal(path)} AS P, '{raw}' AS E) S "
            "ON R.RELATIVE_PATH = S.P AND R.ETAG = S.E "
            f"WHEN MATCHED THEN UPDATE SET RUN_ID = '{run_id}', INPUT_FILES = {made_of} "
            "WHEN NOT MATCHED THEN INSERT (RELATIVE_PATH, ETAG, STATUS, RUN_ID, ATTEMPTS, HASH_RAW, HASH_SORTED, "
            "SP_VERSION, INPUT_FILES, LAST_MODIFIED) VALUES (S.P, S.E, 'PUBLISHED', "
            f"'{run_id}', 1, '{raw}', '{by_rows}', {string_literal(self.version)}, {made_of}, "
            "CURRENT_TIMESTAMP())"
        )


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self.on_sleep()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """An account with a sandbox and a production schema."""
    with LocalAccount() as account, account.connect() as connection:
        for statement in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE SCHEMA D.PROD", "CREATE WAREHOUSE W",
            "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
            "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/')",
        ):  # fmt: skip
            connection.cursor().execute(statement)
        made = Provider(connection, registry=make_registry({"pinky_schema": pinky_schema}))
        for target, env in (("D.S", "DEV"), ("D.PROD", "PROD")):
            report = made.apply(MemorySource({"manifest.yml": MANIFEST}), target=target, env=env)
            assert report.ok, report.failures
        yield made
        assert not account.internal_errors


@pytest.fixture
def pipeline(provider: Provider) -> Pipeline:
    tables = ("RUNS", "EXTERNAL_INPUT_FILES_REGISTRY", "EXTERNAL_OUTPUT_FILES_REGISTRY")
    for name in (*(f"{schema}.{table}" for schema in ("D.S", "D.PROD") for table in tables), "D.S.GOLD"):
        provider.session.execute(f"DELETE FROM {name}")
    return Pipeline(provider.session)


def produced(pipeline: Pipeline, **files: str) -> None:
    """Production has processed these files."""
    pipeline.land("D.PROD", **files)
    pipeline.run("D.PROD")
    pipeline.statements.clear()


def verified(pipeline: Pipeline, **values: Any) -> Verification:
    clock = values.pop("clock", None) or Clock()
    return verify(pipeline, "D.S", facts=DEV, clock=clock, sleep=clock.sleep, **values)


def lines(found: Verification) -> list[tuple[str, str, str]]:
    return [(row.input_path, row.output, row.match.value) for row in found.rows]


def test_a_production_run_becomes_the_measure_and_an_unchanged_procedure_passes(pipeline: Pipeline):
    produced(pipeline, a="a,1;b,2", b="b,1")
    recording = record(pipeline, "D.S", facts=DEV, source="D.PROD")
    assert (recording.version, recording.skipped, recording.left_out, recording.warnings) == ("1.0", (), 0, ())
    assert not any("INTO D.PROD" in text or "FROM D.PROD.GOLD" in text for text in pipeline.statements)
    rows = list_gold(pipeline, "D.S")
    assert [(row.version, row.input_path, row.recorded_from) for row in rows] == [
        ("1.0", "p/a.csv", "D.PROD"),
        ("1.0", "p/b.csv", "D.PROD"),
    ]
    (output,) = rows[0].outputs
    assert (output.slot, output.path) == ("external_output_files", "client/export/a.csv")
    assert output.hash_raw == hashlib.sha256(b"A,1;B,2").hexdigest()
    assert pipeline.stage("@D.S.GOLD_INPUTS/1.0") == {"p/a.csv": "a,1;b,2", "p/b.csv": "b,1"}

    found = verified(pipeline)
    assert found.ok
    assert found.counts == {"equal": 2}
    assert (found.version, found.found_versions) == ("1.0", ("1.0",))
    again = verified(pipeline)
    assert (again.ok, pipeline.runs) == (True, 3)


def test_changed_reordered_missing_and_unexpected_are_told_apart(pipeline: Pipeline):
    produced(pipeline, a="a,1", b="b,1;b,2", c="c,1", d="d,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    out = "external_output_files"

    def changed(content: str) -> dict[tuple[str, str], str]:
        name = content[0]
        texts = {
            "a": {(out, "client/export/a.csv"): "A,2"},
            "b": {(out, "client/export/b.csv"): "B,2;B,1"},
            "c": {},
            "d": {(out, "client/export/d.csv"): "D,1", ("internal_exposed_files", "x"): "new"},
        }
        return texts[name]

    pipeline.procedures["D.S"] = changed
    pipeline.version = "2.0"
    found = verified(pipeline)
    assert lines(found) == [
        ("p/a.csv", f"{out}/client/export/a.csv", "changed"),
        ("p/b.csv", f"{out}/client/export/b.csv", "reordered"),
        ("p/c.csv", f"{out}/client/export/c.csv", "missing"),
        ("p/d.csv", f"{out}/client/export/d.csv", "equal"),
        ("p/d.csv", "internal_exposed_files/x", "unexpected"),
    ]
    assert not found.ok
    assert (found.version, found.found_versions) == ("1.0", ("2.0",))
    assert verified(pipeline, inputs="p/b*", allow_reordered=True).ok
    assert not verified(pipeline, inputs="p/b*").ok


@pytest.mark.parametrize("environment_name", ["PROD", "prod", "LIVE"])
def test_production_is_refused_before_any_statement(pipeline: Pipeline, environment_name: str):
    facts = Facts(env=environment_name, production=("PROD", "LIVE"))
    with pytest.raises(GoldError, match=f"refused in production, and {environment_name} is production"):
        record(pipeline, "D.S", facts=facts)
    with pytest.raises(GoldError, match="refused in production"):
        verify(pipeline, "D.S", facts=facts)
    assert pipeline.statements == []


def test_an_environment_without_a_name_is_allowed_with_a_warning(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    facts = environment({}, None)
    warned = record(pipeline, "D.S", facts=facts, source="D.PROD").warnings
    assert "has no name" in warned[0]
    clock = Clock()
    assert verify(pipeline, "D.S", facts=facts, clock=clock, sleep=clock.sleep).warnings == warned


def test_facts_with_mistakes_are_refused():
    with pytest.raises(GoldError, match="expected names of environments"):
        environment({"stages": {"production": {"a": 1}}}, "DEV")


def test_a_schema_without_gold_says_so(pipeline: Pipeline):
    with pytest.raises(GoldError, match=r"there is no table D\.PROD\.GOLD here"):
        list_gold(pipeline, "D.PROD")
    with pytest.raises(GoldError, match="there is no table"):
        record(pipeline, "D.PROD", facts=DEV)
    with pytest.raises(GoldError, match=r"nothing is recorded in D\.S\.GOLD"):
        verified(pipeline)
    with pytest.raises(GoldError, match="expected a schema"):
        list_gold(pipeline, "D")


def test_only_inputs_of_one_version_are_recorded_the_last_one_where_nobody_says(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    pipeline.version = "1.1"
    produced(pipeline, b="b,1")
    assert [row.input_path for row in record(pipeline, "D.S", facts=DEV, source="D.PROD").rows] == ["p/b.csv"]
    old = record(pipeline, "D.S", facts=DEV, source="D.PROD", version="1.0")
    assert [row.input_path for row in old.rows] == ["p/a.csv"]
    assert lines(verified(pipeline))[0][0] == "p/a.csv"  # 1.0 was recorded last
    assert lines(verified(pipeline, version="1.1"))[0][0] == "p/b.csv"
    with pytest.raises(GoldError, match=r"no version '3'; recorded are: 1\.0, 1\.1"):
        verified(pipeline, version="3")
    with pytest.raises(GoldError, match=r"version '3' has done; versions there: 1\.0, 1\.1"):
        record(pipeline, "D.S", facts=DEV, source="D.PROD", version="3")
    with pytest.raises(GoldError, match=r"no input like 'q/\*' that is done"):
        record(pipeline, "D.S", facts=DEV, source="D.PROD", inputs="q/*")


def test_runs_without_a_version_are_recorded_as_unversioned_or_as_they_are_called(pipeline: Pipeline):
    pipeline.version = ""
    produced(pipeline, a="a,1")
    assert record(pipeline, "D.S", facts=DEV, source="D.PROD").version == "unversioned"
    assert record(pipeline, "D.S", facts=DEV, source="D.PROD", version="before").version == "before"
    assert [row.version for row in list_gold(pipeline, "D.S")] == ["before", "unversioned"]
    assert verified(pipeline).found_versions == ("unversioned",)


def test_recording_again_replaces_and_inputs_that_left_their_slot_are_told(pipeline: Pipeline):
    produced(pipeline, a="a,1", b="b,1")
    first = record(pipeline, "D.S", facts=DEV, source="D.PROD")
    produced(pipeline, c="c,1")
    for name in ("b", "c"):
        del pipeline.stage("@D.PROD.EXTERNAL_INPUT_FILES")[f"p/{name}.csv"]
    second = record(pipeline, "D.S", facts=DEV, source="D.PROD")
    left = "it is not in D.PROD.EXTERNAL_INPUT_FILES any more"
    assert second.skipped == (("p/b.csv", f"{left}; what was recorded before stays"), ("p/c.csv", left))
    assert (len(first.rows), second.rows) == (2, first.rows[:1])
    assert [(row.input_path, row.outputs) for row in list_gold(pipeline, "D.S")] == [
        (row.input_path, row.outputs) for row in first.rows
    ]
    assert verified(pipeline).ok


def test_the_latest_inputs_are_taken_where_there_are_more_than_the_limit(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    produced(pipeline, b="b,1")
    found = record(pipeline, "D.S", facts=DEV, source="D.PROD", limit=1)
    assert ([row.input_path for row in found.rows], found.left_out) == (["p/b.csv"], 1)


def test_an_input_whose_newest_version_is_not_done_is_not_recorded(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    pipeline.session.execute(
        "INSERT INTO D.PROD.EXTERNAL_INPUT_FILES_REGISTRY (RELATIVE_PATH, ETAG, STATUS, FIRST_SEEN_AT) "
        "SELECT 'p/a.csv', 'e2', 'NEW', DATEADD(SECOND, 1, CURRENT_TIMESTAMP())"
    )
    with pytest.raises(GoldError, match="has no input that is done"):
        record(pipeline, "D.S", facts=DEV, source="D.PROD")


def test_an_input_that_makes_nothing_is_recorded_and_told(pipeline: Pipeline):
    pipeline.procedures["D.PROD"] = pipeline.procedures["D.S"] = lambda content: {}
    produced(pipeline, a="a,1")
    assert record(pipeline, "D.S", facts=DEV, source="D.PROD").without_outputs == ("p/a.csv",)
    assert lines(verified(pipeline)) == [("p/a.csv", "(no outputs)", "equal")]


def test_an_input_that_fails_is_told_with_its_error(pipeline: Pipeline):
    produced(pipeline, a="a,1", b="b,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    pipeline.bad["p/a.csv"] = "division by zero"
    found = verified(pipeline)
    assert [(row.match, row.error) for row in found.rows] == [
        (Match.INPUT_FAILED, "division by zero"),
        (Match.EQUAL, ""),
    ]


def test_a_root_that_fails_before_it_takes_anything_ends_the_waiting(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    pipeline.broken = "Unknown function HASH_RAW"
    clock = Clock()
    (row,) = verified(pipeline, clock=clock).rows
    assert row.match is Match.NOT_PROCESSED
    assert row.error == "it was not registered; the task POLL_AND_DISPATCH failed: Unknown function HASH_RAW"
    assert clock.slept == []


def test_waiting_ends_with_the_time_and_its_pauses_grow(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    pipeline.run = lambda schema: pipeline.history.append(("SKIPPED", ""))  # type: ignore[method-assign]
    clock = Clock()
    (row,) = verified(pipeline, clock=clock, timeout=100.0).rows
    assert row.error == (
        "it was not registered; 100 seconds were over; the last run of the task POLL_AND_DISPATCH is SKIPPED"
    )
    assert sum(clock.slept) == pytest.approx(100.0)
    assert clock.slept[:3] == [1.0, 1.5, 2.25]
    assert max(clock.slept) == 15.0
    assert sum(text.startswith("EXECUTE TASK") for text in pipeline.statements) == 2  # again after a minute


def test_the_root_runs_again_while_inputs_wait_for_it(pipeline: Pipeline):
    produced(pipeline, a="a,1", b="b,1", c="c,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    pipeline.batch = 1
    told: list[tuple[str, int, int]] = []
    found = verified(pipeline, on_progress=lambda *values: told.append(values))
    assert (found.ok, pipeline.runs) == (True, 4)
    assert told == [
        ("waiting for the graph", 1, 3),
        ("waiting for the graph", 2, 3),
        ("processed", 3, 3),
    ]


def test_what_another_run_holds_is_waited_for_and_left_alone(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    pipeline.enter("D.S", "p/a.csv", "CLAIMED", "other")
    with pytest.raises(GoldError, match="run other still holds some of the inputs; nothing was changed"):
        verified(pipeline, timeout=10.0)
    assert not any(text.startswith(("DELETE FROM D.S.EXTERNAL", "EXECUTE")) for text in pipeline.statements)

    clock = Clock()
    registry = "D.S.EXTERNAL_INPUT_FILES_REGISTRY"
    clock.on_sleep = lambda: pipeline.session.execute(f"UPDATE {registry} SET STATUS = 'DONE'")
    assert verified(pipeline, clock=clock).ok
    assert clock.slept == [1.0]


def test_a_claim_whose_lease_is_over_holds_nothing_up(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    pipeline.enter("D.S", "p/a.csv", "CLAIMED", "died")
    registry = "D.S.EXTERNAL_INPUT_FILES_REGISTRY"
    pipeline.session.execute(f"UPDATE {registry} SET LEASE_UNTIL = DATEADD(SECOND, -5, CURRENT_TIMESTAMP())")
    assert verified(pipeline).ok


def test_an_input_that_another_verification_began_anew_is_waited_for_again(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    inner = pipeline.session
    takes = [True]

    class Other:
        """Takes the row away between the last look at the states and the one at the outputs."""

        def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
            if "HASH_RAW" in statement and takes and takes.pop():
                inner.execute("DELETE FROM D.S.EXTERNAL_INPUT_FILES_REGISTRY")
            return inner.execute(statement, parameters)

    pipeline.session = Other()  # type: ignore[assignment]
    found = verified(pipeline)
    assert found.ok
    assert not takes


def test_a_reference_input_that_is_gone_is_told(pipeline: Pipeline):
    produced(pipeline, a="a,1", b="b,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    del pipeline.stage("@D.S.GOLD_INPUTS/1.0")["p/a.csv"]
    found = verified(pipeline)
    assert [row.match for row in found.rows] == [Match.NOT_PROCESSED, Match.EQUAL]
    assert found.rows[0].error == "the reference input is not in D.S.GOLD_INPUTS any more: record it again"


def test_the_root_task_is_found_or_named(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    record(pipeline, "D.S", facts=DEV, source="D.PROD")
    with pytest.raises(GoldError, match="has no root task NIGHTLY; root tasks: POLL_AND_DISPATCH"):
        verified(pipeline, root="NIGHTLY")
    with pytest.raises(GoldError, match="named without its schema"):
        verified(pipeline, root="D.S.POLL_AND_DISPATCH")
    execute = pipeline.session.execute
    execute(
        "CREATE TASK D.S.CONSUME_STREAM WAREHOUSE = W WHEN SYSTEM$STREAM_HAS_DATA('D.S.EXTERNAL_INPUT_FILES_STREAM') "
        "AS SELECT 1"
    )
    try:
        with pytest.raises(GoldError, match="both take files: name the root task"):
            verified(pipeline)
        assert verified(pipeline, root="poll_and_dispatch").ok
        assert not any("REFRESH" in text for text in pipeline.statements)
        started: list[str] = []
        pipeline.run = lambda schema: started.append(schema)  # type: ignore[method-assign]
        inner = pipeline.session

        class Refreshing:
            """The stages of this test are no files, so nothing is there to refresh."""

            def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
                if statement == "ALTER STAGE D.S.EXTERNAL_INPUT_FILES REFRESH":
                    assert not started
                    return Rows((), [])
                return inner.execute(statement, parameters)

        pipeline.session = Refreshing()  # type: ignore[assignment]
        verified(pipeline, root="CONSUME_STREAM", timeout=5.0)
        assert started == ["D.S"]
        assert "ALTER STAGE D.S.EXTERNAL_INPUT_FILES REFRESH" in pipeline.statements
    finally:
        execute("DROP TASK D.S.CONSUME_STREAM")


def test_names_and_texts_with_quotes_are_only_data(pipeline: Pipeline):
    out = ("external_output_files", "c'l/x \\ y.csv")
    pipeline.procedures["D.PROD"] = pipeline.procedures["D.S"] = lambda content: {out: content}
    pipeline.version = "it's 1\\0"
    produced(pipeline, a="a,1")
    assert record(pipeline, "D.S", facts=DEV, source="D.PROD").version == "it's 1\\0"
    (row,) = list_gold(pipeline, "D.S")
    assert (row.version, row.outputs[0].path) == ("it's 1\\0", "c'l/x \\ y.csv")
    assert verified(pipeline, version="it's 1\\0").ok


def test_many_rows_are_written_by_statements_of_bounded_size(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pinky_schema.gold_record._STATEMENT_SIZE", 1000)
    produced(pipeline, **{f"f{number}": f"f{number},1" for number in range(6)})
    assert len(record(pipeline, "D.S", facts=DEV, source="D.PROD").rows) == 6
    merges = [text for text in pipeline.statements if text.startswith("MERGE INTO D.S.GOLD")]
    assert 1 < len(merges) <= 6
    assert max(len(text) for text in merges) < 1700
    assert len(list_gold(pipeline, "D.S")) == 6


def test_a_refused_statement_is_not_swallowed(pipeline: Pipeline):
    produced(pipeline, a="a,1")
    refused = StatementError("no", errno=3001, statement="COPY FILES")

    def refuse(statement: str) -> Rows:
        raise refused

    pipeline.copy = refuse  # type: ignore[method-assign]
    with pytest.raises(StatementError):
        record(pipeline, "D.S", facts=DEV, source="D.PROD")
    assert list_gold(pipeline, "D.S") == []
