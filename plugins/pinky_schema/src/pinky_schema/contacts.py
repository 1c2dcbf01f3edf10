"""The manifest section ``contacts``: contacts of a schema, made and attached for their purposes in one go.

https://docs.snowflake.com/en/user-guide/contacts-using. The convention: STEWARD is reached by e-mail, SUPPORT is shared
by all schemas of a database and lies in PUBLIC, APPROVER and SECURITY_COMPLIANCE are pages of the portal. Names and
purposes differ in one place: Snowflake's purpose ACCESS_APPROVAL has the label Approver (decision 0012).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pinky_core import Expanded, Identifier, Section, SectionContext, SectionError, parse_path
from pinky_core.contact_references import PURPOSES

__all__ = ["CONTACTS", "CONVENTION"]

CONVENTION: Mapping[str, str] = {
    "STEWARD": "steward",
    "SUPPORT": "support",
    "APPROVER": "access_approval",
    "ACCESS_APPROVAL": "access_approval",
    "SECURITY_COMPLIANCE": "security_compliance",
}
"""The purpose that the name of a contact stands for."""

_METHODS = ("email", "email_distribution_list", "url", "users")
_PURPOSE_WORDS = ", ".join(purpose.upper() for purpose in PURPOSES)
_TEXT = {"type": "string", "minLength": 1}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "description": "Contacts of the schema by name. STEWARD, SUPPORT, APPROVER (for ACCESS_APPROVAL) and "
    "SECURITY_COMPLIANCE are attached for the purpose of their name; others need `purpose`.",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "email": {**_TEXT, "description": "An e-mail address; Snowflake calls it EMAIL_DISTRIBUTION_LIST."},
            "email_distribution_list": {**_TEXT, "description": "The same by Snowflake's name."},
            "url": {**_TEXT, "description": "A page."},
            "users": {"type": "array", "items": _TEXT, "minItems": 1, "description": "Users by name."},
            "comment": {"type": "string", "description": "Comment of the contact."},
            "shared": {
                **_TEXT,
                "description": "A contact that is there already, in PUBLIC of the same database say: it is attached "
                "and never written.",
            },
            "schema": {**_TEXT, "description": "Not here: a manifest of one schema writes into no other; see shared."},
            "purpose": {
                "type": ["string", "array"],
                "items": _TEXT,
                "description": f"What it is attached for, or several: {_PURPOSE_WORDS}.",
            },
        },
        "additionalProperties": False,
    },
}

Mistake = tuple[tuple[str | int, ...], str]


def expand(value: Any, context: SectionContext) -> Iterable[Expanded]:
    """A `contact` for each that is not shared, and one `contact_reference`; raises `SectionError`."""
    if len(context.place.target) != 2:
        text = "contacts are those of one schema: give the manifest `scope: schema` and a target DB.SCHEMA, or declare "
        raise SectionError([((), f"{text}the kinds `contact` and `contact_reference`")])
    mistakes: list[Mistake] = []
    attached: dict[str, str] = {}
    found: list[Expanded] = []
    for name, entry in value.items():
        mistakes += _entry_mistakes(name, entry, context)
        for purpose in _purposes(name, entry, mistakes):
            if purpose in attached:
                mistakes.append(((name,), f"{purpose.upper()} has a contact already: {attached[purpose]}"))
            attached.setdefault(purpose, entry.get("shared") or name)
        if "shared" not in entry:
            document = {key: entry[key] for key in (*_METHODS, "comment") if key in entry}
            found.append(Expanded("contact", {"name": name, **document}, "contacts", (name,)))
    if mistakes:
        raise SectionError(mistakes)
    if attached:
        found.append(Expanded("contact_reference", attached, "contacts"))
    return found


def _entry_mistakes(name: str, entry: Mapping[str, Any], context: SectionContext) -> Iterable[Mistake]:
    methods = [key for key in _METHODS if key in entry]
    database = context.place.target[0]
    if "shared" in entry:
        for key in (*methods, "comment"):
            if key in entry:
                yield (name, key), f"{name} is shared, so {key!r} is said where it is declared and not here"
        yield from _shared_mistakes(name, str(entry["shared"]), database)
    elif not methods:
        yield (name,), f"say how {name} is reached: one of {', '.join(_METHODS)}, or `shared` for one that is there"
    elif len(methods) > 1:
        yield (name, methods[1]), f"a contact is reached in one way; found {' and '.join(methods)}"
    if "schema" in entry:
        yield (
            (name, "schema"),
            f"a manifest of one schema writes into no other; declare {name} where {entry['schema']} is declared (kind "
            f"`contact` in the manifest of the database), and write `shared: {entry['schema']}.{name}` here",
        )
    try:
        parse_path(name)
    except ValueError as error:
        yield (name,), str(error)


def _shared_mistakes(name: str, text: str, database: Identifier) -> Iterable[Mistake]:
    try:
        parts = parse_path(text)
    except ValueError as error:
        yield (name, "shared"), str(error)
        return
    if len(parts) == 1:
        yield (name, "shared"), f"{text!r}: say in which schema it lies, such as PUBLIC.{text}"
    elif len(parts) == 3 and parts[0] != database:
        yield (name, "shared"), f"{text!r} lies in another database than the schema, {database.sql}"


def _purposes(name: str, entry: Mapping[str, Any], mistakes: list[Mistake]) -> list[str]:
    given = entry.get("purpose")
    if given is None:
        purpose = CONVENTION.get(name.upper())
        if purpose is None:
            near = difflib.get_close_matches(name.upper(), CONVENTION, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            mistakes.append(((name,), f"{name!r} stands for no purpose; give `purpose`: {_PURPOSE_WORDS}.{hint}"))
        return [purpose] if purpose is not None else []
    words = [given] if isinstance(given, str) else list(given)
    found = []
    for index, word in enumerate(words):
        path: tuple[str | int, ...] = (name, "purpose") if isinstance(given, str) else (name, "purpose", index)
        if word.lower() in PURPOSES:
            found.append(word.lower())
        elif word.upper() == "APPROVER":
            text = "Snowflake's word is ACCESS_APPROVAL; 'Approver' is only its label in Snowsight"
            mistakes.append((path, f"{word!r} is no purpose: {text}"))
        else:
            near = difflib.get_close_matches(word.upper(), [purpose.upper() for purpose in PURPOSES], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            mistakes.append((path, f"{word!r} is no purpose; Snowflake has {_PURPOSE_WORDS}.{hint}"))
    return found


CONTACTS = Section(
    key="contacts",
    schema=_SCHEMA,
    expand=expand,
    doc="Contacts of the schema, attached to it for the purposes of their names.",
)
