"""The section ``stages``: slots become ordinary resources, facts of the environment are checked, others add slots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pinky_schema
import pytest
from pinky_local.account import LocalAccount
from pinky_schema import Kept, Slot

from pinky_core import DiagnosticsError, Provider, hookimpl, make_registry, validate_manifest
from pinky_core.testing import MemorySource

FACTS = "vars:\n  stages: {bucket: 's3://acme', storage_integration: ACME, warehouse: W, viewer: NOBODY}\n"
HEAD = "scope: schema\ntarget: D.Client_A\n"
ALL = "stages: [external_input_files, external_output_files, internal_exposed_files, resources_static]\n"


def declared(text: str, *, env: str | None = None, **plugins: Any) -> dict[str, Any]:
    registry = make_registry({"pinky_schema": pinky_schema, **plugins})
    desired = validate_manifest(MemorySource({"manifest.yml": HEAD + text}), registry, env=env)
    return {str(each.address): each for each in desired.resources}


def mistakes(text: str, **plugins: Any) -> list[str]:
    with pytest.raises(DiagnosticsError) as caught:
        declared(text, **plugins)
    placed = [each for each in caught.value.diagnostics if each.location]
    return [f"{each.location.line}:{each.location.column} {each.summary} {each.hint}" for each in placed]


def test_naming_a_slot_is_all_the_configuration_there_is():
    found = declared(FACTS + ALL)
    names = {name.split("(")[0]: each.origin for name, each in found.items()}
    assert {name for name, origin in names.items() if origin == "slot external_input_files"} == {
        "stage D.CLIENT_A.EXTERNAL_INPUT_FILES",
        "table D.CLIENT_A.EXTERNAL_INPUT_FILES_REGISTRY",
        "stream D.CLIENT_A.EXTERNAL_INPUT_FILES_STREAM",
        "task D.CLIENT_A.POLL_AND_DISPATCH",
    }
    assert names["stage D.CLIENT_A.RESOURCES_STATIC"] == "slot resources_static"
    assert "table D.CLIENT_A.RESOURCES_STATIC_REGISTRY" not in names
    assert {"table D.CLIENT_A.RUNS", "table D.CLIENT_A.RUN_STEPS", "table D.CLIENT_A.GOLD"} <= set(names)
    assert {"procedure D.CLIENT_A.POLL_AND_DISPATCH", "procedure D.CLIENT_A.PUBLISH_FILES"} <= set(names)


@pytest.mark.parametrize(
    ("bucket", "url"),
    [
        ("s3://acme", "s3://acme/external_input_files/d/client_a/"),
        ("gcs://acme/landing/", "gcs://acme/landing/external_input_files/d/client_a/"),
        (
            "azure://acme.blob.core.windows.net/files",
            "azure://acme.blob.core.windows.net/files/external_input_files/d/client_a/",
        ),
    ],
)
def test_the_url_follows_from_the_bucket_and_the_target_on_every_cloud(bucket: str, url: str):
    text = f"vars:\n  stages: {{bucket: '{bucket}', storage_integration: A}}\nstages: [external_input_files]\n"
    stage = declared(text)["stage D.CLIENT_A.EXTERNAL_INPUT_FILES"].body
    assert (stage.url, str(stage.storage_integration)) == (url, "A")


def test_registries_of_outputs_have_both_hashes_and_those_of_inputs_the_claim():
    found = declared(FACTS + ALL)
    columns = {
        slot: [str(column.name) for column in found[f"table D.CLIENT_A.{slot}_REGISTRY"].body.columns]
        for slot in ("EXTERNAL_INPUT_FILES", "EXTERNAL_OUTPUT_FILES", "INTERNAL_EXPOSED_FILES")
    }
    assert columns["EXTERNAL_INPUT_FILES"] == [
        "RELATIVE_PATH", "PROVIDER_REF", "REF_FLUX_PROVIDER", "FILE_NAME", "SIZE", "MD5", "ETAG", "LAST_MODIFIED",
        "FIRST_SEEN_AT", "STATUS", "RUN_ID", "ATTEMPTS", "ERROR", "CLAIMED_BY", "CLAIMED_AT", "LEASE_UNTIL",
        "FINISHED_AT",
    ]  # fmt: skip
    assert columns["EXTERNAL_OUTPUT_FILES"] == [
        "RELATIVE_PATH", "CONSUMER_REF", "REF_FLUX_CONSUMER", "FILE_NAME", "SIZE", "MD5", "ETAG", "LAST_MODIFIED",
        "FIRST_SEEN_AT", "STATUS", "RUN_ID", "ATTEMPTS", "ERROR", "HASH_SORTED", "HASH_RAW", "SP_VERSION",
        "INPUT_FILES",
    ]  # fmt: skip
    assert columns["INTERNAL_EXPOSED_FILES"] == columns["EXTERNAL_OUTPUT_FILES"]


def test_whoever_may_look_reads_registries_and_exposed_files():
    facts = "vars:\n  stages: {bucket: 's3://acme', storage_integration: A}\n"
    grants = sorted(name for name in declared(facts + ALL) if name.startswith("grant"))
    assert "grant READ ON STAGE D.CLIENT_A.INTERNAL_EXPOSED_FILES TO DATABASE ROLE D.VIEWER" in grants
    assert "grant SELECT ON TABLE D.CLIENT_A.EXTERNAL_INPUT_FILES_REGISTRY TO DATABASE ROLE D.VIEWER" in grants
    assert not any("STAGE D.CLIENT_A.EXTERNAL" in name for name in grants)
    role = "vars:\n  stages: {viewer: role analyst}\nstages: [internal_exposed_files]\n"
    assert "grant READ ON STAGE D.CLIENT_A.INTERNAL_EXPOSED_FILES TO ROLE ANALYST" in declared(role)


def test_the_poller_runs_on_a_schedule_or_on_the_stream():
    task = declared(FACTS + "stages:\n- external_input_files: {procedure: INGEST, schedule: 2 HOURS}\n")
    body = task["task D.CLIENT_A.POLL_AND_DISPATCH"].body
    assert str(body.schedule) == "2 HOURS"
    assert '"procedure": "INGEST"' in body.definition
    assert '"refresh": true' in body.definition
    triggered = declared(FACTS + "stages:\n- external_input_files: {trigger: stream, procedure: INGEST}\n")
    body = triggered["task D.CLIENT_A.CONSUME_STREAM"].body
    assert body.when == "SYSTEM$STREAM_HAS_DATA('D.CLIENT_A.EXTERNAL_INPUT_FILES_STREAM')"
    assert '"refresh": false' in body.definition
    assert triggered["stage D.CLIENT_A.EXTERNAL_INPUT_FILES"].body.directory.auto_refresh is True
    assert "task D.CLIENT_A.POLL_AND_DISPATCH" not in triggered


def test_gold_exists_in_no_production_schema():
    assert "table D.CLIENT_A.GOLD" in declared(FACTS + ALL, env="SANDBOX")
    assert "table D.CLIENT_A.GOLD" not in declared(FACTS + ALL, env="prod")
    own = FACTS.replace("viewer: NOBODY", "viewer: NOBODY, production: LIVE")
    assert "table D.CLIENT_A.GOLD" not in declared(own + ALL, env="LIVE")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FACTS + "stages: [external_inputs]\n", "5:10 0: 'external_inputs' is not allowed"),
        (FACTS + "stages:\n- external_input_files: {shedule: 5 MINUTES}\n", "6:26 unknown field 'shedule'"),
        (FACTS + "stages: [resources_static, resources_static]\n", "5:28 stages: the slot resources_static stands"),
        ("stages: [external_output_files]\n", "3:10 stages: external_output_files lies in cloud storage: give"),
        ("vars:\n  stages: {buckt: x}\nstages: [resources_static]\n", "unknown fact 'buckt'. Did you mean 'bucket'?"),
        ("vars:\n  stages: {bucket: acme}\nstages: [resources_static]\n", "'acme' is no place in cloud storage"),
        ("vars:\n  stages: {viewer: VIEWER}\nstages: [internal_exposed_files]\n", "'VIEWER' is none of ROLE name"),
    ],
)  # fmt: skip
def test_every_mistake_has_a_place(text: str, told: str):
    found = mistakes(text)
    assert any(told in each for each in found), found


def test_all_missing_facts_are_told_at_once():
    found = mistakes("stages: [external_input_files, external_output_files]\n")
    assert len(found) == 4


def test_slots_need_one_schema():
    registry = make_registry({"pinky_schema": pinky_schema})
    source = MemorySource({"manifest.yml": "scope: account\nstages: [resources_static]\n"})
    with pytest.raises(DiagnosticsError, match="slots lie in one schema"):
        validate_manifest(source, registry)


class Archive:
    @hookimpl
    def pinky_stage_slots(self) -> list[Slot]:
        return [Slot(name="archive_files", doc="What is kept.", kept=Kept.INTERNAL, registry=True)]


def test_hook_stage_slots_adds_a_slot_that_works_like_the_four():
    found = declared(FACTS + "stages: [archive_files]\n", archive=Archive())
    assert found["stage D.CLIENT_A.ARCHIVE_FILES"].origin == "slot archive_files"
    assert "table D.CLIENT_A.ARCHIVE_FILES_REGISTRY" in found
    near = mistakes(FACTS + "stages: [archive_file]\n", archive=Archive())
    assert "archive_files" in near[0]
    schema = make_registry({"pinky_schema": pinky_schema, "archive": Archive()}).section_schemas()["stages"]
    assert "archive_files" in str(schema)


def test_two_plugins_claiming_one_slot_are_both_named():
    registry = make_registry({"pinky_schema": pinky_schema, "one": Archive(), "two": Archive()})
    with pytest.raises(Exception, match="one and two both define the slot 'archive_files'"):
        registry.section_schemas()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with LocalAccount() as account, account.connect() as connection:
        for statement in (
            "CREATE DATABASE D", "CREATE SCHEMA D.CLIENT_A", "CREATE WAREHOUSE W", "CREATE DATABASE ROLE D.VIEWER",
            "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
            "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/')",
        ):  # fmt: skip
            connection.cursor().execute(statement)
        yield Provider(connection, registry=make_registry({"pinky_schema": pinky_schema}))
        assert not account.internal_errors


def test_a_second_plan_is_empty_and_a_slot_taken_away_loses_nothing(provider: Provider):
    text = HEAD + FACTS.replace(", viewer: NOBODY", "")
    whole = MemorySource({"manifest.yml": text + ALL})
    report = provider.apply(provider.plan(whole))
    assert report.ok, report.failures
    again = provider.plan(whole)
    assert again.empty, [(str(change.address), change.fields) for change in again.changes]
    fewer = MemorySource({"manifest.yml": text + "stages: [internal_exposed_files]\n"})
    assert {(each.address.kind, each.action.value) for each in provider.plan(fewer).changes} == {("view", "replace")}
    pruned = provider.plan(fewer, prune=True)
    risks = {str(change.address): change.risk.value for change in pruned.changes}
    assert risks["table D.CLIENT_A.EXTERNAL_INPUT_FILES_REGISTRY"] == "destructive"
    with pytest.raises(Exception, match="destructive"):
        provider.apply(pruned)


def test_a_task_that_no_manifest_declares_any_more_is_warned_about(provider: Provider):
    text = HEAD + FACTS + "stages: [external_input_files]\n"
    assert provider.apply(provider.plan(MemorySource({"manifest.yml": text}))).ok
    other = HEAD + FACTS + "resources:\n  task: [{name: T, definition: SELECT 1}]\n"
    plan = provider.plan(MemorySource({"manifest.yml": other}))
    assert [each.code for each in plan.diagnostics] == ["task-left-behind"]
    assert provider.plan(MemorySource({"manifest.yml": other}), prune=True).diagnostics == ()


def test_a_schema_without_an_input_slot_has_no_runs_and_no_gold():
    found = declared(FACTS + "stages: [external_output_files, internal_exposed_files]\n")
    assert "procedure D.CLIENT_A.PUBLISH_FILES(VARCHAR, ARRAY, VARIANT)" in found
    assert {"table D.CLIENT_A.RUNS", "table D.CLIENT_A.GOLD"} & set(found) == set()
    assert not any("POLL_AND_DISPATCH" in name for name in found)


def test_stages_in_snowflake_can_be_read_by_url():
    found = declared(FACTS + ALL)
    for name in ("INTERNAL_EXPOSED_FILES", "RESOURCES_STATIC"):
        assert str(found[f"stage D.CLIENT_A.{name}"].body.encryption.type) == "SNOWFLAKE_SSE"
