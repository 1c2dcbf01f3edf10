"""Which files a query or COPY reads rows from, and with which file format.

https://docs.snowflake.com/en/user-guide/querying-stage: the format named in the statement, else the stage's, else CSV.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers, stage_places
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.stage_places import Location
from pinky_local.engine.statement import Statement
from pinky_local.files import StagedFile
from pinky_local.types import SessionContext, StagedRead, StagedRows

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_READ = ("CSV", "JSON", "PARQUET")


def of_query(
    account: Account, text: str, file_format: str | None, pattern: str | None, session: SessionContext
) -> StagedRows:
    """What ``FROM @stage/path (FILE_FORMAT => …, PATTERN => …)`` reads."""
    statement = Statement(account, session, "SELECT 1", (), "")
    location = stage_places.locate(statement, text, "READ")
    with account.lock:
        named = {"FORMAT_NAME": file_format} if file_format is not None else None
        options = effective_format(statement, location.stage, named)
    if options.get("PARSE_HEADER"):
        raise errors.unsupported("PARSE_HEADER in a query of staged files")
    return rows_of(account, location, location.files(pattern), options)


def rows_of(
    account: Account, location: Location, files: Iterable[StagedFile], options: Mapping[str, Any]
) -> StagedRows:
    """The rows of some files. Raises 000002 for a format that is not read here."""
    kind = str(options.get("TYPE", "CSV"))
    if kind not in _READ:
        raise errors.unsupported(f"reading files of TYPE = {kind}")
    reads = [
        StagedRead(location.metadata_name(one.key), one.path, one.size, one.changed_ns, location.place.etag(one))
        for one in files
        if one.size or kind != "PARQUET"
    ]

    def convert(file: StagedRead, expected: int | None) -> Any:
        return account.files.conversions.of(
            file.name, file.path, file.size, file.changed_ns, file.etag, options, account.files.scratch(), expected
        )

    return StagedRows(reads, options, convert)


def effective_format(statement: Statement, stage: CatalogObject, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options in force: those given, else the stage's; a named format is looked up (USAGE). Raises 002003."""
    options = dict(given if given is not None else stage.properties.get("FILE_FORMAT") or {})
    name = options.pop("FORMAT_NAME", None)
    if name is None:
        return options
    found = statement.find("file_format", identifiers.parse_dotted(str(name)))
    statement.require(found, "USAGE")
    return {key: value for key, value in found.properties.items() if key != "COMMENT"} | options
