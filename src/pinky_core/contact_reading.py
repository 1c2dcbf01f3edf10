"""Which contacts objects hold, read in bulk by GET_CONTACTS and told apart by SHOW CONTACTS.

https://docs.snowflake.com/en/sql-reference/functions/get_contacts. The function leaves the contact's name out: it says
the purpose, how the contact is reached, and the level it was attached at. So the contacts of the schemas concerned, and
where it is none of them those of the whole database, are compared by how they are reached, and the function's third
argument, which leaves other contacts out, tells which it is. A contact of another database comes last.

The function knows databases, schemas and what is like a table. What the account holds is what databases inherit from
above. What tasks hold is told by https://docs.snowflake.com/en/sql-reference/account-usage/contact_references alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from pinky_core.address import Address, Identifier, sql_path
from pinky_core.contact_references import PURPOSES, Held, Holder, Path
from pinky_core.diagnostics import Diagnostic
from pinky_core.errors import DiagnosticsError, NotVisibleError, StatementError
from pinky_core.read import BULK_FROM, CEILING, TOO_MANY_ROWS, Reader, is_standard_database
from pinky_core.session import Rows
from pinky_core.sql import string_literal

__all__ = ["read_held", "users_of"]

AT_ONCE = 100
"""Objects asked in one statement; one SELECT each, joined by UNION ALL."""

Method = tuple[str, frozenset[str]]


@attrs.frozen
class _Question:
    """One call of GET_CONTACTS: about an object, and where it probes, whether it is this contact.

    ``above``: not what the object itself holds is asked, but what it inherits.
    """

    domain: str
    path: Path
    contact: Path | None = None
    above: bool = False

    def sql(self, number: int) -> str:
        arguments = [sql_path(self.path), self.domain]
        if self.contact is not None:
            arguments.append(sql_path(self.contact))
        called = ", ".join(string_literal(each) for each in arguments)
        columns = 'PURPOSE, EMAIL_DISTRIBUTION_LIST, URL, "USER" AS USERNAME, LEVEL'
        return f"SELECT {number} AS ASKED, {columns} FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS({called}))"


def read_held(reader: Reader, objects: Sequence[tuple[Address, Holder, Path]]) -> dict[Address, dict[str, Held]]:
    """By address: what the object itself holds, by purpose in lower case. Objects that are not there hold nothing.

    Raises `DiagnosticsError` where contacts of tasks are asked for that the role may not read.
    """
    questions = {
        address: _Question(holder.domain, path)
        for address, holder, path in objects
        if holder.domain and (len(path) == 3 or reader.container_exists(path))
    }
    late = {path: address for address, holder, path in objects if holder.depth and not holder.domain}
    answers = _ask(reader, questions.values())
    own = {address: _own(answers[question], question) for address, question in questions.items() if question in answers}
    found = {**_resolved(reader, questions, own), **_late(reader, late)}
    for address, holder, _ in objects:
        if not holder.depth:
            found[address] = _of_account(reader)
    return found


def _resolved(
    reader: Reader, questions: Mapping[Address, _Question], own: Mapping[Address, Mapping[str, Method]]
) -> dict[Address, dict[str, Held]]:
    """Which contacts they are that are reached in these ways.

    Where all contacts of the database are known and one fits, it is that one. Otherwise the function is asked about
    those that fit, for another one, in a schema that was not listed, may be reached in the same way; then about others
    of the database, and of the account.
    """
    wanted = {(address, purpose): method for address, purposes in own.items() for purpose, method in purposes.items()}
    contacts, complete = _near(reader, {questions[address] for address, _ in wanted})
    found = {key: set(contacts[m]) for key, m in wanted.items() if complete and len(contacts.get(m, ())) == 1}
    found.update(_probed(reader, questions, {k: m for k, m in wanted.items() if k not in found}, contacts))
    for everywhere in (False, True):
        left = {key: method for key, method in wanted.items() if key not in found}
        if left:
            listed = _listed(reader, {()} if everywhere else {questions[address].path[:1] for address, _ in left})
            others = {method: paths - contacts.get(method, set()) for method, paths in listed.items()}
            found.update(_probed(reader, questions, left, others))
            contacts = listed
    return {
        address: {
            purpose: Held(frozenset(found.get((address, purpose), ())), _shown(method))
            for purpose, method in purposes.items()
        }
        for address, purposes in own.items()
    }


def _of_account(reader: Reader) -> dict[str, Held]:
    """What the account holds: what its own databases inherit, for imported ones have another account above.

    One is asked first, others where it has contacts of its own.
    """
    names = sorted(Identifier(row["name"]) for row in reader.listing("DATABASES", ()) if is_standard_database(row))
    questions: dict[Address, _Question] = {}
    inherited: dict[Address, dict[str, Method]] = {}
    hidden = set(PURPOSES)
    for start, end in ((0, 1), *((n, n + AT_ONCE) for n in range(1, len(names), AT_ONCE))):
        asked = [_Question("DATABASE", (name,), above=True) for name in names[start:end]]
        answers = _ask(reader, asked)
        for question in (each for each in asked if each in answers):
            address = Address("database", question.path)
            above = _own(answers[question], question)
            questions[address] = question
            inherited[address] = {purpose: method for purpose, method in above.items() if purpose in hidden}
            hidden &= _own(answers[question], attrs.evolve(question, above=False)).keys()
        if not hidden:
            break
    held = _resolved(reader, questions, {address: methods for address, methods in inherited.items() if methods})
    return {purpose: each for purposes in held.values() for purpose, each in purposes.items()}


def _late(reader: Reader, addresses: Mapping[Path, Address]) -> dict[Address, dict[str, Held]]:
    """What objects hold that GET_CONTACTS does not know, by name; up to two hours late."""
    there = {path for path in addresses if reader.container_exists(path[:2])}
    if not there:
        return {}
    databases = ", ".join(string_literal(name) for name in sorted({path[0] for path in there}))
    schemas = ", ".join(string_literal(name) for name in sorted({path[1] for path in there}))
    text = (
        "SELECT CONTACT_DATABASE, CONTACT_SCHEMA, CONTACT_NAME, CONTACT_PURPOSE, OBJECT_DATABASE, OBJECT_SCHEMA, "
        "OBJECT_NAME FROM SNOWFLAKE.ACCOUNT_USAGE.CONTACT_REFERENCES WHERE OBJECT_DOMAIN = 'TASK' "
        f"AND OBJECT_DELETED IS NULL AND OBJECT_DATABASE IN ({databases}) AND OBJECT_SCHEMA IN ({schemas})"
    )
    try:
        rows = reader.rows(text)
    except NotVisibleError:
        summary = "this role may not read SNOWFLAKE.ACCOUNT_USAGE.CONTACT_REFERENCES, which alone tells tasks' contacts"
        hint = "Grant it the database role SNOWFLAKE.GOVERNANCE_VIEWER, or attach the contacts to the schema."
        raise DiagnosticsError(
            [Diagnostic.error("not-visible", summary, hint=hint, address=addresses[path]) for path in sorted(there)]
        ) from None
    found: dict[Address, dict[str, Held]] = {}
    for row in rows:
        path = tuple(Identifier(row[f"object_{part}"]) for part in ("database", "schema", "name"))
        contact = tuple(Identifier(row[f"contact_{part}"]) for part in ("database", "schema", "name"))
        if path in there:
            purposes = found.setdefault(addresses[path], {})
            purposes[str(row["contact_purpose"]).lower()] = Held(frozenset({contact}), sql_path(contact))
    return found


def _probed(
    reader: Reader,
    questions: Mapping[Address, _Question],
    unclear: Mapping[tuple[Address, str], Method],
    contacts: Mapping[Method, set[Path]],
) -> dict[tuple[Address, str], set[Path]]:
    """Which contact it is of several that are reached alike, by asking about them, the likeliest first.

    A thousand clients may have the same address of a steward; so those of the object's own schema are asked about,
    then those of PUBLIC, and all the others only where it is none of these.
    """
    found: dict[tuple[Address, str], set[Path]] = {}
    rounds: dict[tuple[Address, str], list[list[Path]]] = {}
    for (address, purpose), method in unclear.items():
        near: dict[int, list[Path]] = {}
        for candidate in sorted(contacts.get(method, ())):
            near.setdefault(_nearness(candidate, questions[address].path), []).append(candidate)
        rounds[address, purpose] = [near[each] for each in sorted(near)]
    for number in range(3):
        asked: dict[_Question, list[tuple[Address, str]]] = {}
        for key, candidates in rounds.items():
            for candidate in candidates[number] if key not in found and number < len(candidates) else ():
                asked.setdefault(attrs.evolve(questions[key[0]], contact=candidate), []).append(key)
        answers = _ask(reader, asked)
        for question, keys in asked.items():
            held = _own(answers.get(question, []), question)
            for address, purpose in keys:
                if purpose in held and question.contact is not None:
                    found.setdefault((address, purpose), set()).add(question.contact)
    return found


def _nearness(contact: Path, item: Path) -> int:
    return 0 if contact[:2] == item[:2] else 1 if contact[1] == "PUBLIC" else 2


def _ask(reader: Reader, questions: Iterable[_Question]) -> dict[_Question, list[Mapping[str, object]]]:
    """The rows for each question, many in one statement; a question about what is not there has no rows."""
    asked = list(dict.fromkeys(questions))
    parts = [asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)]
    for part in parts:
        reader.start(_joined(part))
    found: dict[_Question, list[Mapping[str, object]]] = {}
    for part in parts:
        rows = reader.rows_or_none(_joined(part))
        if rows is not None:
            _sort(rows, part, found)
            continue
        for question in part:  # one of them is not there, or may not be seen: ask for each by itself
            one = reader.rows_or_none(_joined([question])) if len(part) > 1 or _may_be_missing(question) else None
            if one is not None:
                _sort(one, [question], found)
            elif not _may_be_missing(question):
                reader.rows(_joined([question]))
    return found


def _may_be_missing(question: _Question) -> bool:
    """What was declared was seen before it is asked about; a table or a contact can be gone, or not made yet.

    A database that is asked for what the account holds may be one on which this role has no privilege.
    """
    return len(question.path) == 3 or question.contact is not None or question.above


def _joined(part: Sequence[_Question]) -> str:
    return " UNION ALL ".join(question.sql(number) for number, question in enumerate(part))


def _sort(rows: Rows, part: Sequence[_Question], found: dict[_Question, list[Mapping[str, object]]]) -> None:
    for question in part:
        found.setdefault(question, [])
    for row in rows:
        found[part[int(row["asked"])]].append(row)


def _own(rows: Iterable[Mapping[str, object]], question: _Question) -> dict[str, Method]:
    """How each purpose's contact is reached, of those attached to the object itself (or above it); users by row."""
    users: dict[str, set[str]] = {}
    found: dict[str, Method] = {}
    for row in rows:
        if (str(row["level"]).upper() != question.domain) is not question.above:
            continue
        purpose = str(row["purpose"]).lower()
        if row["username"]:
            users.setdefault(purpose, set()).add(str(row["username"]))
            found[purpose] = ("users", frozenset(users[purpose]))
        else:
            found[purpose] = _method(row["email_distribution_list"], row["url"], ())
    return found


def _method(email: object, url: object, users: Iterable[str]) -> Method:
    named = frozenset(users)
    if named:
        return "users", named
    return ("email", frozenset({str(email)})) if email else ("url", frozenset({str(url)} if url else ()))


def _near(reader: Reader, questions: set[_Question]) -> tuple[dict[Method, set[Path]], bool]:
    """The contacts of the objects' schemas and of PUBLIC, by how they are reached, and whether they are all there are.

    They are where one listing answers for a whole database. What the account holds can lie in any database.
    """
    if any(question.above for question in questions):
        return _listed(reader, {()}), True
    found: dict[Method, set[Path]] = {}
    schemas: dict[Path, set[Path]] = {}
    for path in (question.path for question in questions):
        schemas.setdefault(path[:1], {(path[0], Identifier("PUBLIC"))}).update({path[:2]} if len(path) > 1 else ())
    parts: set[Path] = set()
    for database, paths in schemas.items():
        rows = reader.rows(f"SHOW CONTACTS IN DATABASE {sql_path(database)}") if len(paths) >= BULK_FROM else None
        if rows is not None and len(rows) < CEILING:
            _note(found, None, rows)
        else:
            parts |= {path for path in paths if reader.container_exists(path)}
    for container, rows in reader.by_container("CONTACTS", parts, pages=False).items():
        _note(found, (*map(Identifier, container),), rows)
    return found, not parts


def _listed(reader: Reader, containers: set[Path]) -> dict[Method, set[Path]]:
    """All contacts of these databases, or of the account, that the role sees; none where they are too many to list."""
    found: dict[Method, set[Path]] = {}
    for container in sorted(containers):
        try:
            _note(found, None, reader.listing("CONTACTS", container, pages=False))
        except StatementError as error:  # not visible, or more than SHOW gives
            if not isinstance(error, NotVisibleError) and error.errno != TOO_MANY_ROWS:
                raise
    return found


def _note(found: dict[Method, set[Path]], container: Path | None, rows: Rows) -> None:
    for row in rows:
        place = container or (Identifier(row["database_name"]), Identifier(row["schema_name"]))
        method = _method(row.get("email_distribution_list"), row.get("url"), users_of(row) or ())
        found.setdefault(method, set()).add((*place, Identifier(row["name"])))


def _shown(method: Method) -> str:
    return ", ".join(sorted(method[1])) or "(no way to reach it)"


def users_of(row: Mapping[str, Any]) -> tuple[Identifier, ...] | None:
    """The users in a row of SHOW CONTACTS."""
    raw = row.get("users")
    found = json.loads(raw) if isinstance(raw, str) and raw.strip().startswith("[") else raw
    return tuple(Identifier(each) for each in found) if isinstance(found, (list, tuple)) and found else None
