"""What a resource is called.

An `Identifier` holds a Snowflake name as Snowflake itself stores it; an `Address` is a kind plus the identifiers that
lead to the object. Both are ordered and printable. Rules:
https://docs.snowflake.com/en/sql-reference/identifiers-syntax
"""

from __future__ import annotations

import functools
import re

import attrs

__all__ = ["Address", "Identifier", "parse_path", "sql_path"]

MAX_LENGTH = 255  # characters, https://docs.snowflake.com/en/sql-reference/identifiers

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*\Z")
_UNQUOTED = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")
_PART = re.compile(r'"((?:[^"]|"")*)"|([A-Za-z_][A-Za-z0-9_$]*)')

# Words that Snowflake refuses as unquoted identifiers: https://docs.snowflake.com/en/sql-reference/reserved-keywords
RESERVED = frozenset(
    """ACCOUNT ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONNECTION CONSTRAINT CREATE CROSS CURRENT
    CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DELETE DISTINCT DROP ELSE EXISTS FALSE FOLLOWING
    FOR FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN INCREMENT INNER INSERT INTERSECT INTO IS ISSUE JOIN LATERAL LEFT
    LIKE LOCALTIME LOCALTIMESTAMP MINUS NATURAL NOT NULL OF ON OR ORDER ORGANIZATION QUALIFY REGEXP REVOKE RIGHT RLIKE
    ROW ROWS SAMPLE SCHEMA SELECT SET SOME START TABLE TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION UNIQUE UPDATE
    USING VALUES VIEW WHEN WHENEVER WHERE WITH""".split()
)


class Identifier(str):
    """A name as SHOW prints it: unquoted spellings folded to upper case, quoted ones exact.

    ``Identifier("MY_TABLE")`` takes the canonical text as it is; `Identifier.parse` reads what a person wrote.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """Read one identifier as SQL would: ``orders`` → ORDERS, ``"orders"`` → orders.

        Raises ValueError for an empty name, a name over 255 characters, or characters that need quotes.
        """
        return _parse_identifier(text)

    @property
    def sql(self) -> str:
        """The spelling for a statement: bare where that means the same, quoted otherwise."""
        return _sql_identifier(str(self))


@functools.lru_cache(maxsize=65536)
def _sql_identifier(name: str) -> str:
    if _PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


@functools.lru_cache(maxsize=65536)
def _parse_identifier(text: str) -> Identifier:
    if _UNQUOTED.match(text):
        name = text.upper()
    elif len(text) >= 2 and text[0] == text[-1] == '"':
        inner = text[1:-1]
        if '"' in inner.replace('""', ""):
            raise ValueError(f"{text!r} is not one identifier: a quote inside quotes is written twice")
        name = inner.replace('""', '"')
    else:
        raise ValueError(
            f"{text!r} is not an identifier: letters, digits, _ and $ only, not starting with a digit; "
            "anything else needs double quotes inside the YAML value"
        )
    if not name or "\0" in name:
        raise ValueError(f"{text!r} is not an identifier: it is empty or holds a NUL character")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"identifier of {len(name)} characters; Snowflake allows {MAX_LENGTH}")
    return Identifier(name)


def parse_path(text: str) -> tuple[Identifier, ...]:
    """Read a qualified name such as ``db.schema."My table"``; raises ValueError with what is wrong."""
    parts: list[Identifier] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a name: expected an identifier at character {position + 1}")
        parts.append(Identifier.parse(match.group()))
        position = match.end()
        if position == len(text):
            return tuple(parts)
        if text[position] != ".":
            raise ValueError(f"{text!r} is not a name: unexpected {text[position]!r} at character {position + 1}")
        position += 1


def sql_path(path: tuple[str, ...]) -> str:
    """``("DB", "my schema")`` → ``DB."my schema"``."""
    return ".".join(_sql_identifier(str(part)) for part in path)


@functools.total_ordering
@attrs.frozen(cache_hash=True, slots=True)
class Address:
    """Kind and place of one resource; what a plan, an error and a permission name it by.

    ``path`` leads from the database down to the object, each part canonical. ``detail`` is what else tells two objects
    apart: the argument types of a procedure, ``(NUMBER, VARCHAR)``, or, for a grant, its whole content
    (``SELECT ON TABLE DB.S.T TO ROLE R``); the path of a grant is then the container it belongs to.
    """

    kind: str
    path: tuple[Identifier, ...]
    detail: str = ""

    @property
    def name(self) -> Identifier:
        """The last part of the path."""
        return self.path[-1]

    @property
    def sql(self) -> str:
        """The fully qualified name for a statement, with argument types where there are some."""
        return sql_path(self.path) + (self.detail if self.detail.startswith("(") else "")

    def __lt__(self, other: Address) -> bool:
        # by hand, because plans sort tens of thousands of them
        return (self.kind, self.path, self.detail) < (other.kind, other.path, other.detail)

    def __str__(self) -> str:
        if self.detail and not self.detail.startswith("("):
            return f"{self.kind} {self.detail}"
        return f"{self.kind} {self.sql}"
