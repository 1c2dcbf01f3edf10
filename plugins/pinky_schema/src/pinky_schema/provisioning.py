"""Provisioning a client: its schema made and filled from a manifest, and later dropped; a report, not an exception.

For a procedure such as PROVISION_CLIENT(), which runs with its owner's rights and has no one to catch an error. Rests
on https://docs.snowflake.com/en/sql-reference/sql/create-schema and drop-schema.

What is made is marked: the comment of a client's schema begins with `MARK`. Nothing without the mark is ever filled or
dropped here, so that no client id can reach a schema that is none of a client (decision 0013).
"""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from pinky_core import (
    BlockedPlanError,
    BoundaryError,
    Desired,
    DiagnosticsError,
    Identifier,
    ManifestSource,
    PinkyError,
    Plan,
    Report,
    Rows,
    SecretError,
    SecretReference,
    SnowparkSession,
    StatementError,
    sql_path,
    string_literal,
)
from pinky_core.apply import Event, Outcome
from pinky_core.fleet import MARK
from pinky_schema.given_values import changed_structure, harmless, risky
from pinky_schema.provider import SchemaProvider

__all__ = ["MARK", "client_schema", "offboard", "provision"]

ATTEMPTS = 5
"""How often a plan is made anew because another run was at work on the same client."""

LONGEST = 400
"""Characters of a statement that a report shows."""

_RACE = frozenset({1998, 2002, 2003, 2043, 3041, 91422})
"""Errors that a second run can cause: what was to be made is there, what was to be changed is not (yet)."""

_PRIVILEGE = frozenset({2003, 2043, 3001})
_UNSEEN = 3041
_TRANSACTION = frozenset({90231})
_CLIENT_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}\Z")
_NOT_CLIENTS = frozenset({"PUBLIC", "INFORMATION_SCHEMA"})
Target = tuple[Identifier, Identifier]


def client_schema(database: str, client_id: str) -> Target:
    """The schema of a client as database and schema. Raises ValueError for an id or a database that is no plain name.

    Both are data that somebody else chose: letters, digits, ``_`` and ``$``, so that neither can be anything but the
    name of a schema, whatever it is written into.
    """
    for what, text in (("product database", database), ("client id", client_id)):
        if not isinstance(text, str) or not _CLIENT_ID.match(text):
            shown = repr(text if len(str(text)) <= 60 else f"{str(text)[:57]}...")
            raise ValueError(f"the {what} {shown} is no plain name: a letter or _ first, then letters, digits, _ and $")
    if client_id.upper() in _NOT_CLIENTS:
        raise ValueError(f"the client id {client_id!r} is the name of a schema that every database has")
    return Identifier(database.upper()), Identifier(client_id.upper())


def provision(
    session: Any,
    *,
    source: ManifestSource | str | Path,
    database: str,
    client_id: str,
    variables: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    env: str | None = None,
    allow: Sequence[str] = (),
    staging: str | None = None,
) -> dict[str, Any]:
    """Make the schema of a client, and bring it to the manifest. Safe to call again, and twice at once.

    ``variables`` are values for the manifest; ``client_id`` and ``database`` are among them. ``secrets`` are values
    that the manifest refers to as ``given:NAME``; they reach the statement that needs them and nothing else. ``allow``
    permits destructive changes as in `Provider.apply`. ``staging`` is the internal stage for copies of files that the
    session cannot read from a Git repository itself (`SnowparkSession`).

    The report is a dict fit for a VARIANT: ``run_id``, ``status`` (``ok``: changes were made; ``unchanged``;
    ``refused``: nothing was changed, for the input is wrong; ``failed``: something was not applied, calling again goes
    on there), ``client``, ``target``, ``source``, ``commit``, ``changes``, ``skipped``, ``failures`` (each with a
    ``remediation``) and ``warnings``.
    """
    variables, secrets = _or_none(variables), _or_none(secrets)
    if staging is not None:
        session = SnowparkSession(session, staging)
    run = _Run(session, str(client_id)[:255], secrets or {})
    try:
        run.target = client_schema(database, client_id)
    except ValueError as error:
        return run.refuse("client-id", str(error), "Give the client another id, or map it to a plain name first.")
    if not run.accepts(source, variables or {}):
        return run.report
    values = {**(variables or {}), "client_id": str(run.target[1]), "database": str(run.target[0])}
    try:
        desired = run.validated(source, values, env)
    except DiagnosticsError as error:
        return run.refuse_all(error)
    except PinkyError as error:
        return run.refuse("source", str(error), "")
    try:
        return run.fill(desired, allow)
    except PinkyError as error:
        return run.fail(error)


def offboard(session: Any, *, database: str, client_id: str) -> dict[str, Any]:
    """Drop the schema of a client with everything in it: tables, files, tasks, secrets, contacts, grants.

    Safe to call again. The report is that of `provision`. Snowflake keeps dropped data for UNDROP as long as the
    retention time of the schema says, and seven days more for itself; ``warnings`` says so.
    """
    run = _Run(session, str(client_id)[:255], {})
    try:
        run.target = client_schema(database, client_id)
    except ValueError as error:
        return run.refuse("client-id", str(error), "Nothing of this name was ever provisioned.")
    try:
        return run.drop()
    except PinkyError as error:
        return run.fail(error)


def _given(values: Mapping[str, str]) -> Callable[[str], str]:
    """The resolver of ``given:NAME`` for one run."""

    def value(name: str) -> str:
        try:
            return values[name]
        except KeyError:
            known = ", ".join(sorted(values)) or "none"
            raise SecretError(f"no secret {name} was given to this call; given: {known}") from None

    return value


@attrs.define(eq=False)
class _Run:
    """One call: what it is about, and the report as it grows."""

    session: Any
    client: str
    secrets: Any = attrs.field(repr=False)  # a mapping, unless a caller in SQL gave something else
    target: Target | None = None
    run_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    report: dict[str, Any] = attrs.field(init=False)
    provider: SchemaProvider = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.provider = SchemaProvider(self.session)
        known = self.provider.registry
        # Environment and files are those of whoever runs the procedure: no manifest of a client has business there.
        resolvers = {scheme: each for scheme, each in known.resolvers.items() if scheme not in ("env", "file")}
        self.provider.registry = attrs.evolve(known, resolvers={**resolvers, "given": _given(self.secrets)})
        lists: dict[str, Any] = {name: [] for name in ("changes", "skipped", "failures", "warnings")}
        self.report = {"run_id": self.run_id, "status": "unchanged", "client": self.client, "target": None}
        self.report |= {"source": None, "commit": None} | lists

    # -- ends --------------------------------------------------------------------------------------------------------

    def refuse(self, code: str, message: str, remediation: str) -> dict[str, Any]:
        """The report of a call that goes no further: ``refused`` where it changed nothing, else ``failed``."""
        self.report["status"] = "failed" if self.report["changes"] else "refused"
        self.report["failures"].append({"code": code, "message": message, "remediation": remediation})
        return self.report

    def refuse_all(self, error: DiagnosticsError) -> dict[str, Any]:
        """The report of a manifest with mistakes, each with its place."""
        for each in error.diagnostics:
            entry = {"code": each.code, "message": each.summary, "remediation": each.hint}
            if each.location is not None:
                entry["place"] = str(each.location)
            if each.address is not None:
                entry["address"] = str(each.address)
            self.report["failures"].append(entry)
        self.report["status"] = "failed" if self.report["changes"] else "refused"
        return self.report

    def fail(self, error: PinkyError) -> dict[str, Any]:
        """The report of a run that something outside of a change ended."""
        if isinstance(error, DiagnosticsError):
            return self.refuse_all(error)
        code = f"{error.errno:06d}" if isinstance(error, StatementError) else type(error).__name__
        self.report["status"] = "failed"
        notes = " ".join(getattr(error, "__notes__", ()))
        again = "" if isinstance(error, BoundaryError) else "Calling again goes on where this run ended."
        remedy = f"{notes} {again}".strip()
        entry = {"code": code, "message": str(error), "remediation": remedy}
        self.report["failures"].append(entry)
        return self.report

    def accepts(self, source: Any, variables: Any) -> bool:
        """Whether what was given can be used at all; a caller in SQL gives anything that JSON may hold."""
        if source is None:
            self.refuse("source", "no source was given", "Give a stage, a Git repository or a folder.")
        for what, given in (("variables", variables), ("secrets", self.secrets)):
            if not isinstance(given, Mapping):
                found = type(given).__name__
                self.refuse(what, f"{what}: expected an object of values by name, found {found}", "Give {NAME: value}.")
        for name, value in self.secrets.items() if isinstance(self.secrets, Mapping) else ():
            if not isinstance(value, str) or not value:
                what = "an empty text" if value == "" else "null" if value is None else type(value).__name__
                self.refuse("secret", f"the secret {name}: expected text, found {what}", "Give its value as text.")
        return not self.report["failures"]

    # -- provisioning ------------------------------------------------------------------------------------------------

    def validated(self, source: ManifestSource | str | Path, values: Mapping[str, Any], env: str | None) -> Desired:
        """What the manifest declares for this client; nothing but files is read."""
        assert self.target is not None
        self.report["target"] = sql_path(self.target)
        opened = self.provider.open(source)
        self.report |= {"source": opened.name, "commit": getattr(opened, "commit", None)}

        def declared(given: Mapping[str, Any]) -> Desired:
            assert self.target is not None
            return self.provider.validate(opened, target=sql_path(self.target), vars=given, env=env)

        desired = declared(values)
        if names := risky(values):
            found = changed_structure(desired, lambda: declared(harmless(values)), names)
            if found:
                raise DiagnosticsError(found)
        return desired

    def fill(self, desired: Desired, allow: Sequence[str]) -> dict[str, Any]:
        """Plan, make the schema, run; again while another run is in the way."""
        assert self.target is not None
        ended: Report | None = None
        used: set[str] = set()
        former: set[tuple[str, int]] = set()
        for attempt in range(1, ATTEMPTS + 1):
            self.report |= {"failures": [], "skipped": []}  # of an attempt before
            there = self._schema()
            if attempt > 1 and there is None:
                text = f"the schema {sql_path(self.target)} was dropped while this call filled it"
                return self.refuse("off-boarded", text, "Call again if the client is to be there.")
            if there is not None and not self._is_mine(there):
                return self._not_a_client(there, "filled")
            plan = self.provider.plan_desired(desired, expected=[("schema", self.target)])
            if attempt == 1:
                self.report["warnings"] = [str(each) for each in plan.diagnostics]
            try:
                self.provider.check(plan, allow)  # before the schema is made: what is refused leaves nothing behind
            except BlockedPlanError as error:
                return self.refuse("destructive", str(error), "Allow it by kind or by address, or change the manifest.")
            except SecretError as error:
                return self.refuse("secret", str(error), "Give the value with the call: secrets={NAME: value}.")
            if there is None:
                self._make_schema()
            ended = self.provider.run(plan, allow=allow)
            self._note(plan, ended)
            used |= _secrets_of(plan)
            failed = {(event.name, event.errno) for event in ended.of(Outcome.FAILED)}
            if ended.ok or not any(errno in _RACE for _, errno in failed):
                break
            if failed == former and not ended.of(Outcome.APPLIED):
                break  # nobody else is at work: it fails for itself
            former = failed
            time.sleep(random.uniform(0.05, 0.3) * attempt)
        self._end(ended)
        self.report["warnings"] += [
            f"the secret {name} was given, and nothing set it: the manifest does not name it, or it is set already; "
            "raise its version there to set it anew"
            for name in sorted(set(self.secrets) - used)
        ]
        if self.report["status"] != "failed" and any(each.origin == "notifications" for each in desired.resources):
            self._tell()
        return self.report

    def _is_mine(self, comment: str) -> bool:
        """Whether a schema is this client's by its comment, which tells ids apart that differ in letter case only."""
        return comment in (MARK, self._mark)

    @property
    def _mark(self) -> str:
        return f"{MARK} {self.client}"

    def _schema(self) -> str | None:
        """The comment of the client's schema; None where it is not there."""
        assert self.target is not None
        database, schema = self.target
        pattern = string_literal(schema.replace("_", "\\_"))
        statement = f"SHOW SCHEMAS LIKE {pattern} IN DATABASE {database.sql}"
        rows = self._execute(statement, f"CREATE SCHEMA on database {database.sql}, or any privilege that shows it")
        return next((str(row.get("comment") or "") for row in rows if row["name"] == schema), None)

    def _execute(self, statement: str, privilege: str) -> Rows:
        """Run a statement of this module's own; a refusal says which privilege it takes."""
        try:
            return self.provider.session.execute(statement)
        except StatementError as error:
            if error.errno in _PRIVILEGE:
                error.add_note(f"The owner of the procedure needs {privilege}.")
            if error.errno == _UNSEEN:
                error.add_note("The schema is there and this role has no privilege on it: somebody else owns it.")
            if error.errno in _TRANSACTION:
                error.add_note("End the open transaction before the call: DDL would commit it.")
            raise

    def _make_schema(self) -> None:
        assert self.target is not None
        statement = f"CREATE SCHEMA IF NOT EXISTS {sql_path(self.target)} COMMENT = {string_literal(self._mark)}"
        self._execute(statement, f"CREATE SCHEMA on database {self.target[0].sql}")
        name = f"schema {sql_path(self.target)}"
        self.report["changes"].append({"address": name, "action": "create", "statements": [statement]})

    def _not_a_client(self, comment: str, what: str) -> dict[str, Any]:
        assert self.target is not None
        name = sql_path(self.target)
        if comment.startswith(MARK):
            text = f"the schema {name} is that of the client {comment[len(MARK) :].strip()}; it is not {what}"
            return self.refuse("another-client", text, "Write the id as it was written first, or choose another.")
        comment = f"COMMENT ON SCHEMA {name} IS '{self._mark}'"
        remedy = f"Choose another client id. If it is a client all the same: {comment}."
        return self.refuse("not-a-client", f"the schema {name} is there and none of a client; it is not {what}", remedy)

    def _note(self, plan: Plan, ended: Report) -> None:
        """What this attempt did; failures and skipped changes are those of the last attempt."""
        texts = {change.address: [_shortened(str(each)) for each in change.statements] for change in plan.changes}
        for event in ended.of(Outcome.APPLIED):
            if event.address is not None and event.action is not None:
                entry = {"address": str(event.address), "action": event.action.value}
                self.report["changes"].append({**entry, "statements": texts[event.address]})
        self.report["skipped"] = [{"address": e.name, "because": e.because} for e in ended.of(Outcome.SKIPPED)]
        self.report["failures"] = [_failure(event) for event in ended.of(Outcome.FAILED)]

    def _end(self, ended: Report | None) -> None:
        if ended is None or not ended.ok:
            self.report["status"] = "failed"
        elif self.report["changes"]:
            self.report["status"] = "ok"

    def _tell(self) -> None:
        """CLIENT_PROVISIONED into the client's notification centre; NOTIFY itself sees to it that it stands once."""
        assert self.target is not None
        statement = f"CALL {sql_path(self.target)}.NOTIFY('CLIENT_PROVISIONED', NULL, 'provisioned')"
        try:
            self.provider.session.execute(statement)
        except PinkyError as error:
            self.report["warnings"].append(f"the client is complete, but NOTIFY failed: {error}")

    # -- off-boarding ------------------------------------------------------------------------------------------------

    def drop(self) -> dict[str, Any]:
        """DROP SCHEMA, where it is that of a client."""
        assert self.target is not None
        name = sql_path(self.target)
        self.report["target"] = name
        there = self._schema()
        if there is None:
            text = f"{name} is not there, or this role has no privilege on it; only its owner sees it for certain"
            self.report["warnings"].append(text)
            return self.report
        if not self._is_mine(there):
            return self._not_a_client(there, "dropped")
        statement = f"DROP SCHEMA IF EXISTS {name} CASCADE"
        self._execute(statement, f"OWNERSHIP on schema {name}")
        self.report["status"] = "ok"
        self.report["changes"] = [{"address": f"schema {name}", "action": "drop", "statements": [statement]}]
        text = "what was dropped can be brought back by UNDROP SCHEMA until its retention time is over"
        self.report["warnings"].append(text)
        return self.report


def _or_none(value: Any) -> Any:
    """None for NULL in an argument of type VARIANT, which a handler gets as an object that says so."""
    return None if getattr(value, "is_sql_null", False) else value


def _secrets_of(plan: Plan) -> set[str]:
    """Names of the given secrets that a plan sends."""
    parts = (part for each in plan.statements() for part in each.parts)
    return {part.locator for part in parts if isinstance(part, SecretReference) and part.scheme == "given"}


def _shortened(text: str) -> str:
    """A statement as a report holds it: the bodies of procedures would make it megabytes."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _failure(event: Event) -> dict[str, Any]:
    message = event.error.partition("\n")[0]
    found = {"code": f"{event.errno:06d}" if event.errno else "failed", "message": message, "remediation": event.hint}
    return {"address": event.name, **found, "statement": _shortened(event.statement)}

