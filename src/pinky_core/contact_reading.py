"""Which contacts objects hold, read in bulk by GET_CONTACTS and told apart by SHOW CONTACTS.

https://docs.snowflake.com/en/sql-reference/functions/get_contacts. The function leaves the contact's name out: it says
the purpose, how the contact is reached, and the level it was attached at. So the contacts of the schemas concerned, and
where none of them fits those of the whole database, are compared by how they are reached; two that are reached alike
are told apart by the function's third argument, which leaves other contacts out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from pinky_core import Address, Identifier, NotVisibleError, Reader, Rows, sql_path, string_literal
from pinky_schema.contact import users_of
from pinky_schema.contact_reference import HOLDERS, Held

__all__ = ["read_held"]

AT_ONCE = 100
"""Objects asked in one statement; one SELECT each, joined by UNION ALL."""

Path = tuple[Identifier, ...]
Method = tuple[str, frozenset[str]]


@attrs.frozen
class _Question:
    """One call of GET_CONTACTS: about an object, and where it probes, whether it is this contact."""

    type: str
    path: Path
    contact: Path | None = None

    def sql(self, number: int) -> str:
        arguments = [sql_path(self.path), HOLDERS[self.type].domain]
        if self.contact is not None:
            arguments.append(sql_path(self.contact))
        called = ", ".join(string_literal(each) for each in arguments)
        columns = 'PURPOSE, EMAIL_DISTRIBUTION_LIST, URL, "USER" AS USERNAME, LEVEL'
        return f"SELECT {number} AS ASKED, {columns} FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS({called}))"


def read_held(reader: Reader, objects: Sequence[tuple[Address, str, Path]]) -> dict[Address, dict[str, Held]]:
    """By address: what the object itself holds, by purpose in lower case. Objects that are not there hold nothing."""
    there = [each for each in objects if len(each[2]) == 3 or reader.container_exists(each[2])]
    questions = {address: _Question(word, path) for address, word, path in there}
    answers = _ask(reader, questions.values())
    own = {address: _own(answers.get(question, []), question) for address, question in questions.items()}
    contacts = _contacts(reader, {q.path for a, q in questions.items() if own[a]}, _methods(own.values()))
    probed = _probe(reader, questions, own, contacts)
    return {
        address: {
            purpose: Held(frozenset(probed.get((address, purpose), contacts.get(method, ()))), _shown(method))
            for purpose, method in purposes.items()
        }
        for address, purposes in own.items()
    }


def _probe(
    reader: Reader,
    questions: Mapping[Address, _Question],
    own: Mapping[Address, Mapping[str, Method]],
    contacts: Mapping[Method, set[Path]],
) -> dict[tuple[Address, str], set[Path]]:
    """Which contact it is where several are reached alike, by asking about one after the other, the likeliest first.

    A thousand clients may have the same address of a steward; so those of the object's own schema are asked about,
    then those of PUBLIC, and all the others only where it is none of these.
    """
    unclear = {
        (address, purpose): method
        for address, purposes in own.items()
        for purpose, method in purposes.items()
        if len(contacts.get(method, ())) > 1
    }
    found: dict[tuple[Address, str], set[Path]] = {}
    for nearness in range(3):
        asked: dict[_Question, list[tuple[Address, str]]] = {}
        for (address, purpose), method in unclear.items():
            if (address, purpose) in found:
                continue
            question = questions[address]
            for candidate in sorted(contacts[method]):
                if _nearness(candidate, question.path) == nearness:
                    asked.setdefault(attrs.evolve(question, contact=candidate), []).append((address, purpose))
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
    """A schema was seen before it is asked about; a table or a contact can be gone, or not made yet."""
    return len(question.path) == 3 or question.contact is not None


def _joined(part: Sequence[_Question]) -> str:
    return " UNION ALL ".join(question.sql(number) for number, question in enumerate(part))


def _sort(rows: Rows, part: Sequence[_Question], found: dict[_Question, list[Mapping[str, object]]]) -> None:
    for row in rows:
        found.setdefault(part[int(row["asked"])], []).append(row)


def _own(rows: Iterable[Mapping[str, object]], question: _Question) -> dict[str, Method]:
    """How each purpose's contact is reached, of those attached to the object itself; a row for each user."""
    level = HOLDERS[question.type].domain
    users: dict[str, set[str]] = {}
    found: dict[str, Method] = {}
    for row in rows:
        if str(row["level"]).upper() != level:
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


def _methods(found: Iterable[Mapping[str, Method]]) -> set[Method]:
    return {method for purposes in found for method in purposes.values()}


def _contacts(reader: Reader, objects: set[Path], wanted: set[Method]) -> dict[Method, set[Path]]:
    """The contacts that are reached in each of these ways; those of the objects' schemas and PUBLIC come first."""
    schemas = {path[:2] for path in objects} | {(path[0], Identifier("PUBLIC")) for path in objects}
    visible = {path for path in schemas if reader.container_exists(path)}
    found: dict[Method, set[Path]] = {}
    for container, rows in reader.by_container("CONTACTS", visible, pages=False).items():
        _note(found, (*map(Identifier, container),), rows)
    for database in sorted({path[:1] for path in objects}) if wanted - found.keys() else ():
        try:
            _note(found, None, reader.listing("CONTACTS", database, pages=False))
        except NotVisibleError:
            continue
    return found


def _note(found: dict[Method, set[Path]], container: Path | None, rows: Rows) -> None:
    for row in rows:
        place = container or (Identifier(row["database_name"]), Identifier(row["schema_name"]))
        method = _method(row.get("email_distribution_list"), row.get("url"), users_of(row) or ())
        found.setdefault(method, set()).add((*place, Identifier(row["name"])))


def _shown(method: Method) -> str:
    return ", ".join(sorted(method[1])) or "(no way to reach it)"
