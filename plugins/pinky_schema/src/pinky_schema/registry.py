"""Registries: the table beside a slot's stage that has one row for each version of each file.

A version of a file is its path and its ETag: the same bytes written again are no new version, other bytes under the
same path are. The columns are the same in every schema, so that views and programs can rely on them.

https://docs.snowflake.com/en/user-guide/data-load-dirtables (what a directory table tells about a file)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pinky_core import Expanded, parse_path, sql_path
from pinky_schema.slots import Party, RegistryColumn, SlotUse

__all__ = ["HASHES", "columns_of", "gold_table", "registry_documents", "run_tables", "viewer_grants"]

_FILE = (
    RegistryColumn("FILE_NAME", "VARCHAR", "Last part of the path"),
    RegistryColumn("SIZE", "NUMBER(38,0)", "Bytes"),
    RegistryColumn("MD5", "VARCHAR", "MD5 of the bytes in hex, where the storage tells it"),
    RegistryColumn("ETAG", "VARCHAR", "What the storage calls this version of the file"),
    RegistryColumn("LAST_MODIFIED", "TIMESTAMP_LTZ(9)", "When the storage last saw it written"),
    RegistryColumn("FIRST_SEEN_AT", "TIMESTAMP_LTZ(9)", "When it was registered"),
)
_STATE = (
    RegistryColumn("STATUS", "VARCHAR", "What became of it; the values are in the docs of the slots"),
    RegistryColumn("RUN_ID", "VARCHAR", "The run that owns it, or made it"),
    RegistryColumn("ATTEMPTS", "NUMBER(38,0)", "How often it was handed to its run"),
    RegistryColumn("ERROR", "VARCHAR", "Why the last attempt failed"),
)
_CLAIM = (
    RegistryColumn("CLAIMED_BY", "VARCHAR", "Id of the claim; each attempt of a run is one claim"),
    RegistryColumn("CLAIMED_AT", "TIMESTAMP_LTZ(9)", "When it was claimed"),
    RegistryColumn("LEASE_UNTIL", "TIMESTAMP_LTZ(9)", "After this a claim counts as died and is offered again"),
    RegistryColumn("FINISHED_AT", "TIMESTAMP_LTZ(9)", "When it was done, parked or found gone"),
)
#: What registries of outputs have besides.
HASHES = (
    RegistryColumn("HASH_SORTED", "VARCHAR", "SHA-256 of the rows, whatever their order"),
    RegistryColumn("HASH_RAW", "VARCHAR", "SHA-256 of the bytes, without gzip"),
    RegistryColumn("SP_VERSION", "VARCHAR", "Version of the graph that made it"),
    RegistryColumn("INPUT_FILES", "ARRAY", "Paths of the input files it was made from"),
)
_REQUIRED = frozenset({"RELATIVE_PATH", "ETAG", "STATUS"})
_RUN = (
    RegistryColumn("RUN_ID", "VARCHAR", "Id of the run; a repeated run keeps it"),
    RegistryColumn("ATTEMPT", "NUMBER(38,0)", "1 for the first attempt"),
)
_RUNS = (
    *_RUN,
    RegistryColumn("GRAPH", "VARCHAR", "Name of the task graph, or of the procedure that was called"),
    RegistryColumn("SP_VERSION", "VARCHAR", "Version of the graph, as the manifest gives it"),
    RegistryColumn("TRIGGERED_BY", "VARCHAR", "What started it: the name of the root"),
    RegistryColumn("GRAPH_RUN", "VARCHAR", "Group id of the graph run in Snowflake's task history"),
    RegistryColumn("STATUS", "VARCHAR", "RUNNING, DONE, FAILED or DIED"),
    RegistryColumn("FILES", "NUMBER(38,0)", "Files that were claimed"),
    RegistryColumn("STARTED_AT", "TIMESTAMP_LTZ(9)", "When it started"),
    RegistryColumn("FINISHED_AT", "TIMESTAMP_LTZ(9)", "When it ended"),
    RegistryColumn("ERROR", "VARCHAR", "Why it failed"),
    RegistryColumn("INFO", "VARIANT", "What the root collected"),
)
_RUN_STEPS = (
    *_RUN,
    RegistryColumn("STEP", "VARCHAR", "Name of the step"),
    RegistryColumn("CLIENT_SCHEMA", "VARCHAR", "The client schema it ran for; empty for a step that runs once"),
    RegistryColumn("STATUS", "VARCHAR", "RUNNING, DONE or FAILED"),
    RegistryColumn("STARTED_AT", "TIMESTAMP_LTZ(9)", "When it started"),
    RegistryColumn("FINISHED_AT", "TIMESTAMP_LTZ(9)", "When it ended"),
    RegistryColumn("ERROR", "VARCHAR", "Why it failed"),
    RegistryColumn("RESULT", "VARIANT", "What the procedure returned"),
)
_GOLD = (
    RegistryColumn("SP_VERSION", "VARCHAR", "Version of the graph that made the outputs"),
    RegistryColumn("INPUT_FILE_NAME", "VARCHAR", "Path of the reference input below its slot"),
    RegistryColumn("OUTPUTS", "ARRAY", "Objects of output_file_name, slot, hash_raw, hash_sorted"),
    RegistryColumn("RECORDED_AT", "TIMESTAMP_LTZ(9)", "When it was recorded"),
    RegistryColumn("RECORDED_FROM", "VARCHAR", "Schema whose registries it was recorded from"),
)


def columns_of(use: SlotUse) -> tuple[RegistryColumn, ...]:
    """All columns of a slot's registry, in order."""
    party = use.slot.party
    folders = () if party is None else _folders(party)
    claim = _CLAIM if party is Party.PROVIDER else ()
    path = RegistryColumn("RELATIVE_PATH", "VARCHAR", "Path of the file below the stage")
    return (path, *folders, *_FILE, *_STATE, *claim, *use.slot.columns)


def _folders(party: Party) -> tuple[RegistryColumn, ...]:
    first, second = party.columns
    who = party.name.lower()
    return (
        RegistryColumn(first, "VARCHAR", f"First folder of the path: the {who}"),
        RegistryColumn(second, "VARCHAR", f"Second folder of the path: the {who}'s flow"),
    )


def registry_documents(use: SlotUse) -> Iterator[Expanded]:
    """The registry of a slot, and who may look at it."""
    comment = f"Files of the stage {use.stage}: one row for each version of a file"
    yield use.expanded("table", _table(use.registry, columns_of(use), comment, ("RELATIVE_PATH", "ETAG")))
    yield from viewer_grants(use, "SELECT", {"table": use.qualified(use.registry)})


def run_tables() -> Iterator[Mapping[str, Any]]:
    """The documents of the tables that record runs and their steps."""
    yield _table("RUNS", _RUNS, "Attempts of runs: one row each", ("RUN_ID", "ATTEMPT"))
    keys = ("RUN_ID", "ATTEMPT", "STEP", "CLIENT_SCHEMA")
    yield _table("RUN_STEPS", _RUN_STEPS, "Steps of attempts: one row each", keys)


def gold_table() -> Mapping[str, Any]:
    """The document of the table of known good outputs; it exists in no production schema."""
    return _table("GOLD", _GOLD, "Known good outputs by version and reference input", ("SP_VERSION", "INPUT_FILE_NAME"))


def _table(name: str, columns: tuple[RegistryColumn, ...], comment: str, key: tuple[str, ...]) -> Mapping[str, Any]:
    return {
        "name": name,
        "columns": [
            {"name": each.name, "type": each.type, "comment": each.comment}
            | ({"not_null": True} if each.name in key or each.name in _REQUIRED else {})
            for each in columns
        ],
        "primary_key": {"columns": list(key)},
        "comment": comment,
    }


def viewer_grants(use: SlotUse, privilege: str, on: Mapping[str, str]) -> Iterator[Expanded]:
    """The grant of a privilege to whoever may look; none where the environment names nobody."""
    grantee = use.facts.viewer_grantee()
    if grantee is not None:
        word, name = grantee
        path = parse_path(name)
        if word == "to_database_role" and len(path) == 1:
            path = (use.schema[0], *path)
        yield use.expanded("grant", {"privilege": privilege, "on": dict(on), word: sql_path(path)})
