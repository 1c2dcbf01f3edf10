"""Recording and verifying end to end: files in a bucket, a Python procedure in a graph, COPY FILES, EXECUTE TASK."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pinky_schema
import pytest
from pinky_local.account import LocalAccount
from pinky_schema.gold import Match, Verification, list_gold, record, verify
from pinky_schema.stage_facts import Facts

from pinky_core import Provider, make_registry
from pinky_core.testing import MemorySource

pytest.importorskip("snowflake.snowpark", reason="Snowpark is not installed here")

MANIFEST = """\
scope: schema
target: D.S
vars:
  stages: {bucket: 's3://acme', storage_integration: ACME, warehouse: W, viewer: NOBODY}
stages: [external_input_files, internal_exposed_files]
dag:
  version: VERSION
  trigger: {schedule: 5 MINUTES, files: external_input_files}
  steps:
  - {name: INGEST, procedure: INGEST}
resources:
  procedure:
  - name: INGEST
    arguments: [{name: WORK, type: VARIANT}]
    returns: VARIANT
    language: PYTHON
    runtime_version: "3.12"
    packages: [snowflake-snowpark-python]
    handler: ingest
    body: {file: ingest.py}
"""
PROCEDURE = """\
import json

from snowflake.snowpark.files import SnowflakeFile


def changed(rows):
    return rows


def ingest(session, work):
    outputs = []
    for file in work["new_files"]:
        with SnowflakeFile.open(file["scoped_url"], "rb") as stream:
            header, *rows = stream.read().decode().splitlines()
        path = f"client/{file['ref_flux_provider']}/{file['file_name']}"
        session.sql(
            f"COPY INTO '@{work['schema']}.INTERNAL_EXPOSED_FILES/{path}' FROM (SELECT V.VALUE::VARCHAR AS ROW_TEXT "
            "FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) V ORDER BY V.INDEX) "
            "FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE) SINGLE = TRUE OVERWRITE = TRUE HEADER = TRUE",
            params=[json.dumps(changed([row.upper() for row in rows]))],
        ).collect()
        outputs.append({"relative_path": path, "input_files": [file["relative_path"]]})
    call = f"CALL {work['schema']}.PUBLISH_FILES('internal_exposed_files', PARSE_JSON(?)::ARRAY, PARSE_JSON(?))"
    session.sql(call, params=[json.dumps(outputs), json.dumps(work)]).collect()
    return {"files": len(outputs)}
"""
REORDERED = PROCEDURE.replace("    return rows\n", "    return rows[::-1]\n", 1)
CHANGED = PROCEDURE.replace("    return rows\n", "    return [row.replace('2', 'two') for row in rows]\n", 1)
FAILING = PROCEDURE.replace("    return rows\n", "    return rows[1 / 0 :]\n", 1)


class World:
    """An account with a production schema that has processed two files, and a sandbox."""

    def __init__(self, account: LocalAccount, provider: Provider, bucket: Path) -> None:
        self.account, self.provider, self.bucket = account, provider, bucket
        self.now = 0.0

    def deploy(self, schema: str, env: str, procedure: str, version: str) -> None:
        files = {"manifest.yml": MANIFEST.replace("VERSION", f'"{version}"'), "ingest.py": procedure}
        report = self.provider.apply(MemorySource(files), target=schema, env=env)
        assert report.ok, report.failures

    def deliver(self, schema: str, name: str, text: str) -> None:
        database, _, schema = schema.lower().partition(".")
        file = self.bucket / "external_input_files" / database / schema / "hubspot" / "leads" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")

    def sleep(self, seconds: float) -> None:
        self.account.advance(seconds)
        self.now += seconds

    def verify(self, **values: bool) -> Verification:
        return verify(
            self.provider.session,
            "D.S",
            facts=Facts(env="DEV"),
            timeout=120.0,
            sleep=self.sleep,
            clock=lambda: self.now,
            **values,
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    bucket = tmp_path_factory.mktemp("bucket")
    with LocalAccount(buckets={"s3://acme": bucket}) as account, account.connect() as connection:
        for statement in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE SCHEMA D.PROD", "CREATE WAREHOUSE W",
            "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
            "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/')",
        ):  # fmt: skip
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"pinky_schema": pinky_schema}))
        made = World(account, provider, bucket)
        made.deploy("D.PROD", "PROD", PROCEDURE, "1.0")
        made.deliver("D.PROD", "a.csv", "h\nx1\nx2\n")
        made.deliver("D.PROD", "b.csv", "h\ny1\ny3\n")
        account.advance(301)
        yield made
        assert not account.internal_errors


def test_production_is_the_measure_for_every_later_version(world: World):
    world.deploy("D.S", "DEV", PROCEDURE, "1.0")
    recording = record(world.provider.session, "D.S", facts=Facts(env="DEV"), source="D.PROD")
    assert (recording.version, recording.skipped, recording.without_outputs) == ("1.0", (), ())
    gold = {row.input_path: row for row in list_gold(world.provider.session, "D.S")}
    assert sorted(gold) == ["hubspot/leads/a.csv", "hubspot/leads/b.csv"]
    assert gold["hubspot/leads/a.csv"].outputs[0].path == "client/leads/a.csv"

    unchanged = world.verify()
    assert unchanged.ok, unchanged.rows
    assert unchanged.counts == {"equal": 2}
    assert world.verify().ok  # the same inputs, once more

    world.deploy("D.S", "DEV", CHANGED, "1.1")
    changed = world.verify()
    assert [(row.input_path, row.output, row.match) for row in changed.failures] == [
        ("hubspot/leads/a.csv", "internal_exposed_files/client/leads/a.csv", Match.CHANGED)
    ]
    assert changed.found_versions == ("1.1",)

    world.deploy("D.S", "DEV", REORDERED, "1.2")
    reordered = world.verify()
    assert reordered.counts == {"reordered": 2}
    assert not reordered.ok
    assert world.verify(allow_reordered=True).ok

    world.deploy("D.S", "DEV", FAILING, "1.3")
    failed = world.verify()
    assert {row.match for row in failed.rows} == {Match.INPUT_FAILED}
    assert all("Error" in row.error for row in failed.rows)

    world.deploy("D.S", "DEV", PROCEDURE, "1.4")
    assert world.verify().ok
