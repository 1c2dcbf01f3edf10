"""What a block is made of. Texts are spans of tokens of the block's own text: first, and one past the last."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinky_local.engine.datatypes import DataType

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """A statement of a block; ``at`` is its first token."""

    at: int


@dataclass(frozen=True, slots=True)
class Declare(Node):
    """LET, or a line of DECLARE: a variable with its type (None: that of its value) and its value (None: NULL)."""

    name: str
    kind: DataType | None
    value: Span | None


@dataclass(frozen=True, slots=True)
class DeclareException(Node):
    """name EXCEPTION [(number, 'message')]."""

    name: str
    number: int
    message: str


@dataclass(frozen=True, slots=True)
class DeclareCursor(Node):
    """name CURSOR FOR query, or for the RESULTSET of a variable."""

    name: str
    query: Span


@dataclass(frozen=True, slots=True)
class DeclareResult(Node):
    """name RESULTSET [:= (statement)]; the span is the statement."""

    name: str
    query: Span | None


@dataclass(frozen=True, slots=True)
class Assign(Node):
    """name := expression."""

    name: str
    value: Span


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """IF and CASE: conditions with their statements, in order. ``subject`` is what a simple CASE compares."""

    branches: list[tuple[Span, list[Node]]]
    otherwise: list[Node]
    subject: Span | None = None


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """WHILE (``before``), REPEAT (``after``: until) and LOOP (neither)."""

    body: list[Node]
    before: Span | None = None
    after: Span | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class CountedLoop(Node):
    """FOR name IN [REVERSE] first TO last."""

    name: str
    first: Span
    last: Span
    reverse: bool
    body: list[Node]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class RowLoop(Node):
    """FOR name IN cursor or RESULTSET."""

    name: str
    source: str
    body: list[Node]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Leave(Node):
    """BREAK (``stop``) or CONTINUE of the innermost loop or the one with this label."""

    stop: bool
    label: str | None


@dataclass(frozen=True, slots=True)
class Return(Node):
    """RETURN [expression], or RETURN TABLE(name)."""

    value: Span | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Raise(Node):
    """RAISE [name]."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Open(Node):
    """OPEN cursor [USING (expression, …)]."""

    name: str
    using: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fetch(Node):
    """FETCH cursor INTO name, …."""

    name: str
    into: list[str]


@dataclass(frozen=True, slots=True)
class Close(Node):
    """CLOSE cursor."""

    name: str


@dataclass(frozen=True, slots=True)
class Nothing(Node):
    """NULL."""


@dataclass(frozen=True, slots=True)
class Sql(Node):
    """An SQL statement; ``into`` is the clause taken out of it, with the variables that it names."""

    text: Span
    into: tuple[Span, list[str]] | None = None


@dataclass(frozen=True, slots=True)
class Handler:
    """WHEN name [OR name …] [EXIT | CONTINUE] THEN."""

    names: list[str]
    goes_on: bool
    body: list[Node]


@dataclass(frozen=True, slots=True)
class Block(Node):
    """[DECLARE …] BEGIN … [EXCEPTION …] END."""

    declarations: list[Node]
    body: list[Node]
    handlers: list[Handler]
