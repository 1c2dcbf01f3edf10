"""What integrations have in common: their statements, how DESCRIBE tells them, and that they cannot be renamed.

https://docs.snowflake.com/en/sql-reference/sql/create-integration, alter-integration and desc-integration
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pinky_core import (
    Action,
    Address,
    FieldChange,
    OnChange,
    Resource,
    Risk,
    Rows,
    SecretReference,
    Source,
    Spec,
    Statement,
    is_given,
    literal,
    parse_path,
    sql_path,
    statement,
)

__all__ = [
    "altered",
    "created",
    "described",
    "no_rename",
    "only_listed",
    "risk_of",
    "secret_mistakes",
    "secret_names",
    "spelled_secrets",
    "split_list",
]

_WORDS = ("all", "none")

Spell = Callable[[str, Any], "str | SecretReference | Statement"]
"""How a value of the field of this name is written in a statement."""

_EMPTY: tuple[Any, ...] = (None, (), {})


def created(
    words: str,
    body: Resource,
    address: Address,
    *,
    instead: Mapping[str, Any] | None = None,
    spell: Spell = lambda name, value: literal(value),
) -> Statement:
    """``CREATE [OR REPLACE] <type> <name> A = 1 B = 2``. What is empty is left out, ENABLED is demanded.

    ``instead`` are values that take the place of the body's own.
    """
    parts: list[str | SecretReference | Statement] = [f"{words} {body.spec.sql} {address.sql}"]
    for field in body.spec.fields:
        value = (instead or {}).get(field.name, getattr(body, field.name))
        if field.name == "enabled" and not is_given(value):
            value = True
        if field.sql and is_given(value) and value not in _EMPTY:
            parts += [f" {field.sql} = ", spell(field.name, value)]
    return statement(*parts)


def altered(
    body: Resource,
    address: Address,
    after: Mapping[str, Any],
    *,
    spell: Spell = lambda name, value: literal(value),
) -> list[Statement]:
    """SET of what has a value, then UNSET of what is empty; what cannot be unset is set to its default."""
    parts: list[str | SecretReference | Statement] = []
    gone: list[str] = []
    for field in body.spec.fields:
        if field.name not in after or not field.sql:
            continue
        value = after[field.name]
        if value in _EMPTY and (field.unset or field.default is None):
            gone.append(field.sql)
        else:
            parts += [f" {field.sql} = ", spell(field.name, field.default if value in _EMPTY else value)]
    head = f"ALTER {body.spec.sql} {address.sql}"
    return [
        *([statement(f"{head} SET", *parts)] if parts else []),
        *([statement(f"{head} UNSET {', '.join(gone)}")] if gone else []),
    ]


def risk_of(action: Action, changes: Sequence[FieldChange], lost: str) -> tuple[Risk, str]:
    """Whatever makes another integration of it loses its ties, which ``lost`` names."""
    if action is Action.DROP or any(change.on_change is OnChange.REFUSE for change in changes):
        return Risk.DESTRUCTIVE, lost
    return Risk.SAFE, ""


def only_listed(spec: Spec, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Raw values with none for required ones that the listing does not tell."""
    return {**{field.name: None for field in spec.fields if field.required}, **raw}


def described(spec: Spec, rows: Rows) -> dict[str, Any]:
    """Raw values by field from the rows of DESCRIBE INTEGRATION; an empty text is none."""
    told = {str(name).lower(): value for name, value in rows.pick("property", "property_value")}
    return {
        f.name: (told[f.name] if told[f.name] != "" else None)
        for f in spec.fields
        if f.source is Source.DESCRIBE and f.name in told
    }


def split_list(text: Any) -> tuple[str, ...]:
    """``a,b`` or ``[a,b]`` as its parts."""
    inner = str(text or "").strip().removeprefix("[").removesuffix("]")
    return tuple(each.strip() for each in inner.split(",") if each.strip())


def secret_names(names: Any, *, otherwise: str) -> list[str]:
    """Allowed secrets as they are compared: full names spelled alike and sorted, or the word all or none.

    ``otherwise`` is the word that an empty list, or none, means.
    """
    given = list(names) if is_given(names) and names else [otherwise]
    if len(given) == 1 and given[0].lower() in _WORDS:
        return [given[0].lower()]
    return sorted(sql_path(parse_path(each)) for each in given)


def spelled_secrets(names: Sequence[str]) -> str:
    """``(DB.S.A, DB.S.B)``, ``ALL`` or ``NONE``."""
    words = secret_names(names, otherwise="none")
    return words[0].upper() if words[0] in _WORDS else f"({', '.join(words)})"


def secret_mistakes(field: str, names: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with a list of allowed secrets: full names, or one of the words alone."""
    given = tuple(names or ())
    if not given:
        yield field, "an empty list says nothing: give [none] or [all]"
    if len(given) == 1 and given[0].lower() in _WORDS:
        return
    for name in given:
        if name.lower() in _WORDS:
            yield field, f"{name!r} stands alone"
            continue
        try:
            parts = parse_path(name)
        except ValueError as error:
            yield field, str(error)
            continue
        if len(parts) != 3:
            yield field, f"{name!r}: give database, schema and name of the secret"


def no_rename(cls: Any, text: str, address: Address) -> Address:
    """Refused: Snowflake cannot rename an integration."""
    raise ValueError("Snowflake cannot rename an integration: declare the new one, and drop the old one later")
