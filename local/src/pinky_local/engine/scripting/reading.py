"""Reading a block: its text to `nodes`.

Rests on https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks and the pages of its statements.
ASYNC, AWAIT, CANCEL and nested procedures (PROCEDURE in DECLARE) are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable

from pinky_local.engine import datatypes, errors
from pinky_local.engine.lexer import END, SYMBOL, WORD
from pinky_local.engine.scripting import nodes
from pinky_local.engine.scripting.nodes import Node, Span
from pinky_local.engine.tokens import TokenStream

_TRANSACTION = ("TRANSACTION", "WORK", "NAME")
_FLOW = frozenset({"IF", "CASE", "FOR", "WHILE", "REPEAT", "LOOP", "LET", "RETURN", "RAISE", "NULL"})
_REFUSED = {"ASYNC": "ASYNC", "AWAIT": "AWAIT", "CANCEL": "CANCEL of an asynchronous job"}


def is_block(tokens: TokenStream) -> bool:
    """Whether the text that comes is a block, and not BEGIN of a transaction."""
    if tokens.at("DECLARE"):
        return True
    if not tokens.at("BEGIN") or tokens.word(1) in _TRANSACTION:
        return False
    return not (tokens.is_symbol(";", 1) or tokens.tokens[tokens.index + 1].kind == END)


def is_flow(tokens: TokenStream) -> bool:
    """Whether the text that comes is a statement that only blocks have, as EXECUTE IMMEDIATE may be given one."""
    return tokens.word() in _FLOW


class Reader:
    """Reads blocks from a stream of tokens."""

    def __init__(self, tokens: TokenStream, timestamp_mapping: str = "TIMESTAMP_NTZ") -> None:
        self.tokens = tokens
        self._mapping = timestamp_mapping
        self._rules: dict[str, Callable[[], Node]] = {
            "LET": self._let, "IF": self._if, "CASE": self._case, "FOR": self._for, "WHILE": self._while,
            "REPEAT": self._repeat, "LOOP": self._loop, "BREAK": self._leave, "EXIT": self._leave,
            "CONTINUE": self._leave, "ITERATE": self._leave, "RETURN": self._return, "RAISE": self._raise,
            "OPEN": self._open, "FETCH": self._fetch, "CLOSE": self._close, "NULL": self._null,
        }  # fmt: skip

    def block(self) -> nodes.Block:
        """Read [DECLARE …] BEGIN … END."""
        tokens = self.tokens
        at = tokens.index
        declarations: list[Node] = []
        if tokens.accept("DECLARE"):
            while not tokens.at("BEGIN"):
                declarations.append(self._declaration())
                tokens.expect_symbol(";")
        tokens.expect("BEGIN")
        body = self.statements("EXCEPTION", "END")
        handlers: list[nodes.Handler] = []
        if tokens.accept("EXCEPTION"):
            while tokens.at("WHEN"):
                handlers.append(self._handler())
        tokens.expect("END")
        self._label()
        return nodes.Block(at, declarations, body, handlers)

    def statements(self, *closers: str) -> list[Node]:
        """Read statements, each closed by a semicolon, up to one of these words."""
        found: list[Node] = []
        while self.tokens.word() not in closers:
            found.append(self.statement())
            self.tokens.expect_symbol(";")
        return found

    def statement(self) -> Node:
        """Read one statement, without its semicolon."""
        tokens = self.tokens
        word = tokens.word()
        if word in _REFUSED:
            raise errors.unsupported(f"{_REFUSED[word]} in Snowflake Scripting")
        if is_block(tokens):
            return self.block()
        assigns = tokens.is_symbol(":", 1) and tokens.is_symbol("=", 2)
        if not assigns and word in self._rules:
            return self._rules[word]()
        if assigns:
            at, name = tokens.index, tokens.identifier()
            tokens.index += 2
            if tokens.at("ASYNC"):
                raise errors.unsupported("ASYNC in Snowflake Scripting")
            return nodes.Assign(at, name, self._span())
        return self._sql()

    # declarations --------------------------------------------------------------------------------------------------

    def _let(self) -> Node:
        self.tokens.expect("LET")
        return self._declaration()

    def _declaration(self) -> Node:
        tokens = self.tokens
        at, name = tokens.index, tokens.identifier()
        if name == "PROCEDURE":
            raise errors.unsupported("nested procedures in DECLARE")
        if tokens.accept("EXCEPTION"):
            return self._exception(at, name)
        if tokens.accept("CURSOR"):
            tokens.expect("FOR")
            return nodes.DeclareCursor(at, name, self._span())
        if tokens.accept("RESULTSET"):
            given = self._default()
            if tokens.at("ASYNC"):
                raise errors.unsupported("ASYNC in Snowflake Scripting")
            return nodes.DeclareResult(at, name, self._inside() if given else None)
        starts_value = tokens.at("DEFAULT") or tokens.is_symbol(":")
        kind = None if starts_value else datatypes.read_type(tokens, self._mapping)
        return nodes.Declare(at, name, kind, self._span() if self._default() else None)

    def _default(self) -> bool:
        tokens = self.tokens
        if tokens.accept("DEFAULT"):
            return True
        if tokens.accept_symbol(":"):
            tokens.expect_symbol("=")
            return True
        return False

    def _exception(self, at: int, name: str) -> Node:
        tokens = self.tokens
        number, message = -20000, ""
        if tokens.accept_symbol("("):
            number = tokens.integer()
            if tokens.accept_symbol(","):
                message = tokens.string()
            tokens.expect_symbol(")")
            if not -20999 <= number <= -20000:
                raise errors.compilation(1003, "42000", f"invalid exception number {number}; allowed: -20999 to -20000")
        return nodes.DeclareException(at, name, number, message)

    def _handler(self) -> nodes.Handler:
        tokens = self.tokens
        tokens.expect("WHEN")
        names = [tokens.identifier()]
        while tokens.accept("OR"):
            names.append(tokens.identifier())
        goes_on = tokens.accept("CONTINUE")
        if not goes_on:
            tokens.accept("EXIT")
        tokens.expect("THEN")
        return nodes.Handler(names, goes_on, self.statements("WHEN", "END"))

    # control flow --------------------------------------------------------------------------------------------------

    def _if(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        branches: list[tuple[Span, list[Node]]] = []
        otherwise: list[Node] = []
        tokens.expect("IF")
        while True:
            condition = self._span("THEN")
            tokens.expect("THEN")
            branches.append((condition, self.statements("ELSEIF", "ELSE", "END")))
            if not tokens.accept("ELSEIF"):
                break
        if tokens.accept("ELSE"):
            otherwise = self.statements("END")
        tokens.expect("END", "IF")
        return nodes.Branch(at, branches, otherwise)

    def _case(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        tokens.expect("CASE")
        subject = None if tokens.at("WHEN") else self._span("WHEN")
        branches: list[tuple[Span, list[Node]]] = []
        while tokens.accept("WHEN"):
            condition = self._span("THEN")
            tokens.expect("THEN")
            branches.append((condition, self.statements("WHEN", "ELSE", "END")))
        otherwise = self.statements("END") if tokens.accept("ELSE") else []
        tokens.expect("END")
        tokens.accept("CASE")
        return nodes.Branch(at, branches, otherwise, subject)

    def _for(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        tokens.expect("FOR")
        name = tokens.identifier()
        tokens.expect("IN")
        reverse = tokens.accept("REVERSE")
        if not reverse and tokens.at_identifier() and tokens.word(1) in ("DO", "LOOP"):
            source = tokens.identifier()
            body, label = self._body("FOR")
            return nodes.RowLoop(at, name, source, body, label)
        first = self._span("TO")
        tokens.expect("TO")
        last = self._span("DO", "LOOP")
        body, label = self._body("FOR")
        return nodes.CountedLoop(at, name, first, last, reverse, body, label)

    def _while(self) -> Node:
        at = self.tokens.index
        self.tokens.expect("WHILE")
        condition = self._span("DO", "LOOP")
        body, label = self._body("WHILE")
        return nodes.Loop(at, body, before=condition, label=label)

    def _body(self, word: str) -> tuple[list[Node], str | None]:
        """Read {DO | LOOP} … END {word | LOOP} [label]."""
        opened = self.tokens.one_of("DO", "LOOP")
        body = self.statements("END")
        self.tokens.expect("END", "LOOP" if opened == "LOOP" else word)
        return body, self._label()

    def _repeat(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        tokens.expect("REPEAT")
        body = self.statements("UNTIL")
        tokens.expect("UNTIL")
        condition = self._span("END")
        tokens.expect("END", "REPEAT")
        return nodes.Loop(at, body, after=condition, label=self._label())

    def _loop(self) -> Node:
        at = self.tokens.index
        self.tokens.expect("LOOP")
        body = self.statements("END")
        self.tokens.expect("END", "LOOP")
        return nodes.Loop(at, body, label=self._label())

    def _label(self) -> str | None:
        return self.tokens.identifier() if self.tokens.at_identifier() else None

    def _leave(self) -> Node:
        at = self.tokens.index
        stop = self.tokens.any_word() in ("BREAK", "EXIT")
        return nodes.Leave(at, stop, self._label())

    def _return(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        tokens.expect("RETURN")
        if tokens.is_symbol(";") or tokens.token.kind == END:
            return nodes.Return(at)
        if not tokens.at("TABLE"):
            return nodes.Return(at, self._span())
        tokens.expect("TABLE")
        tokens.expect_symbol("(")
        converted = tokens.accept("RESULTSET_FROM_CURSOR")
        if converted:
            tokens.expect_symbol("(")
        name = tokens.identifier()
        for _ in range(1 + converted):
            tokens.expect_symbol(")")
        return nodes.Return(at, table=name)

    def _raise(self) -> Node:
        at = self.tokens.index
        self.tokens.expect("RAISE")
        return nodes.Raise(at, self._label())

    def _null(self) -> Node:
        at = self.tokens.index
        self.tokens.expect("NULL")
        return nodes.Nothing(at)

    # cursors and SQL -----------------------------------------------------------------------------------------------

    def _open(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        tokens.expect("OPEN")
        return nodes.Open(at, tokens.identifier(), self.using())

    def using(self) -> list[Span]:
        """Read [USING (expression, …)]."""
        tokens = self.tokens
        found: list[Span] = []
        if tokens.accept("USING"):
            tokens.expect_symbol("(")
            while not tokens.accept_symbol(")"):
                found.append(self._span(",", ")"))
                tokens.accept_symbol(",")
        return found

    def _fetch(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        tokens.expect("FETCH")
        name = tokens.identifier()
        tokens.expect("INTO")
        return nodes.Fetch(at, name, self._targets())

    def _targets(self) -> list[str]:
        found: list[str] = []
        while True:
            self.tokens.accept_symbol(":")
            found.append(self.tokens.identifier())
            if not self.tokens.accept_symbol(","):
                return found

    def _close(self) -> Node:
        at = self.tokens.index
        self.tokens.expect("CLOSE")
        return nodes.Close(at, self.tokens.identifier())

    def _sql(self) -> Node:
        tokens = self.tokens
        at = tokens.index
        into: tuple[Span, list[str]] | None = None
        depth = 0
        is_query = tokens.word() in ("SELECT", "WITH", "CALL")
        while depth or not (tokens.is_symbol(";") or tokens.token.kind == END):
            if tokens.token.kind == END:
                raise tokens.unexpected()
            if is_query and not depth and into is None and tokens.at("INTO") and tokens.is_symbol(":", 1):
                start = tokens.index
                tokens.expect("INTO")
                names = self._targets()
                into = ((start, tokens.index), names)
                continue
            if tokens.token.kind == SYMBOL and tokens.token.value in "()":
                depth += 1 if tokens.token.value == "(" else -1
            tokens.index += 1
        if tokens.index == at:
            raise tokens.unexpected()
        return nodes.Sql(at, (at, tokens.index), into)

    def _inside(self) -> Span:
        """Read ( … ) and give what stands in it."""
        first = self.tokens.index + 1
        self.tokens.balanced()
        return first, self.tokens.index - 1

    def _span(self, *closers: str) -> Span:
        """Read an expression up to a semicolon or one of these words or symbols, outside parentheses and CASE … END."""
        tokens = self.tokens
        first, depth, cases = tokens.index, 0, 0
        while True:
            token = tokens.token
            if token.kind == END:
                break
            if (
                not depth
                and not cases
                and (tokens.is_symbol(";") or (token.value in closers and token.kind in (WORD, SYMBOL)))
            ):
                break
            if token.kind == SYMBOL and token.value in "()[]{}":
                depth += 1 if token.value in "([{" else -1
            elif token.kind == WORD and token.value in ("CASE", "END"):
                cases += 1 if token.value == "CASE" else -1
            tokens.index += 1
        if tokens.index == first:
            raise tokens.unexpected()
        return first, tokens.index
