"""Rows → values, in bulk. Every statement runs once per run, in parallel, and never changes anything.

Facts this rests on: SHOW answers at most 10,000 rows, some commands with an error, some by leaving rows out
(https://docs.snowflake.com/en/sql-reference/sql/show-tables#usage-notes), so a full answer is read again in parts.
"""

from __future__ import annotations

import concurrent.futures
import json
import threading
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from pinky_core.address import Address, Identifier, sql_path
from pinky_core.errors import BoundaryError, NotVisibleError, StatementError
from pinky_core.session import Rows, Session
from pinky_core.sql import string_literal
from pinky_core.values import Token, tokenize

__all__ = ["CEILING", "Reader", "Wanted", "is_standard_database", "read_value"]

CEILING = 10_000
TOO_MANY_ROWS = 90153
READING_VERBS = frozenset({"SHOW", "DESCRIBE", "DESC", "SELECT", "WITH", "LIST", "LS"})
# Of the functions SYSTEM$…, those that only tell; many others cancel, resume, send or set.
READING_FUNCTIONS = (
    "SYSTEM$BEHAVIOR_CHANGE_BUNDLE_STATUS", "SYSTEM$CLUSTERING_", "SYSTEM$EXPLAIN_", "SYSTEM$GET_", "SYSTEM$LIST_",
    "SYSTEM$PIPE_STATUS", "SYSTEM$SHOW_", "SYSTEM$STREAM_GET_", "SYSTEM$STREAM_HAS_DATA", "SYSTEM$TYPEOF",
)  # fmt: skip
# From this many schemas of one database on, one statement over the database is cheaper than one per schema.
BULK_FROM = 3


@attrs.frozen
class Wanted:
    """A resource to read, with the names of its declared fields (parameters are read only where declared)."""

    address: Address
    fields: frozenset[str]


class Reader:
    """Reads the account through a session: statement cache, bounded parallelism, the row ceiling."""

    def __init__(self, session: Session, *, workers: int = 8) -> None:
        self._session = session
        self._pool = concurrent.futures.ThreadPoolExecutor(
            max_workers=max(1, min(workers, session.concurrency)), thread_name_prefix="pinky-read"
        )
        self._answers: dict[str, concurrent.futures.Future[Rows]] = {}
        #: What the run is about to create, as (kind, path): not being there is no surprise.
        self.expected: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
        self._lock = threading.Lock()
        self._names: dict[tuple[str, ...], frozenset[str]] = {}  # of databases under (), of schemas under a database

    def close(self) -> None:
        """Let the threads go; what is running finishes first."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    @property
    def statements(self) -> int:
        """How many statements this reader has sent."""
        return len(self._answers)

    def start(self, statement: str) -> concurrent.futures.Future[Rows]:
        """Send a statement unless it was sent before; raises `BoundaryError` for one that is not a pure read."""
        with self._lock:
            future = self._answers.get(statement)
            if future is None:
                _refuse_unless_reading(statement)
                future = self._answers[statement] = self._pool.submit(self._session.execute, statement)
            return future

    def rows(self, statement: str) -> Rows:
        """The answer of one statement."""
        return self.start(statement).result()

    def many(self, statements: Iterable[str]) -> list[Rows]:
        """The answers of several statements, sent together."""
        return [future.result() for future in [self.start(each) for each in statements]]

    def rows_or_none(self, statement: str) -> Rows | None:
        """The answer, or None where the named object is not visible (or not there)."""
        try:
            return self.rows(statement)
        except NotVisibleError:
            return None

    def context(self) -> Mapping[str, Any]:
        """Account, user and role of the session, for messages and for the plan."""
        statement = "SELECT CURRENT_ACCOUNT() AS ACCOUNT, CURRENT_USER() AS USERNAME, CURRENT_ROLE() AS ROLE"
        return next(iter(self.rows(statement)))

    def databases(self) -> frozenset[str]:
        """Names of the databases this role can see."""
        return self._names_of("DATABASES", ())

    def schemas(self, database: str) -> frozenset[str]:
        """Names of the schemas this role can see in a visible database; empty where the database is not visible."""
        try:
            return self._names_of("SCHEMAS", (database,))
        except NotVisibleError:
            return frozenset()

    def _names_of(self, plural: str, container: tuple[str, ...]) -> frozenset[str]:
        known = self._names.get(container)
        if known is None:
            rows = self.listing(plural, container)
            known = self._names[container] = frozenset(name for (name,) in rows.pick("name"))
        return known

    def container_exists(self, path: Sequence[str]) -> bool:
        """Whether a database or schema is visible; the account always is."""
        if not path:
            return True
        if len(path) == 1:
            return path[0] in self.databases()
        return path[1] in self.schemas(path[0])

    def listing(self, plural: str, container: Sequence[str], *, pages: bool = True) -> Rows:
        """``SHOW <plural> IN <container>``, complete. ``pages``: the command has LIMIT … FROM.

        An empty container means the account. Raises `StatementError` where the rows cannot all be had.
        """
        head = f"SHOW {plural}{_in(plural, container)}"
        try:
            found = self.rows(head)
        except StatementError as error:
            if error.errno != TOO_MANY_ROWS:
                raise
            found = None
        if found is not None and len(found) < CEILING:
            return found
        if pages:
            return self._paged(head)
        return self._by_first_character(plural, container)

    def by_container(
        self, plural: str, containers: Iterable[Sequence[str]], *, pages: bool = True, bulk: bool = True
    ) -> dict[tuple[str, ...], Rows]:
        """The listing of several schemas (or databases), each complete.

        Many schemas of one database are read by one statement where the answer stays below the ceiling; its rows are
        told apart by their ``schema_name``.
        """
        wanted = sorted({tuple(each) for each in containers})
        parents: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for path in wanted:
            parents.setdefault(path[:-1] if path else (), []).append(path)
        for parent, children in parents.items():
            if _in_bulk(parent, children, bulk=bulk):
                self.start(f"SHOW {plural}{_in(plural, parent)}")
            else:
                for path in children:
                    self.start(f"SHOW {plural}{_in(plural, path)}")
        answers: dict[tuple[str, ...], Rows] = {}
        for parent, children in parents.items():
            whole = self._below_ceiling(plural, parent) if _in_bulk(parent, children, bulk=bulk) else None
            if whole is not None and "schema_name" in whole.columns:
                answers.update(_split(whole, parent, children))
            else:
                answers.update({path: self.listing(plural, path, pages=pages) for path in children})
        return answers

    def _below_ceiling(self, plural: str, parent: tuple[str, ...]) -> Rows | None:
        try:
            found = self.rows(f"SHOW {plural}{_in(plural, parent)}")
        except StatementError as error:
            if error.errno == TOO_MANY_ROWS:
                return None
            raise
        return found if len(found) < CEILING else None

    def _paged(self, head: str) -> Rows:
        """Page by name: inside one container names are unique, so FROM the last name goes on exactly there."""
        pages: list[Sequence[Any]] = []
        last: str | None = None
        while True:
            start = "" if last is None else f" FROM {string_literal(last)}"
            page = self.rows(f"{head} LIMIT {CEILING}{start}")
            pages.extend(page.values)
            if len(page) < CEILING:
                return Rows(page.columns, pages)
            last = str(page.values[-1][page.columns.index("name")])

    def _by_first_character(self, plural: str, container: Sequence[str], prefix: str = "") -> Rows:
        """For commands without paging: split by LIKE until each part stays below the ceiling."""
        columns: tuple[str, ...] = ()
        seen: dict[tuple[Any, ...], None] = {}
        for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$":
            pattern = (prefix + character).replace("_", "\\_")
            part = self.rows(f"SHOW {plural} LIKE {string_literal(pattern + '%')}{_in(plural, container)}")
            if len(part) >= CEILING:
                if len(prefix) > 3:
                    raise StatementError(
                        f"SHOW {plural} hides rows: more than {CEILING} names start with {prefix + character!r}",
                        errno=TOO_MANY_ROWS,
                    )
                part = self._by_first_character(plural, container, prefix + character)
            columns = part.columns or columns
            seen.update((tuple(row), None) for row in part.values)
        return Rows(columns, list(seen))


def is_standard_database(row: Mapping[str, Any]) -> bool:
    """Whether a row of SHOW DATABASES is a database that was created here, from nothing else.

    https://docs.snowflake.com/en/sql-reference/sql/show-databases, the columns kind and origin
    """
    return str(row.get("kind") or "STANDARD").upper() == "STANDARD" and not row.get("origin")


def _in(plural: str, container: Sequence[str]) -> str:
    if not container:
        return "" if plural in ACCOUNT_ONLY else " IN ACCOUNT"
    return f" IN {'DATABASE' if len(container) == 1 else 'SCHEMA'} {sql_path(tuple(container))}"


# What lives at the account is listed without IN.
ACCOUNT_ONLY = frozenset(
    {
        "API INTEGRATIONS",
        "COMPUTE POOLS",
        "DATABASES",
        "EXTERNAL ACCESS INTEGRATIONS",
        "EXTERNAL VOLUMES",
        "INTEGRATIONS",
        "NETWORK POLICIES",
        "NOTIFICATION INTEGRATIONS",
        "RESOURCE MONITORS",
        "ROLES",
        "SECURITY INTEGRATIONS",
        "SHARES",
        "STORAGE INTEGRATIONS",
        "USERS",
        "WAREHOUSES",
    }
)


def _in_bulk(parent: tuple[str, ...], children: Sequence[tuple[str, ...]], *, bulk: bool) -> bool:
    return bulk and len(parent) == 1 and len(children) >= BULK_FROM


def _split(whole: Rows, parent: tuple[str, ...], children: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], Rows]:
    place = whole.columns.index("schema_name")
    rows: dict[str, list[Sequence[Any]]] = {path[-1]: [] for path in children}
    for row in whole.values:
        found = rows.get(str(row[place]))
        if found is not None:
            found.append(row)
    return {(*parent, name): Rows(whole.columns, values) for name, values in rows.items()}


def _refuse_unless_reading(statement: str) -> None:
    """Reading never changes anything, whoever wrote the statement; several statements in one text are refused."""
    try:
        tokens = list(tokenize(statement))
    except ValueError as error:
        raise BoundaryError(f"a statement for reading does not end properly: {error}") from error
    words = [token.text.upper() for token in tokens]
    if not words or words[0] not in READING_VERBS or ";" in words or flows_on(tokens):
        raise BoundaryError(f"reading sends only SHOW, DESCRIBE, LIST and SELECT, not: {statement[:120]}")
    for word in (word.strip('"') for word in words):
        if word.startswith("SYSTEM$") and not word.startswith(READING_FUNCTIONS):
            raise BoundaryError(f"{word} may change something, so reading does not call it: {statement[:120]}")


def flows_on(tokens: Sequence[Token]) -> bool:
    """Whether the operator ``->>`` makes other statements follow.

    https://docs.snowflake.com/en/sql-reference/operators-flow
    """
    return any(
        three[2].position - three[0].position == 2 and "".join(each.text for each in three) == "->>"
        for three in zip(tokens, tokens[1:], tokens[2:], strict=False)
    )


_TRUE = frozenset({"true", "y", "yes", "on", "1", "enabled"})
_EMPTY = frozenset({"", "null"})


def read_value(annotation: Any, raw: Any) -> Any:
    """A cell of SHOW or DESCRIBE as the field's type; empty text is None, unknown keywords pass as they are."""
    if raw is None or (isinstance(raw, str) and raw.strip().lower() in _EMPTY):
        return None
    origin = typing.get_origin(annotation)
    if origin in (list, tuple):
        inner = typing.get_args(annotation)[0]
        return tuple(read_value(inner, each) for each in _elements(raw))
    if origin is dict or annotation is Any:
        return raw
    if annotation is bool:
        return raw if isinstance(raw, bool) else str(raw).strip().lower() in _TRUE
    if annotation is int:
        return int(raw)
    if annotation is float:
        return float(raw)
    if annotation is str:
        return str(raw)
    if annotation is Identifier:
        return Identifier(raw)
    parse = getattr(annotation, "read", None) or annotation.parse
    return parse(str(raw))


def _elements(raw: Any) -> Sequence[Any]:
    """A list cell: already a list, a JSON array, ``[a, b]``, ``(a, b)`` or ``a,b``."""
    if isinstance(raw, (list, tuple)):
        return raw
    text = str(raw).strip()
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, list):
        return found
    inner = text[1:-1] if text[:1] in "[(" and text[-1:] in "])" else text
    return [each.strip().strip("'\"") for each in inner.split(",") if each.strip()]
