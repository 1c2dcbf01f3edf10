"""Running a block: variables, cursors, control flow, exceptions.

Rests on https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions, cursors, resultsets,
variables.
Every SQL statement of a block is a statement of its own: it is in the journal, and faults can hit it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pinky_local.engine import datatypes, errors
from pinky_local.engine.account import Account
from pinky_local.engine.datatypes import DataType
from pinky_local.engine.lexer import END, place
from pinky_local.engine.scripting import nodes, reading, values
from pinky_local.engine.scripting.nodes import Node, Span
from pinky_local.engine.scripting.values import NULL, Substitution, Value
from pinky_local.engine.tokens import TokenStream
from pinky_local.types import Result, SessionContext, SqlError

CALL_TYPE = 0x9000

_UNCATCHABLE = frozenset({604, 630})
"""A statement that was cancelled ends a block whatever its handlers say."""


@dataclass(slots=True)
class Variable:
    """A variable and the type that values are brought to."""

    kind: DataType | None
    value: Value


@dataclass(slots=True)
class Rows:
    """A RESULTSET, or a cursor, whose ``query`` runs when it is opened; ``next`` is the row that FETCH gives."""

    query: Span | None = None
    result: Result | None = None
    next: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """The row variable of a FOR loop."""

    result: Result
    cells: Sequence[Any]

    def value(self, column: str) -> Value | None:
        """The value of a column, by its name in any case."""
        for cell, one in zip(self.cells, self.result.columns, strict=True):
            if one.name.upper() == column.upper():
                return Value(cell, values.kind_of(one))
        return None


@dataclass(frozen=True, slots=True)
class Declared:
    """An exception that a block declares."""

    name: str
    number: int
    message: str


Item = Variable | Rows | Row | Declared


@dataclass(slots=True)
class Scope:
    """The names of one block; ``outer`` is the block around it."""

    outer: Scope | None = None
    items: dict[str, Item] = field(default_factory=dict)

    def find(self, name: str) -> Item | None:
        """What a name means here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.items:
                return scope.items[name]
            scope = scope.outer
        return None


class RaisedError(Exception):
    """An exception of a block on its way to a handler. ``kind`` is its name; ``error`` what it says of itself."""

    def __init__(self, kind: str, error: SqlError, line: int, position: int, declared: Declared | None = None) -> None:
        super().__init__(error.message)
        self.kind = kind
        self.error = error
        self.line = line
        self.position = position
        self.declared = declared

    def uncaught(self) -> SqlError:
        """What the caller of the block is told."""
        text = f"Uncaught exception of type '{self.kind}' on line {self.line} at position {self.position} : "
        return SqlError(
            self.error.errno, self.error.sqlstate, text + self.error.message, line=self.line, position=self.position
        )


class _Leave(Exception):
    def __init__(self, node: nodes.Leave) -> None:
        super().__init__()
        self.stop = node.stop
        self.label = node.label


class _Return(Exception):
    def __init__(self, answer: Value | Result) -> None:
        super().__init__()
        self.answer = answer


class Script:
    """One run of a block's text in a session. ``arguments`` are variables that exist before the block begins."""

    def __init__(
        self, account: Account, session: SessionContext, sql: str, arguments: dict[str, Value] | None = None
    ) -> None:
        self._account = account
        self._session = session
        self._tokens = TokenStream(sql)
        self._scope = Scope()
        self._handled: list[RaisedError] = []
        mapping = str(session.parameters.get("TIMESTAMP_TYPE_MAPPING") or "TIMESTAMP_NTZ").upper()
        self._reader = reading.Reader(self._tokens, mapping)
        for name, value in (arguments or {}).items():
            self._scope.items[name] = Variable(value.kind, value)
        for name in ("SQLROWCOUNT", "SQLFOUND", "SQLNOTFOUND", "SQLID"):
            self._scope.items[name] = Variable(None, NULL)
        self._rules: dict[type[Node], Callable[[Any], None]] = {
            nodes.Block: self._block, nodes.Declare: self._declare, nodes.DeclareException: self._declare_exception,
            nodes.DeclareCursor: self._declare_cursor, nodes.DeclareResult: self._declare_result,
            nodes.Assign: self._assign, nodes.Branch: self._branch, nodes.Loop: self._loop,
            nodes.CountedLoop: self._counted, nodes.RowLoop: self._row_loop, nodes.Leave: self._leave,
            nodes.Return: self._return, nodes.Raise: self._raise, nodes.Open: self._open, nodes.Fetch: self._fetch,
            nodes.Close: self._close, nodes.Nothing: lambda _: None, nodes.Sql: self._sql,
        }  # fmt: skip

    def run(self) -> Value | Result:
        """Run the whole text, a block or one statement of a block; NULL where nothing is returned."""
        node = self._reader.statement()
        self._tokens.end()
        try:
            self._step(node)
        except _Return as answer:
            return answer.answer
        except RaisedError as raised:
            raise raised.uncaught() from raised
        except _Leave as left:
            raise errors.compilation(1003, "42000", "BREAK or CONTINUE outside a loop") from left
        return NULL

    # blocks and exceptions -----------------------------------------------------------------------------------------

    def _step(self, node: Node) -> None:
        frame = self._session.procedure
        if self._session.cancelled.is_set() or (frame is not None and frame.is_over):
            raise SqlError(604, "57014", "SQL execution canceled")
        try:
            self._rules[type(node)](node)
        except SqlError as problem:
            if problem.errno in _UNCATCHABLE:
                raise
            kind = "STATEMENT_ERROR" if isinstance(node, nodes.Sql) else "EXPRESSION_ERROR"
            raise self._raised(kind, problem, node) from problem

    def _raised(self, kind: str, problem: SqlError, node: Node, declared: Declared | None = None) -> RaisedError:
        line, position = place(self._tokens.sql, self._tokens.tokens[node.at].start)
        return RaisedError(kind, problem, line, position, declared)

    def _block(self, block: nodes.Block) -> None:
        self._scope = Scope(self._scope)
        try:
            for declaration in block.declarations:
                self._step(declaration)
            for node in block.body:
                try:
                    self._step(node)
                except RaisedError as raised:
                    handler = self._handler(block, raised)
                    if handler is None:
                        raise
                    self._handle(handler, raised)
                    if not handler.goes_on:
                        return
        finally:
            assert self._scope.outer is not None
            self._scope = self._scope.outer

    def _handler(self, block: nodes.Block, raised: RaisedError) -> nodes.Handler | None:
        for handler in block.handlers:
            for name in handler.names:
                known = self._scope.find(name)
                if name == raised.kind if raised.declared is None else known is raised.declared:
                    return handler
        return next((handler for handler in block.handlers if "OTHER" in handler.names), None)

    def _handle(self, handler: nodes.Handler, raised: RaisedError) -> None:
        error = raised.error
        number = DataType("NUMBER", ("38", "0"))
        text = DataType("VARCHAR", ("16777216",))
        told = {"SQLCODE": Value(error.errno, number), "SQLERRM": Value(error.message, text)}
        if raised.declared is None:
            told["SQLERRM"] = Value(raised.uncaught().message, text)
        told["SQLSTATE"] = Value(error.sqlstate, text)
        self._scope = Scope(self._scope, {name: Variable(value.kind, value) for name, value in told.items()})
        self._handled.append(raised)
        try:
            self._steps(handler.body)
        finally:
            self._handled.pop()
            assert self._scope.outer is not None
            self._scope = self._scope.outer

    def _steps(self, body: Sequence[Node]) -> None:
        for node in body:
            self._step(node)

    def _raise(self, node: nodes.Raise) -> None:
        if node.name is None:
            if not self._handled:
                raise errors.compilation(1003, "42000", "RAISE without a name outside an exception handler")
            raise self._handled[-1]
        known = self._scope.find(node.name)
        if not isinstance(known, Declared):
            raise errors.compilation(1003, "42000", f"exception '{node.name}' is not declared")
        problem = SqlError(known.number, "P0001", known.message)
        raise self._raised(node.name, problem, node, known)

    # variables -----------------------------------------------------------------------------------------------------

    def _lookup(self, name: str, column: str | None) -> Value | None:
        known = self._scope.find(name)
        if column is None:
            return known.value if isinstance(known, Variable) else None
        return known.value(column) if isinstance(known, Row) else None

    def _text(self, span: Span, *, bare: bool, using: list[Value] | None = None) -> str:
        return Substitution(self._tokens, self._lookup).text(span, bare=bare, using=using)

    def evaluate(self, span: Span, kind: DataType | None = None) -> Value:
        """The value of an expression, brought to a type where one is given."""
        text = self._text(span, bare=True)
        sql = f"SELECT CAST(({text}) AS {kind})" if kind is not None else f"SELECT ({text})"
        found = self._account.evaluate(sql, self._session)
        if len(found.rows) != 1 or len(found.columns) != 1:
            raise errors.compilation(1003, "42000", f"{text} is not one value")
        return Value(found.rows[0][0], kind or values.kind_of(found.columns[0]))

    def _declare(self, node: nodes.Declare) -> None:
        value = self.evaluate(node.value, node.kind) if node.value is not None else Value(None, node.kind)
        kind = node.kind or (values.inferred(value.kind) if value.kind is not None else None)
        self._scope.items[node.name] = Variable(kind, self._brought(value, kind))

    def _brought(self, value: Value, kind: DataType | None) -> Value:
        """A value of the type that a variable has."""
        if kind is None or value.cell is None or value.kind == kind:
            return Value(value.cell, kind or value.kind)
        if value.kind is not None and value.kind.family == kind.family == "VARCHAR":
            return Value(value.cell, kind)
        found = self._account.evaluate(f"SELECT CAST({values.literal(value)} AS {kind})", self._session)
        return Value(found.rows[0][0], kind)

    def _set(self, name: str, value: Value) -> None:
        known = self._scope.find(name)
        if not isinstance(known, Variable):
            raise errors.compilation(904, "42000", f"error line 1 at position 0\ninvalid identifier '{name}'")
        known.value = self._brought(value, known.kind)

    def _assign(self, node: nodes.Assign) -> None:
        known = self._scope.find(node.name)
        if isinstance(known, Rows):
            first, last = node.value
            known.result, known.next = self._queried((first + 1, last - 1)), 0
            return
        kind = known.kind if isinstance(known, Variable) else None
        self._set(node.name, self.evaluate(node.value, kind))

    def _declare_exception(self, node: nodes.DeclareException) -> None:
        self._scope.items[node.name] = Declared(node.name, node.number, node.message)

    # control flow --------------------------------------------------------------------------------------------------

    def _true(self, span: Span) -> bool:
        return self.evaluate(span, DataType("BOOLEAN")).cell is True

    def _branch(self, node: nodes.Branch) -> None:
        subject = self.evaluate(node.subject) if node.subject is not None else None
        for condition, body in node.branches:
            if subject is None:
                chosen = self._true(condition)
            else:
                sql = f"SELECT ({values.literal(subject)}) = ({self._text(condition, bare=True)})"
                chosen = self._account.evaluate(sql, self._session).rows[0][0] is True
            if chosen:
                self._steps(body)
                return
        self._steps(node.otherwise)

    def _round(self, body: Sequence[Node], label: str | None) -> bool:
        """One round of a loop; whether the loop goes on."""
        try:
            self._steps(body)
        except _Leave as left:
            if left.label not in (None, label):
                raise
            return not left.stop
        return True

    def _loop(self, node: nodes.Loop) -> None:
        while node.before is None or self._true(node.before):
            if not self._round(node.body, node.label):
                return
            if node.after is not None and self._true(node.after):
                return

    def _counted(self, node: nodes.CountedLoop) -> None:
        kind = DataType("NUMBER", ("38", "0"))
        first, last = (self.evaluate(span, kind).cell for span in (node.first, node.last))
        if first is None or last is None:
            raise errors.compilation(1003, "42000", "a bound of FOR is NULL")
        numbers = range(first, last + 1)
        for number in reversed(numbers) if node.reverse else numbers:
            if not self._with(node.name, Variable(kind, Value(number, kind)), node.body, node.label):
                return

    def _with(self, name: str, item: Item, body: Sequence[Node], label: str | None) -> bool:
        self._scope = Scope(self._scope, {name: item})
        try:
            return self._round(body, label)
        finally:
            assert self._scope.outer is not None
            self._scope = self._scope.outer

    def _row_loop(self, node: nodes.RowLoop) -> None:
        rows = self._rows(node.source)
        if rows.query is not None and rows.result is None:
            self._opened(rows, [])
        result = self._result(rows, node.source)
        for cells in result.rows:
            if not self._with(node.name, Row(result, cells), node.body, node.label):
                return

    def _leave(self, node: nodes.Leave) -> None:
        raise _Leave(node)

    def _return(self, node: nodes.Return) -> None:
        if node.table is not None:
            rows = self._rows(node.table)
            raise _Return(self._result(rows, node.table))
        raise _Return(NULL if node.value is None else self.evaluate(node.value))

    # cursors and RESULTSETs ----------------------------------------------------------------------------------------

    def _rows(self, name: str) -> Rows:
        known = self._scope.find(name)
        if not isinstance(known, Rows):
            raise errors.compilation(904, "42000", f"error line 1 at position 0\ninvalid identifier '{name}'")
        return known

    def _result(self, rows: Rows, name: str) -> Result:
        if rows.result is None:
            raise errors.compilation(1003, "42000", f"cursor or RESULTSET '{name}' is not open")
        return rows.result

    def _declare_cursor(self, node: nodes.DeclareCursor) -> None:
        first, last = node.query
        named = self._tokens.tokens[first].value if last - first == 1 else None
        known = self._scope.find(named) if named is not None else None
        if isinstance(known, Rows):
            self._scope.items[node.name] = Rows(None, self._result(known, str(named)))
            return
        self._scope.items[node.name] = Rows(node.query)

    def _declare_result(self, node: nodes.DeclareResult) -> None:
        self._scope.items[node.name] = Rows(None, None if node.query is None else self._queried(node.query))

    def _opened(self, rows: Rows, using: list[Value]) -> None:
        if rows.query is not None:
            text = self._text(rows.query, bare=False, using=using)
            rows.result = self._account.run_statement(text, self._session)
        rows.next = 0

    def _open(self, node: nodes.Open) -> None:
        self._opened(self._rows(node.name), [self.evaluate(span) for span in node.using])

    def _fetch(self, node: nodes.Fetch) -> None:
        rows = self._rows(node.name)
        result = self._result(rows, node.name)
        is_there = rows.next < len(result.rows)
        cells = result.rows[rows.next] if is_there else [None] * len(result.columns)
        rows.next += 1
        for name, cell, column in zip(node.into, cells, result.columns, strict=False):
            self._set(name, Value(cell, values.kind_of(column)))

    def _close(self, node: nodes.Close) -> None:
        rows = self._rows(node.name)
        if rows.query is not None:
            rows.result = None

    # SQL -----------------------------------------------------------------------------------------------------------

    def _sql(self, node: nodes.Sql) -> None:
        result = self._queried(node.text, node.into)
        if node.into is None:
            return
        if len(result.rows) != 1:
            text = f"SELECT INTO statement expects exactly 1 returned row, but got {len(result.rows)}."
            raise SqlError(100183, "P0000", text)
        names = node.into[1]
        if len(names) != len(result.columns):
            text = f"INTO names {len(names)} variables for {len(result.columns)} columns."
            raise errors.compilation(1003, "42000", text)
        for name, cell, column in zip(names, result.rows[0], result.columns, strict=True):
            self._set(name, Value(cell, values.kind_of(column)))

    def _queried(self, span: Span, into: tuple[Span, list[str]] | None = None) -> Result:
        """Run the statement of a span, without its INTO."""
        word = self._tokens.tokens[span[0]].value
        if word == "EXECUTE" and self._tokens.tokens[span[0] + 1].value == "IMMEDIATE":
            result = self._immediate(span)
        else:
            bare = word == "CALL"
            parts = [span] if into is None else [(span[0], into[0][0]), (into[0][1], span[1])]
            text = " ".join(self._text(part, bare=bare) for part in parts if part[0] < part[1])
            result = self._account.run_statement(text, self._session)
        self._note(result)
        return result

    def _note(self, result: Result) -> None:
        count = result.rows_affected
        number, truth = DataType("NUMBER", ("38", "0")), DataType("BOOLEAN")
        found = None if count is None else count > 0
        for name, value in (
            ("SQLROWCOUNT", Value(count, number)),
            ("SQLFOUND", Value(found, truth)),
            ("SQLNOTFOUND", Value(None if found is None else not found, truth)),
            ("SQLID", Value(self._session.last_query_id, DataType("VARCHAR", ("16777216",)))),
        ):
            known = self._scope.find(name)
            if isinstance(known, Variable):
                known.value = value

    def _immediate(self, span: Span) -> Result:
        text, using = read_immediate(self._tokens, span, self._reader)
        sql = self.evaluate(text).cell
        return immediate(self._account, self._session, sql, [self.evaluate(one) for one in using])


def read_immediate(tokens: TokenStream, span: Span, reader: reading.Reader) -> tuple[Span, list[Span]]:
    """The expression and the USING of EXECUTE IMMEDIATE expression [USING (…)]."""
    if tokens.tokens[span[0] + 2].value == "FROM":
        raise errors.unsupported("EXECUTE IMMEDIATE FROM")
    before, tokens.index = tokens.index, span[0] + 2
    depth = 0
    while tokens.index < span[1] and (depth or not tokens.at("USING")):
        depth += {"(": 1, ")": -1}.get(tokens.token.value, 0) if tokens.token.kind == "symbol" else 0
        tokens.index += 1
    text = (span[0] + 2, tokens.index)
    if text[0] == text[1]:
        raise tokens.unexpected()
    using = reader.using()
    if tokens.index != span[1]:
        raise tokens.unexpected()
    tokens.index = before
    return text, using


def immediate(account: Account, session: SessionContext, sql: Any, using: list[Value]) -> Result:
    """Run the text of EXECUTE IMMEDIATE: one statement, a block, or a statement of a block."""
    if not isinstance(sql, str):
        raise errors.compilation(1003, "42000", "EXECUTE IMMEDIATE expects a text")
    tokens = TokenStream(sql)
    if tokens.token.kind == END:
        raise errors.empty_statement()
    if using:
        last = len(tokens.tokens) - 1
        sql = Substitution(tokens, lambda name, column: None).text((0, last), bare=False, using=using)
    if reading.is_block(tokens) or reading.is_flow(tokens):
        return answered(Script(account, session, sql).run())
    return account.run_statement(sql, session)


def answered(answer: Value | Result, name: str = "anonymous block") -> Result:
    """What a block answers: its table, or its value as one row."""
    if isinstance(answer, Result):
        return Result(answer.columns, answer.rows, CALL_TYPE)
    kind = answer.kind or DataType("VARCHAR", ("16777216",))
    return Result([datatypes.result_column(name, kind)], [[answer.cell]], CALL_TYPE)
