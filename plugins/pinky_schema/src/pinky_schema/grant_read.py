"""What roles hold, read in bulk: one SHOW GRANTS per grantee, whatever the number of grants.

https://docs.snowflake.com/en/sql-reference/sql/show-grants. Before behaviour change 2371 views and the other kinds of
tables showed as TABLE, and a database role with its database before it; both spellings are read. Types whose names
cannot be equal inside a schema are therefore not told apart here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from pinky_core import Identifier, NotVisibleError, Reader, Rows, parse_path
from pinky_schema.grant_content import GrantContent, Grantee, Path, signature_of
from pinky_schema.privileges import SECURABLES

__all__ = ["Holding", "ObjectKey", "external_stages", "holdings", "key_of"]

_RELATION = SECURABLES["TABLE"].kinds


@attrs.frozen
class ObjectKey:
    """One object, as both a grant and a row of SHOW GRANTS name it."""

    type: str
    path: Path
    signature: str = ""


#: Privileges held by object, each with whether it may be passed on.
Holding = Mapping[ObjectKey, Mapping[str, bool]]


def key_of(grant: GrantContent) -> ObjectKey:
    """The object a grant is on."""
    return ObjectKey(_related(grant.on.name), grant.path, grant.signature)


def _related(type_name: str) -> str:
    known = SECURABLES.get(type_name)
    return "TABLE" if known is not None and known.kinds == _RELATION else type_name


def holdings(reader: Reader, grantees: Iterable[Grantee]) -> dict[Grantee, Holding]:
    """What each grantee holds, all read side by side; nothing for one that the manifest is about to create.

    Raises `NotVisibleError` naming a grantee that is neither there nor declared.
    """
    wanted = sorted(set(grantees))
    for to in wanted:
        reader.start(f"SHOW GRANTS TO {to}")
    return {to: _held(_rows(reader, to)) for to in wanted}


def _rows(reader: Reader, to: Grantee) -> Rows:
    try:
        return reader.rows(f"SHOW GRANTS TO {to}")
    except NotVisibleError as error:
        if (to.kind, to.path) in reader.expected:
            return Rows((), [])
        message = f"{to} does not exist or may not be seen, and the manifest does not declare it"
        raise NotVisibleError(message, errno=error.errno, statement=error.statement) from error


def _held(rows: Rows) -> Holding:
    """Several grantors may have given the same; one that allows passing on is enough."""
    held: dict[ObjectKey, dict[str, bool]] = {}
    for privilege, granted_on, name, option in rows.pick("privilege", "granted_on", "name", "grant_option"):
        key = _printed_key(str(granted_on).upper().replace("_", " "), str(name))
        if key is not None:
            privileges = held.setdefault(key, {})
            word = str(privilege).upper()
            privileges[word] = privileges.get(word, False) or str(option).lower() == "true"
    return held


def _printed_key(type_name: str, text: str) -> ObjectKey | None:
    """The object of a row; None for what lies in no schema, or is spelled in a way not known here.

    Functions and procedures show as ``DB.S."NAME(ARG NUMBER, ...):RETURN"``, older ones without argument names.
    """
    known = SECURABLES.get(type_name)
    if known is None:
        return None
    if not known.callable:
        path = _printed_path(text)
        return None if path is None else ObjectKey(_related(type_name), path)
    path = _printed_path(text) if text.endswith('"') else None
    if path is not None and "(" in path[-1]:
        text = ".".join([*(each.sql for each in path[:-1]), str(path[-1])])
    head, parenthesis, rest = text.partition("(")
    path = _printed_path(head)
    if path is None or not parenthesis:
        return None
    arguments = rest.rpartition("):")[0] if "):" in rest else rest.rpartition(")")[0]
    return ObjectKey(type_name, path, signature_of(arguments))


def _printed_path(text: str) -> Path | None:
    try:
        return parse_path(text)
    except ValueError:
        pass
    # Names that need quotes may be printed without them; dots then part the containers from the rest.
    parts = text.split(".")
    return tuple(map(Identifier, parts)) if all(parts) and len(parts) <= 3 and '"' not in text else None


def external_stages(reader: Reader, grants: Iterable[GrantContent]) -> dict[Path, bool]:
    """Whether each live stage that a grant of ALL is on is external: USAGE is for those, READ and WRITE for others."""
    schemas = {grant.path[:-1] for grant in grants if (grant.on.name, grant.privilege) == ("STAGE", "ALL")}
    found: dict[Path, bool] = {}
    for container, rows in reader.by_container("STAGES", schemas, pages=False).items():
        for row in rows:
            found[_path_of(container, row)] = "EXTERNAL" in str(row.get("type") or "").upper()
    return found


def _path_of(container: Iterable[str], row: Mapping[str, Any]) -> Path:
    return (*map(Identifier, container), Identifier(row["name"]))
