"""Statements from a `Spec`: literals, CREATE, ALTER … SET / UNSET, RENAME, DROP.

A finished `Statement` is text, except where a secret belongs: there it holds the reference, and the value is put in
while it is sent.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from pinky_core.address import Address, Identifier
from pinky_core.secret import SecretReference
from pinky_core.spec import ABSENT, Field, Spec, spec_of

__all__ = [
    "Statement",
    "alter_set",
    "alter_unset",
    "assignment",
    "create",
    "drop",
    "literal",
    "rename",
    "statement",
    "string_literal",
]


@attrs.frozen
class Statement:
    """One finished statement; ``parts`` alternates text and `SecretReference`."""

    parts: tuple[str | SecretReference, ...]

    @property
    def text(self) -> str:
        """The statement as people see it: a secret shows as its reference."""
        return "".join(part if isinstance(part, str) else f"'<{part}>'" for part in self.parts)

    @property
    def has_secrets(self) -> bool:
        """Whether a value must be resolved before it can be sent."""
        return any(isinstance(part, SecretReference) for part in self.parts)

    def render(self, resolve: Callable[[SecretReference], str]) -> str:
        """The statement as it is sent."""
        return "".join(part if isinstance(part, str) else string_literal(resolve(part)) for part in self.parts)

    def __str__(self) -> str:
        return self.text


def statement(*parts: str | SecretReference | Statement) -> Statement:
    """Join text, secrets and pieces of other statements; neighbouring texts are merged."""
    merged: list[str | SecretReference] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Statement) else (part,):
            if isinstance(piece, str) and merged and isinstance(merged[-1], str):
                merged[-1] += piece
            else:
                merged.append(piece)
    return Statement(tuple(merged))


def string_literal(text: str) -> str:
    """A single-quoted literal; backslashes are escape characters in Snowflake, so both are doubled.

    https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def literal(value: Any) -> str:
    """A value as SQL: text quoted, identifiers and keywords bare, lists in parentheses."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, decimal.Decimal)):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    spelled = getattr(value, "sql", None)
    if isinstance(spelled, str):  # Identifier, Keyword, DataType and their like know their own spelling
        return spelled
    if isinstance(value, str):
        return string_literal(value)
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(literal(each) for each in value) + ")"
    raise TypeError(f"no SQL literal for {type(value).__name__}")


def assignment(field: Field, value: Any) -> Statement:
    """``AUTO_SUSPEND = 60``; a secret stays a reference."""
    if isinstance(value, SecretReference):
        return statement(f"{field.sql} = ", value)
    return statement(f"{field.sql} = {literal(value)}")


def joined(pieces: Iterable[Statement | str], separator: str) -> Statement:
    """The pieces with a separator between them."""
    parts: list[str | SecretReference | Statement] = []
    for piece in pieces:
        if parts:
            parts.append(separator)
        parts.append(piece)
    return statement(*parts)


def declared_assignments(spec: Spec, value: Any, *, skip: Iterable[str] = ()) -> list[Statement]:
    """``NAME = value`` for every declared, non-null field with a property name, in declaration order."""
    left_out = frozenset(skip)
    return [
        assignment(field, content)
        for field in spec.fields
        if field.sql
        and field.name not in left_out
        and (content := getattr(value, field.name)) is not ABSENT
        and content is not None
    ]


def create(address: Address, value: Any, *, words: str = "", skip: Iterable[str] = ()) -> Statement:
    """``CREATE [words] <type> <name> PROPERTY = value …`` for everything declared."""
    spec = spec_of(value)
    head = " ".join(each for each in ("CREATE", words, spec.sql, address.sql) if each)
    return joined([head, *declared_assignments(spec, value, skip=skip)], " ")


def alter_set(spec: Spec, address: Address, assignments: Sequence[Statement]) -> Statement:
    """``ALTER <type> <name> SET A = 1, B = 2``."""
    return statement(f"ALTER {spec.sql} {address.sql} SET ", joined(assignments, ", "))


def alter_unset(spec: Spec, address: Address, names: Sequence[str]) -> Statement:
    """``ALTER <type> <name> UNSET A, B``."""
    return statement(f"ALTER {spec.sql} {address.sql} UNSET {', '.join(names)}")


def rename(spec: Spec, old: Address, new: Address) -> Statement:
    """``ALTER <type> <old> RENAME TO <new>``, both fully qualified."""
    return statement(f"ALTER {spec.sql} {old.sql} RENAME TO {new.sql}")


def drop(spec: Spec, address: Address) -> Statement:
    """``DROP <type> <name>``; without IF EXISTS, because the plan has seen it."""
    return statement(f"DROP {spec.sql} {address.sql}")


def identifier_list(names: Iterable[Identifier]) -> str:
    """``(A, "b")``."""
    return "(" + ", ".join(Identifier(name).sql for name in names) + ")"
