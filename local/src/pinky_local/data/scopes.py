"""What names mean inside one SELECT: sources, their columns, aliases, and the surrounding query."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinky_local.data.datatypes import SnowType
from pinky_local.data.refusals import ambiguous, invalid_identifier, unsupported


@dataclass(frozen=True, slots=True)
class Typed:
    """A DuckDB expression with the Snowflake type of its value."""

    sql: str
    type: SnowType
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a source: its Snowflake name, and the DuckDB expression it is read with.

    ``refused`` names a column that cannot be computed faithfully; reading it is refused.
    """

    name: str
    value: Typed
    refused: str | None = None


@dataclass(slots=True)
class Source:
    """One item of FROM: its alias, its full name where it is an object, and its columns in order."""

    alias: str
    columns: list[Column]
    path: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    row_number: str | None = None

    def positional(self, position: int) -> Column | None:
        """The column ``$n`` stands for."""
        return self.columns[position - 1] if position <= len(self.columns) else None

    def left_out(self, *, qualified: bool) -> frozenset[str]:
        """The columns that ``*`` does not stand for; ``alias.*`` stands for all but metadata."""
        return frozenset() if qualified else self.hidden

    def answers_to(self, qualifier: tuple[str, ...]) -> bool:
        """Whether a column qualified like this may belong here."""
        if len(qualifier) == 1:
            return qualifier[0] == self.alias
        return bool(self.path) and self.path[-len(qualifier) :] == qualifier


@dataclass(slots=True)
class Scope:
    """The names visible at one place: sources of this SELECT, aliases of its list, then the outer query."""

    sources: list[Source] = field(default_factory=list)
    outer: Scope | None = None
    aliases: dict[str, Typed] = field(default_factory=dict)
    merged: dict[str, Typed] = field(default_factory=dict)

    def find(self, name: str, qualifier: tuple[str, ...] = ()) -> Typed:
        """The value of a column. Raises `SqlError` 904 where nothing has it and 1052 where several do."""
        found = self._here(name, qualifier)
        if found is not None:
            return found
        if self.outer is not None:
            return self.outer.find(name, qualifier)
        raise invalid_identifier(".".join((*qualifier, name)))

    def _here(self, name: str, qualifier: tuple[str, ...]) -> Typed | None:
        if not qualifier and name in self.merged:
            return self.merged[name]
        sources = [source for source in self.sources if not qualifier or source.answers_to(qualifier)]
        found = [column for source in sources for column in source.columns if column.name == name]
        if len(found) > 1:
            raise ambiguous(name)
        if found:
            return _readable(found[0])
        return None if qualifier else self.aliases.get(name)

    def positional(self, position: int, qualifier: tuple[str, ...] = ()) -> Typed:
        """The value of ``$n``."""
        sources = [source for source in self.sources if not qualifier or source.answers_to(qualifier)]
        found = sources[0].positional(position) if len(sources) == 1 and position >= 1 else None
        if found is not None:
            return _readable(found)
        raise invalid_identifier(f"${position}")

    def expanded(self, qualifier: tuple[str, ...] = ()) -> list[tuple[str, Typed]]:
        """The columns ``*`` or ``alias.*`` stands for."""
        sources = [source for source in self.sources if not qualifier or source.answers_to(qualifier)]
        if not sources:
            raise invalid_identifier(".".join((*qualifier, "*")))
        result: list[tuple[str, Typed]] = []
        if not qualifier:
            result.extend(self.merged.items())
        for source in sources:
            left_out = source.left_out(qualified=bool(qualifier))
            result.extend((c.name, _readable(c)) for c in source.columns if c.name not in left_out)
        return result


def _readable(column: Column) -> Typed:
    if column.refused:
        raise unsupported(column.refused)
    return column.value
