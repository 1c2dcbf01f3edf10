"""What roles hold, read in bulk: one SHOW GRANTS per grantee, one listing per type and container.

https://docs.snowflake.com/en/sql-reference/sql/show-grants. Before behaviour change 2371 views and the other kinds of
tables showed as TABLE; types that cannot share a name are therefore not told apart here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from pinky_core import DataType, Identifier, NotVisibleError, Reader, Rows, parse_path, sql_path
from pinky_database.grants import Grant, Grantee, ObjectName, Path
from pinky_database.object_types import OBJECT_TYPES, ObjectType

__all__ = ["Holding", "Inventory", "about_to_exist", "holdings", "inventory", "relation_of", "unknown"]

#: Type and name of one object → privileges held on it, each with whether it may be passed on.
Holding = Mapping[ObjectName, Mapping[str, bool]]

_RELATIONS: Mapping[str, str] = {each.name: each.relation for each in OBJECT_TYPES.values()}
_FUTURE = re.compile(r"(?P<container>.+)\.<(?P<type>[A-Z_ ]+)>\Z")


@attrs.frozen
class Inventory:
    """The live objects of one type in a container.

    ``external`` are the stages that are external, ``hybrid`` the tables that are hybrid: they have fewer privileges.
    """

    objects: frozenset[ObjectName] = frozenset()
    external: frozenset[ObjectName] = frozenset()
    hybrid: frozenset[ObjectName] = frozenset()


def relation_of(name: ObjectName) -> ObjectName:
    """The name by which two spellings of a type mean the same object."""
    return attrs.evolve(name, type=_RELATIONS.get(name.type, name.type))


def holdings(reader: Reader, grants: Iterable[Grant]) -> dict[tuple[Grantee, bool], Holding]:
    """What each grantee holds, and (True) what it will hold on future objects, all read side by side."""
    wanted = sorted({(grant.to, grant.form == "FUTURE") for grant in grants})
    for to, future in wanted:
        reader.start(_statement(to, future=future))
    return {
        (to, future): (_future_held if future else _held)(_rows(reader, to, future=future)) for to, future in wanted
    }


def _statement(to: Grantee, *, future: bool) -> str:
    return f"SHOW {'FUTURE ' if future else ''}GRANTS TO {to}"


def _rows(reader: Reader, to: Grantee, *, future: bool) -> Rows:
    try:
        return reader.rows(_statement(to, future=future))
    except NotVisibleError as error:
        if about_to_exist(reader, to.kind, to.path):
            return Rows((), [])
        raise unknown(to.kind, to.path, error) from error


def about_to_exist(reader: Reader, kind: str, path: Path) -> bool:
    """Whether this run makes a named thing, or makes or renames the database it lies in."""
    if (kind, path) in reader.expected:
        return True
    database = path[:1]
    return len(path) == 2 and ("database", database) in reader.expected and not reader.container_exists(database)


def unknown(kind: str, path: Path, error: NotVisibleError | None = None) -> NotVisibleError:
    """The error for a role, database or schema that a grant names and nobody declares."""
    name = f"{kind.replace('_', ' ')} {sql_path(path)}"
    message = f"{name} does not exist or may not be seen, and the manifest does not declare it"
    return NotVisibleError(message, errno=error.errno if error else 0, statement=error.statement if error else "")


def _held(rows: Rows) -> Holding:
    """IMPORTED PRIVILEGES on a shared database shows as USAGE of it."""
    held: dict[ObjectName, dict[str, bool]] = {}
    for privilege, granted_on, name, option in rows.pick("privilege", "granted_on", "name", "grant_option"):
        kind = str(granted_on).upper().replace("_", " ")
        found = object_name(_RELATIONS.get(kind, kind), str(name))
        if found is None:
            continue  # on something that no database holds, or of a spelling not known here
        words = [str(privilege)]
        if (privilege, kind) == ("USAGE", "DATABASE"):
            words.append("IMPORTED PRIVILEGES")
        _add(held, found, words, option)
    return held


def _future_held(rows: Rows) -> Holding:
    """By the type in the singular and the container: ``DB.S.<TABLE>`` is every future table of a schema."""
    held: dict[ObjectName, dict[str, bool]] = {}
    for privilege, grant_on, name, option in rows.pick("privilege", "grant_on", "name", "grant_option"):
        match = _FUTURE.match(str(name))
        path = _path(match["container"]) if match else None
        if path is not None:
            kind = str(grant_on).upper().replace("_", " ")
            _add(held, ObjectName(kind, path), [str(privilege)], option)
    return held


def _add(held: dict[ObjectName, dict[str, bool]], name: ObjectName, words: Sequence[str], option: Any) -> None:
    """Several grantors may have given the same; one that allows passing on is enough."""
    may_pass = str(option).lower() == "true"
    privileges = held.setdefault(name, {})
    for word in words:
        privileges[word] = privileges.get(word, False) or may_pass


def object_name(kind: str, text: str) -> ObjectName | None:
    """The object that a name in SHOW GRANTS means; None where it is no qualified name.

    Procedures and functions show as ``DB.S."NAME(ARG NUMBER, ...):RETURN"``, older accounts without argument names.
    """
    path = _path(text)
    if kind in ("PROCEDURE", "FUNCTION"):
        if path is not None:
            last = str(path[-1])
        else:
            head, _, rest = text.partition("(")
            path = _path(head)
            last = f"{path[-1]}({rest}" if path is not None and rest else ""
        if path is None or "(" not in last:
            return None
        name, _, rest = last.partition("(")
        arguments, _, _ = rest.rpartition(")") if ":" not in rest else rest.rpartition("):")
        return ObjectName(kind, (*path[:-1], Identifier(name)), signature_of(arguments))
    return None if path is None else ObjectName(kind, path)


def _path(text: str) -> Path | None:
    """A name in SHOW GRANTS: quoted where needed, or (where no part is quoted) each part as it stands."""
    if '"' not in text:
        parts = text.split(".")
        return tuple(map(Identifier, parts)) if all(parts) and len(parts) <= 3 else None
    try:
        path = parse_path(text)
    except ValueError:
        return None
    return path if len(path) <= 3 else None


def signature_of(arguments: str) -> str:
    """The canonical argument types of ``A NUMBER, B VARCHAR`` or ``NUMBER, DEFAULT VARCHAR``: ``(NUMBER, VARCHAR)``."""
    return f"({', '.join(_argument_type(piece.strip()) for piece in _split(arguments))})"


def _argument_type(text: str) -> str:
    """The type of one argument, whatever stands before it: a name, or DEFAULT."""
    for candidate in (text, text.partition(" ")[2]):
        try:
            return DataType.parse(candidate).signature
        except ValueError:
            continue
    return text.upper()  # a type this version does not know


def _split(text: str) -> list[str]:
    """Parts between commas that stand outside parentheses."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part for part in [*parts, text[start:]] if part.strip()]


def inventory(reader: Reader, grants: Iterable[Grant]) -> dict[tuple[str, Path], Inventory]:
    """The live objects behind grants on ALL, by plural and container; a container that is not there has none."""
    wanted: dict[str, set[Path]] = {}
    for grant in grants:
        if grant.form == "ALL" and reader.container_exists(grant.path):
            wanted.setdefault(grant.type.plural, set()).add(grant.path)
    found: dict[tuple[str, Path], Inventory] = {}
    for plural, paths in sorted(wanted.items()):
        kind = OBJECT_TYPES[plural]
        schemas = [path for path in paths if len(path) == 2]
        for path, rows in reader.by_container(plural, schemas, pages=kind.pages).items():
            container = tuple(map(Identifier, path))
            found[plural, container] = _listed(kind, container, rows)
        for path in sorted(each for each in paths if len(each) == 1):
            found[plural, path] = _listed(kind, path, reader.listing(plural, path, pages=kind.pages))
    return found


def _listed(kind: ObjectType, container: Path, rows: Rows) -> Inventory:
    objects, external, hybrid = set(), set(), set()
    for row in rows:
        if not _is_of(kind, row):
            continue
        name = _name_of(kind, container, row)
        objects.add(name)
        if kind.name == "STAGE" and "EXTERNAL" in str(row.get("type") or "").upper():
            external.add(name)
        if kind.name == "TABLE" and _yes(row.get("is_hybrid")):
            hybrid.add(name)
    return Inventory(frozenset(objects), frozenset(external), frozenset(hybrid))


def _name_of(kind: ObjectType, container: Path, row: Mapping[str, Any]) -> ObjectName:
    schema = () if len(container) == 2 or kind.name == "SCHEMA" else (Identifier(row["schema_name"]),)
    signature = ""
    if kind.name in ("PROCEDURE", "FUNCTION"):
        arguments = str(row["arguments"])
        signature = signature_of(arguments[arguments.index("(") + 1 : arguments.rindex(") RETURN")])
    return ObjectName(kind.name, (*container, *schema, Identifier(row["name"])), signature)


#: SHOW TABLES lists other kinds of tables too; hybrid tables are reached by grants on TABLES, the others are not.
_NOT_TABLES = ("is_external", "is_event", "is_iceberg", "is_dynamic")


def _is_of(kind: ObjectType, row: Mapping[str, Any]) -> bool:
    if "INFORMATION_SCHEMA" in (row.get("schema_name"), row["name"] if kind.name == "SCHEMA" else None):
        return False
    if kind.name == "TABLE":
        temporary = str(row.get("kind") or "").upper() == "TEMPORARY"
        return not temporary and not any(_yes(row.get(column)) for column in _NOT_TABLES)
    if kind.name == "VIEW":
        return not _yes(row.get("is_materialized"))
    return not _yes(row.get("is_builtin"))


def _yes(value: Any) -> bool:
    return str(value or "").strip().lower() in ("y", "yes", "true")
