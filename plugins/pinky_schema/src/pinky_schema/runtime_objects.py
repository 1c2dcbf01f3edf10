"""The objects in a schema that the runtime needs: tables of runs, procedures, functions, and the table of gold.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure,
https://docs.snowflake.com/en/sql-reference/sql/create-function
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pinky_core import Expanded, SectionContext
from pinky_schema.registry import gold_table, run_tables
from pinky_schema.runtime_source import bundled
from pinky_schema.slots import SlotUse
from pinky_schema.stage_facts import Facts, facts_of

__all__ = ["ORIGIN", "gold_objects", "output_objects", "python_of", "runtime_documents"]

ORIGIN = "runtime"
_URL = {"name": "SCOPED_URL", "type": "VARCHAR"}
_FORMAT = {"name": "NAME_OR_FORMAT", "type": "VARCHAR"}
_VARIANT = {"name": "SETTINGS", "type": "VARIANT"}
#: Name, runtime module, handler, arguments and comment of each procedure of runs.
_PROCEDURES = (
    ("POLL_AND_DISPATCH", "poll_and_dispatch", "Registers new files and hands a batch of them over"),
    ("START_RUN", "start_run", "Begins a run of a task graph that needs no files"),
    ("RUN_STEP", "run_step", "Runs one step of a task graph and records it"),
    ("FINISH_RUN", "finish_run", "Ends a run of a task graph and accounts for its files"),
    ("COMPLETE_RUN", "complete", "Marks the files of a run as done, inside the caller's transaction"),
)


def runtime_documents(context: SectionContext) -> Iterator[Expanded]:
    """Tables of runs and the procedures around them, each once."""
    facts, _ = facts_of(context.variables, context.env)
    for table in run_tables():
        yield Expanded("table", table, ORIGIN)
    for name, handler, comment in _PROCEDURES:
        yield Expanded("procedure", _procedure(name, "graph", handler, [_VARIANT], comment, facts), ORIGIN)


def output_objects(uses: Iterable[SlotUse]) -> Iterator[Expanded]:
    """What publishes and hashes files, where a slot's registry has hashes."""
    hashed = [use for use in uses if any(column.name == "HASH_SORTED" for column in use.slot.columns)]
    if not hashed:
        return
    facts = hashed[0].facts
    arguments = [
        {"name": "SLOT", "type": "VARCHAR"},
        {"name": "FILES", "type": "ARRAY"},
        {"name": "WORK", "type": "VARIANT"},
    ]
    comment = "Registers files of an output slot with their hashes"
    document = _procedure("PUBLISH_FILES", "publish", "publish_files", arguments, comment, facts)
    yield Expanded("procedure", document, ORIGIN)
    raw = _function("HASH_RAW", "hash_raw_of_url", [_URL], "SHA-256 of a file's bytes, without gzip", facts)
    yield Expanded("user_defined_function", raw, ORIGIN)
    comment = "SHA-256 of a file's rows, whatever their order; the second argument is the file's name, or its format"
    row_hash = _function("HASH_SORTED", "hash_sorted_of_url", [_URL, _FORMAT], comment, facts)
    yield Expanded("user_defined_function", row_hash, ORIGIN)


def gold_objects(uses: Iterable[SlotUse]) -> Iterator[Expanded]:
    """The table of known good outputs and the stage of their inputs, in environments that are not production."""
    for use in uses:
        if not use.facts.is_production:
            yield Expanded("table", gold_table(), ORIGIN)
            comment = "Reference inputs of the table GOLD: a folder for each version"
            yield Expanded("stage", {"name": "GOLD_INPUTS", "comment": comment}, ORIGIN)
        return


def _procedure(
    name: str, module: str, handler: str, arguments: list[dict[str, str]], comment: str, facts: Facts
) -> Mapping[str, Any]:
    return {
        "name": name,
        "arguments": arguments,
        "returns": "VARIANT",
        "execute_as": "OWNER",
        "comment": comment,
        **_python(module, handler, facts),
    }


def _function(
    name: str, handler: str, arguments: list[dict[str, str]], comment: str, facts: Facts
) -> Mapping[str, Any]:
    return {
        "name": name,
        "arguments": arguments,
        "returns": "VARCHAR",
        "volatility": "VOLATILE",
        "comment": comment,
        **_python("functions", handler, facts),
    }


def _python(module: str, handler: str, facts: Facts) -> Mapping[str, Any]:
    """How the handlers run. Parquet is the only format that needs a package besides Snowpark."""
    packages = ["pyarrow", "snowflake-snowpark-python"] if module != "graph" else ["snowflake-snowpark-python"]
    return python_of(bundled(module), handler, packages, facts)


def python_of(body: str, handler: str, packages: list[str], facts: Facts) -> Mapping[str, Any]:
    """The fields of a Python procedure or function as the environment wants them."""
    found: dict[str, Any] = {
        "language": "PYTHON",
        "runtime_version": facts.runtime_version,
        "packages": packages,
        "handler": handler,
        "body": body,
    }
    if facts.artifact_repository is not None:
        found["artifact_repository"] = facts.artifact_repository
    return found
