"""Just enough reading of SQL text for the wire: where statements end, what their verb is, which literals are secret.

Nothing here knows an object type. Quotes, dollar quotes, comments and scripting blocks follow
https://docs.snowflake.com/en/sql-reference/data-types-text and
https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|(?<![:/])//[^\n]*|/\*.*?\*/)
    | (?P<string>'(?:[^'\\]|\\.|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<dollar>\$\$.*?\$\$)
    | (?P<open>'|"|\$\$|/\*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<end>;)
    | (?P<other>\d+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_VERB = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/)*([^\W\d]\w*)", re.DOTALL)
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|SECRET|SECRET_STRING|SECRET_KEY|TOKEN|PRIVATE_KEY|MASTER_KEY|API_KEY|PASSPHRASE)$",
    re.IGNORECASE,
)
_SECRET_IN_COMMENT = re.compile(
    r"((?:PASSWORD|SECRET|SECRET_STRING|SECRET_KEY|TOKEN|PRIVATE_KEY|MASTER_KEY|API_KEY|PASSPHRASE)\s*=>?\s*)"
    r"('(?:[^'\\]|\\.|'')*'?|\$\$.*?(?:\$\$|$))",
    re.IGNORECASE | re.DOTALL,
)
_TRANSACTION_WORDS = frozenset({"TRANSACTION", "WORK", "NAME"})
_LOOP_WORDS = frozenset({"IF", "FOR", "WHILE", "LOOP", "REPEAT"})
_MASK = "'***'"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL text: its kind (a group name of the lexer) and its text."""

    kind: str
    text: str


def tokens(sql: str) -> Iterator[Token]:
    """Every character of the text in order; an unterminated quote or comment is one token of kind ``open``."""
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:  # pragma: no cover - the last alternative matches any character
            raise AssertionError(f"no token at {position}")
        kind = match.lastgroup or "other"
        if kind == "open":
            yield Token(kind, sql[position:])
            return
        yield Token(kind, match.group())
        position = match.end()


def verb(sql: str) -> str:
    """The first keyword in upper case, comments and opening parentheses skipped; empty where there is none."""
    match = _VERB.match(sql)
    return match.group(1).upper() if match else ""


class _Blocks:
    """Follows BEGIN … END and DECLARE … BEGIN … END, inside which a semicolon does not end the statement."""

    def __init__(self) -> None:
        self.depth = 0
        self.declaring = False
        self._undecided_begin = False  # BEGIN at the start: a block, or the start of a transaction
        self._after_end = False
        self._may_open = True  # at the start of a statement, or after the AS / THEN of one that defines something
        self._defines: bool | None = None

    def word(self, text: str) -> None:
        upper = text.upper()
        if self._defines is None:
            self._defines = upper in {"CREATE", "ALTER"}
        if self._after_end:
            self._after_end = False
            if upper in _LOOP_WORDS:
                return
            self.depth -= 1
            if upper == "CASE":
                return
        if self._undecided_begin:
            self._undecided_begin = False
            if upper not in _TRANSACTION_WORDS:
                self.depth += 1
        self._open(upper)
        self._may_open = self._defines and upper in {"AS", "THEN"}

    def _open(self, upper: str) -> None:
        if upper == "BEGIN" and (self._may_open or self.depth or self.declaring):
            if self.depth or self.declaring:
                self.depth += 1
                self.declaring = False
            else:
                self._undecided_begin = True
        elif upper == "DECLARE" and self._may_open and not self.depth:
            self.declaring = True
        elif upper == "CASE" and self.depth:
            self.depth += 1
        elif upper == "END" and self.depth:
            self._after_end = True

    def other(self) -> None:
        """Any token but a word, white space or a comment."""
        self._settle_end()
        if self._undecided_begin:
            self._undecided_begin = False
            self.depth += 1
        self._may_open = False

    def semicolon(self) -> bool:
        """Whether this semicolon ends the statement."""
        self._settle_end()
        self._undecided_begin = False
        self._may_open = self.depth > 0
        return self.depth <= 0 and not self.declaring

    def _settle_end(self) -> None:
        if self._after_end:
            self._after_end = False
            self.depth -= 1


def split(sql: str) -> list[str]:
    """The statements of a text, without their semicolons; pieces that hold only blanks and comments are left out."""
    if ";" not in sql:
        return [sql] if verb(sql) or _has_code(sql) else []
    statements: list[str] = []
    piece: list[str] = []
    blocks = _Blocks()
    code = False
    for token in tokens(sql):
        if token.kind == "end" and blocks.semicolon():
            if code:
                statements.append("".join(piece).rstrip())
            piece, blocks, code = [], _Blocks(), False
            continue
        piece.append(token.text)
        if token.kind in {"space", "comment"}:
            continue
        code = True
        if token.kind == "word":
            blocks.word(token.text)
        elif token.kind != "end":
            blocks.other()
    if code:
        statements.append("".join(piece).rstrip())
    return statements


def placeholders(sql: str) -> int:
    """How many ``?`` a statement has outside quotes and comments."""
    if "?" not in sql:
        return 0
    return sum(token.kind == "other" and token.text == "?" for token in tokens(sql))


def _has_code(sql: str) -> bool:
    return any(token.kind not in {"space", "comment"} for token in tokens(sql))


def redact(sql: str, binds: Sequence[str] = ()) -> tuple[str, frozenset[str]]:
    """The text with the literals of secret properties masked, and the secrets themselves (to mask messages with).

    A literal is secret when it follows ``=`` or ``=>`` after a name such as PASSWORD or SECRET_STRING. A ``?`` in that
    place makes every bound value secret.
    """
    shown: list[str] = []
    secrets: set[str] = set()
    name, assigned = "", False
    for token in tokens(sql):
        text = token.text
        if token.kind == "comment":
            text = _SECRET_IN_COMMENT.sub(rf"\1{_MASK}", text)
        elif token.kind == "word":
            name, assigned = text, False
        elif token.kind == "other" and text in "=>" and name:
            assigned = True
        elif token.kind != "space":
            if assigned and _SECRET_NAME.search(name):
                if token.kind in {"string", "dollar", "open"}:
                    secrets |= _spellings(text)
                    text = _MASK
                elif text == "?":
                    secrets |= set(binds)
            name, assigned = "", False
        shown.append(text)
    return "".join(shown), frozenset(secret for secret in secrets if secret)


def mask(message: str, secrets: frozenset[str]) -> str:
    """A message in which no secret is left."""
    for secret in sorted(secrets, key=len, reverse=True):
        message = message.replace(secret, "***")
    return message


def _spellings(literal: str) -> set[str]:
    if literal.startswith("$$"):
        return {literal.strip("$")}
    inner = literal[1:-1] if len(literal) > 1 and literal.endswith("'") else literal[1:]
    return {inner, inner.replace("''", "'"), re.sub(r"\\(.)", r"\1", inner.replace("''", "'"))}
