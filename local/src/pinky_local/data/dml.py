"""INSERT, UPDATE, DELETE and MERGE as steps on DuckDB.

Rows to change are staged first and then written by row id, so that checks run before anything is written and counts
are exact. Every change goes through `Change`, which is also where a change log of a table can listen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import assign
from pinky_local.data.expressions import Expressions
from pinky_local.data.parsing import arg, name_of, names_of, only, parse
from pinky_local.data.queries import compile_query, compile_values
from pinky_local.data.refusals import compilation, invalid_identifier, raising, unsupported
from pinky_local.data.scopes import Scope, Source, Typed
from pinky_local.data.sources import add_join, add_source, table_source
from pinky_local.data.steps import Steps
from pinky_local.data.storage import StoredTable
from pinky_local.data.translation import Compiled, Translation
from pinky_local.types import Bind, Relation, Result, ResultColumn, SqlError, TableColumn

_LABELS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
_TYPE_IDS = {"INSERT": 0x3100, "UPDATE": 0x3200, "DELETE": 0x3300, "MERGE": 0x3400}
_VALUES_REFUSED = frozenset(
    {"PARSE_JSON", "TRY_PARSE_JSON", "OBJECT_CONSTRUCT", "ARRAY_CONSTRUCT", "TO_VARIANT", "TO_ARRAY"}
)


@dataclass(slots=True)
class Target:
    """The table a statement changes."""

    translation: Translation
    relation: Relation
    stored: StoredTable
    columns: dict[str, TableColumn]

    def stored_value(self, name: str, value: Typed) -> str:
        """A value as the column keeps it: converted, checked for length and for NULL."""
        column = self.stored.column(name)
        kept = assign(value, column.type)
        known = self.columns.get(name)
        if known is None or known.nullable:
            return kept.sql
        wrong = raising(100072, "22000", "'NULL result in a non-nullable column'", column.type.duckdb)
        return f"CASE WHEN {kept.sql} IS NULL THEN {wrong} ELSE {kept.sql} END"

    def default(self, name: str) -> Typed:
        """What a column gets where nothing is given: an identity's next value, its default, or NULL."""
        stored, known = self.stored.column(name), self.columns.get(name)
        if stored.sequence is not None:
            self.translation.volatile = True
            return Typed(f"nextval('{stored.sequence}')", dt.number(19, 0), nullable=False)
        if known is not None and known.default is not None:
            return compile_default(self.translation, known.default)
        return Typed("NULL", dt.NULL)

    def default_value(self, name: str) -> str:
        """The default as the column keeps it."""
        stored = self.stored.column(name)
        if stored.sequence is not None:
            self.translation.volatile = True
            return f"CAST(nextval('{stored.sequence}') AS {stored.type.duckdb})"
        return self.stored_value(name, self.default(name))


def compile_default(translation: Translation, text: str) -> Typed:
    """A column's default expression, which sees no row."""
    tree = parse(f"SELECT {text}")
    return Expressions(translation, Scope()).compile(tree.expressions[0])


def resolve_target(translation: Translation, node: Any, privilege: str) -> Target:
    """The table a statement names, with the privilege it needs."""
    table = node.this if isinstance(node, exp.Schema) else node
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        raise unsupported(f"{privilege} into {node.sql(dialect='snowflake')}")
    only(table, "this", "db", "catalog", "alias")
    relation = translation.resolver.relation(names_of(table), translation.session)
    if relation.kind != "table":
        raise unsupported(f"{privilege} on {relation.kind} {'.'.join(relation.name)}")
    translation.require(privilege, relation)
    stored = translation.storage.table(relation.name)
    return Target(translation, relation, stored, {column.name: column for column in relation.columns})


@dataclass(slots=True)
class Change:
    """A compiled DML statement: what it answers, and the steps that do it. ``locks``: whether it locks its table."""

    verb: str
    target: Target
    labels: list[str]
    steps: Callable[[Steps], list[int]]
    staged: list[str] = field(default_factory=list)
    locks: bool = False

    def run(self, execute: Steps) -> Result:
        """Do it, and answer as Snowflake does: one row of counts."""
        counts = self.steps(execute)
        for name in self.staged:
            execute(f"DROP TABLE {name}")
        affected = sum(counts[: len(counts) - self.labels.count("number of multi-joined rows updated")])
        return Result(self.columns(), [tuple(counts)], _TYPE_IDS[self.verb], affected)

    def columns(self) -> list[ResultColumn]:
        """The columns of the answer."""
        return [ResultColumn(label, "fixed", False, 19, 0) for label in self.labels]


def compile_dml(translation: Translation, node: Any) -> Change:
    """A DML statement. Raises `SqlError` 2 for forms that are not carried."""
    rule = {exp.Insert: _insert, exp.Update: _update, exp.Delete: _delete, exp.Merge: _merge}.get(type(node))
    if rule is None:
        raise unsupported(f"{type(node).__name__.upper()} statement")
    return rule(translation, node)


def _insert(translation: Translation, node: Any) -> Change:
    only(node, "this", "expression", "overwrite")
    target = resolve_target(translation, node.this, "INSERT")
    named = (
        [name_of(one) for one in node.this.expressions]
        if isinstance(node.this, exp.Schema)
        else list(target.stored.columns)
    )
    for name in named:
        target.stored.column(name)
    if len(set(named)) != len(named):
        raise compilation("duplicate column name in the column list", errno=2025, sqlstate="42S21")
    source = _insert_source(translation, node.expression, target, named)
    if len(source.columns) != len(named):
        text = f"Insert value list does not match column list expecting {len(named)} but got {len(source.columns)}"
        raise compilation(text, errno=2020, sqlstate="21S01")
    select = insert_select(target, named, source)
    if node.args.get("overwrite"):
        return _overwrite(translation, target, select)
    return insertion(target, select)


def insertion(target: Target, select: str) -> Change:
    """The insertion of rows that hold every column of the table in order."""
    statement = f"INSERT INTO {target.stored.physical} ({_all(target)}) {select}"

    def steps(execute: Steps) -> list[int]:
        return [execute.insert(target.stored, statement)]

    return Change("INSERT", target, ["number of rows inserted"], steps)


def _overwrite(translation: Translation, target: Target, select: str) -> Change:
    stage = translation.fresh("stage_")
    table = target.stored.physical

    def steps(execute: Steps) -> list[int]:
        execute(f"CREATE TEMP TABLE {stage} AS {select}")
        execute.clear(target.stored)
        return [execute.insert(target.stored, f"INSERT INTO {table} ({_all(target)}) SELECT * FROM {stage}")]

    return Change("INSERT", target, ["number of rows inserted"], steps, [stage], locks=True)


def _all(target: Target) -> str:
    return ", ".join(column.physical for column in target.stored.columns.values())


def insert_select(target: Target, named: list[str], source: Compiled) -> str:
    """The rows to insert, with every column of the table in order: given, or its default."""
    given = {
        name: Typed(f"q.c{i}", one.type) for i, (name, one) in enumerate(zip(named, source.columns, strict=True), 1)
    }
    items = [
        (target.stored_value(name, given[name]) if name in given else target.default_value(name))
        + f" AS {column.physical}"
        for name, column in target.stored.columns.items()
    ]
    return f"SELECT {', '.join(items)} FROM ({source.sql}) AS q"


def _insert_source(translation: Translation, node: Any, target: Target, named: list[str]) -> Compiled:
    if not isinstance(node, exp.Values):
        return compile_query(translation, node)
    for call in node.find_all(exp.Anonymous):
        if str(call.this).upper() in _VALUES_REFUSED:
            text = f"Invalid expression [{call.sql(dialect='snowflake')}] in VALUES clause"
            raise compilation(text, errno=2014, sqlstate="22000")
    here = Expressions(translation, Scope())
    rows = [_row(one) for one in node.expressions]
    lists = [bind.value for bind in translation.binds if isinstance(bind.value, list)]
    if not lists:
        return compile_values(here, rows, lambda i: _default_at(target, named, i))
    return _array_insert(translation, here, rows, len(lists[0]))


def _row(node: Any) -> Any:
    return (
        node
        if isinstance(node, exp.Tuple)
        else exp.Tuple(expressions=[node.this if isinstance(node, exp.Paren) else node])
    )


def _default_at(target: Target, named: list[str], position: int) -> Typed:
    if position >= len(named):
        raise compilation("Insert value list does not match column list", errno=2020, sqlstate="21S01")
    return target.default(named[position])


def _array_insert(translation: Translation, here: Expressions, rows: list[Any], count: int) -> Compiled:
    """Many rows bound at once (executemany): one row of the statement for each."""
    if len(rows) != 1 or any(not isinstance(b.value, list) or len(b.value) != count for b in translation.binds):
        raise unsupported("array binds of different lengths, or with several rows")
    bound: list[Any] = []
    flat: list[Bind] = []
    for i in range(count):
        for bind in translation.binds:
            assert isinstance(bind.value, list)
            flat.append(Bind(bind.type, bind.value[i]))
        bound.append(rows[0])
    translation.binds = flat
    for mark in rows[0].find_all(exp.Placeholder):
        mark.set("this", None)  # each row takes the next binds
    return compile_values(here, bound)


def _target_source(translation: Translation, node: Any, target: Target) -> tuple[str, Source]:
    alias = node.args.get("alias")
    physical = translation.fresh("s")
    source = table_source(translation, target.relation, physical, [])
    source.alias = name_of(alias.this) if alias is not None else target.relation.name[2]
    source.path = () if alias is not None else target.relation.name
    return physical, source


def _more_sources(translation: Translation, nodes: list[Any], scope: Scope) -> str:
    text = ""
    for node in nodes:
        text += " CROSS JOIN " + add_source(translation, node, scope)
        for join in node.args.get("joins") or []:
            text += add_join(translation, join, scope)
    return text


def _update(translation: Translation, node: Any) -> Change:
    only(node, "this", "expressions", "from_", "from", "where")
    target = resolve_target(translation, node.this, "UPDATE")
    physical, source = _target_source(translation, node.this, target)
    scope = Scope(sources=[source])
    start = arg(node, "from")
    more = _more_sources(translation, [start.this] if start is not None else [], scope)
    here = Expressions(translation, scope)
    changes = _assignments(here, node.expressions, target)
    where = f" WHERE {here.boolean(node.args['where'].this)}" if node.args.get("where") is not None else ""
    shown = ", ".join(f"{value} AS n{i}" for i, (_, value) in enumerate(changes, 1))
    stage = translation.fresh("stage_")
    table = target.stored.physical
    sets = ", ".join(f"{column} = q.n{i}" for i, (column, _) in enumerate(changes, 1))

    def steps(execute: Steps) -> list[int]:
        rows = f"SELECT {physical}.rowid AS r, {shown} FROM {table} AS {physical}{more}{where}"
        execute(f"CREATE TEMP TABLE {stage} AS {rows}")
        multiple = execute(f"SELECT count(*) FROM (SELECT r FROM {stage} GROUP BY r HAVING count(*) > 1)")[0][0]
        once = f"(SELECT * FROM {stage} QUALIFY row_number() OVER (PARTITION BY r) = 1) AS q"
        statement = f"UPDATE {table} SET {sets} FROM {once} WHERE {table}.rowid = q.r"
        return [execute.update(target.stored, f"SELECT DISTINCT r FROM {stage}", statement), multiple]

    labels = ["number of rows updated", "number of multi-joined rows updated"]
    return Change("UPDATE", target, labels, steps, [stage], locks=True)


def _assignments(here: Expressions, nodes: list[Any], target: Target) -> list[tuple[str, str]]:
    """DuckDB column and value of each ``column = expression``."""
    result: list[tuple[str, str]] = []
    for one in nodes:
        if not isinstance(one, exp.EQ) or not isinstance(one.this, exp.Column):
            raise unsupported(f"SET {one.sql(dialect='snowflake')}")
        name = name_of(one.this.this)
        column = target.stored.column(name)
        if any(known == column.physical for known, _ in result):
            raise compilation(f"duplicate column name '{name}'", errno=2025, sqlstate="42S21")
        if _is_default(one.expression):
            result.append((column.physical, target.default_value(name)))
        else:
            result.append((column.physical, target.stored_value(name, here.compile(one.expression))))
    return result


def _is_default(node: Any) -> bool:
    if isinstance(node, exp.Var):
        return str(node.this).upper() == "DEFAULT"
    return (
        isinstance(node, exp.Column) and not node.args.get("table") and not node.this.args.get("quoted")
        and str(node.name).upper() == "DEFAULT"
    )  # fmt: skip


def _delete(translation: Translation, node: Any) -> Change:
    only(node, "this", "using", "where")
    target = resolve_target(translation, node.this, "DELETE")
    physical, source = _target_source(translation, node.this, target)
    scope = Scope(sources=[source])
    more = _more_sources(translation, node.args.get("using") or [], scope)
    here = Expressions(translation, scope)
    where = f" WHERE {here.boolean(node.args['where'].this)}" if node.args.get("where") is not None else ""
    table = target.stored.physical
    rows = f"SELECT {physical}.rowid AS r FROM {table} AS {physical}{more}{where}"
    stage = translation.fresh("stage_")

    def steps(execute: Steps) -> list[int]:
        execute(f"CREATE TEMP TABLE {stage} AS SELECT DISTINCT r FROM ({rows})")
        return [execute.delete(target.stored, f"SELECT r FROM {stage}")]

    return Change("DELETE", target, ["number of rows deleted"], steps, [stage], locks=True)


@dataclass(frozen=True, slots=True)
class _Clause:
    """One WHEN of a MERGE: what it does, when, and the DuckDB column and value pairs it writes."""

    verb: str
    condition: str
    writes: list[tuple[str, str]]


def _merge(translation: Translation, node: Any) -> Change:
    only(node, "this", "using", "on", "whens")
    whens = node.args["whens"].expressions
    verbs = [_verb(one) for one in whens]
    target = resolve_target(translation, node.this, verbs[0])
    for verb in dict.fromkeys(verbs[1:]):
        translation.require(verb, target.relation)
    physical, source = _target_source(translation, node.this, target)
    given = Scope()
    using = add_source(translation, node.args["using"], given)
    both = Scope(sources=[source, *given.sources])
    on = Expressions(translation, both).boolean(node.args["on"])
    scopes = {True: Expressions(translation, both), False: Expressions(translation, given)}
    clauses = [
        _clause(scopes[bool(one.args.get("matched"))], one, verb, target)
        for one, verb in zip(whens, verbs, strict=True)
    ]
    matched = [one for one in clauses if one.verb != "INSERT"]
    missing = [one for one in clauses if one.verb == "INSERT"]
    table = target.stored.physical
    plan = _MergePlan(target.stored, translation.fresh("stage_"), translation.fresh("stage_"), matched, missing)
    strict = str(translation.session.parameters.get("ERROR_ON_NONDETERMINISTIC_MERGE", "true")).lower() != "false"
    joined = f"FROM {table} AS {physical} JOIN {using} ON {on}"
    unmatched = f"FROM {using} WHERE NOT EXISTS (SELECT 1 FROM {table} AS {physical} WHERE {on})"
    done = [verb for verb in ("INSERT", "UPDATE", "DELETE") if verb in verbs]
    labels = [f"number of rows {_LABELS[verb]}" for verb in done]

    def steps(execute: Steps) -> list[int]:
        counts = plan.run(execute, joined, unmatched, strict=strict)
        return [counts[verb] for verb in done]

    return Change("MERGE", target, labels, steps, [plan.hits, plan.misses], locks=True)


def _verb(when: Any) -> str:
    only(when, "matched", "source", "condition", "then")
    if when.args.get("source"):
        raise unsupported("WHEN NOT MATCHED BY SOURCE")
    then = when.args["then"]
    if isinstance(then, exp.Update):
        verb = "UPDATE"
    elif isinstance(then, exp.Insert):
        verb = "INSERT"
    elif isinstance(then, exp.Var) and str(then.this).upper() == "DELETE":
        verb = "DELETE"
    else:
        raise unsupported(f"WHEN … THEN {then.sql(dialect='snowflake')}")
    if (verb == "INSERT") == bool(when.args.get("matched")):
        raise compilation(f"{verb} is not allowed in this WHEN clause", errno=1003)
    return verb


def _clause(here: Expressions, when: Any, verb: str, target: Target) -> _Clause:
    condition = here.boolean(when.args["condition"]) if when.args.get("condition") is not None else "TRUE"
    then = when.args["then"]
    if verb == "UPDATE":
        only(then, "expressions")
        return _Clause(verb, condition, _assignments(here, then.expressions, target))
    if verb == "DELETE":
        return _Clause(verb, condition, [])
    only(then, "this", "expression")
    named = [_listed(one) for one in then.this.expressions] if then.this is not None else list(target.stored.columns)
    values = then.expression.expressions
    if len(values) != len(named):
        text = f"Insert value list does not match column list expecting {len(named)} but got {len(values)}"
        raise compilation(text, errno=2020, sqlstate="21S01")
    given = dict(zip(named, values, strict=True))
    for name in named:
        target.stored.column(name)
    writes = [
        (column.physical, _insert_value(here, name, given, target)) for name, column in target.stored.columns.items()
    ]
    return _Clause(verb, condition, writes)


def _listed(node: Any) -> str:
    inner = node.this if isinstance(node, exp.Column) else node
    if not isinstance(inner, exp.Identifier):
        raise invalid_identifier(node.sql(dialect="snowflake"))
    return name_of(inner)


def _insert_value(here: Expressions, name: str, given: dict[str, Any], target: Target) -> str:
    if name not in given or _is_default(given[name]):
        return target.default_value(name)
    return target.stored_value(name, here.compile(given[name]))


@dataclass(frozen=True, slots=True)
class _MergePlan:
    """The steps of a MERGE: stage the matched and the missing rows, then write."""

    stored: StoredTable
    hits: str
    misses: str
    matched: list[_Clause]
    missing: list[_Clause]

    def run(self, execute: Steps, joined: str, unmatched: str, *, strict: bool) -> dict[str, int]:
        """The number of rows inserted, updated and deleted."""
        row = joined.split(" AS ", 1)[1].split(" ", 1)[0]
        execute(f"CREATE TEMP TABLE {self.hits} AS SELECT {row}.rowid AS r, {_staged(self.matched)} {joined}")
        execute(f"CREATE TEMP TABLE {self.misses} AS SELECT {_staged(self.missing)} {unmatched}")
        repeated = f"SELECT r FROM {self.hits} WHERE a > 0 GROUP BY r HAVING count(*) > 1 LIMIT 1"
        if strict and execute(repeated):
            raise SqlError(100090, "42P18", "Duplicate row detected during DML action")
        if not strict:
            first = f"SELECT min(rowid) FROM {self.hits} WHERE a > 0 GROUP BY r"
            execute(f"DELETE FROM {self.hits} WHERE rowid NOT IN ({first})")
        counts = {"INSERT": 0, "UPDATE": 0, "DELETE": 0}
        for number, clause in enumerate(self.matched, 1):
            counts[clause.verb] += self._matched_step(execute, number, clause)
        for number, clause in enumerate(self.missing, 1):
            columns = ", ".join(column for column, _ in clause.writes)
            values = ", ".join(f"v{number}_{i}" for i in range(1, len(clause.writes) + 1))
            insert = (
                f"INSERT INTO {self.stored.physical} ({columns}) SELECT {values} FROM {self.misses} WHERE a = {number}"
            )
            counts["INSERT"] += execute.insert(self.stored, insert)
        return counts

    def _matched_step(self, execute: Steps, number: int, clause: _Clause) -> int:
        rows = f"SELECT r FROM {self.hits} WHERE a = {number}"
        if clause.verb == "DELETE":
            return execute.delete(self.stored, rows)
        sets = ", ".join(f"{column} = {self.hits}.v{number}_{i}" for i, (column, _) in enumerate(clause.writes, 1))
        table = self.stored.physical
        where = f"{table}.rowid = {self.hits}.r AND {self.hits}.a = {number}"
        return execute.update(self.stored, rows, f"UPDATE {table} SET {sets} FROM {self.hits} WHERE {where}")


def _staged(clauses: list[_Clause]) -> str:
    """The number of the clause that applies to a row (0: none), and what it writes."""
    if not clauses:
        return "0 AS a"
    choice = " ".join(f"WHEN {clause.condition} THEN {number}" for number, clause in enumerate(clauses, 1))
    items = [f"CASE {choice} ELSE 0 END AS a"]
    for number, clause in enumerate(clauses, 1):
        items += [
            f"CASE WHEN a = {number} THEN {value} END AS v{number}_{i}" for i, (_, value) in enumerate(clause.writes, 1)
        ]
    return ", ".join(items)
