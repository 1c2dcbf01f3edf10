"""Tasks and their place in a graph.

https://docs.snowflake.com/en/sql-reference/sql/create-task,
https://docs.snowflake.com/en/sql-reference/sql/alter-task,
https://docs.snowflake.com/en/sql-reference/sql/show-tasks
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Change,
    Context,
    Diagnostic,
    Duration,
    FieldChange,
    Guard,
    Identifier,
    LogLevel,
    Names,
    Resource,
    Risk,
    Schedule,
    Source,
    SqlText,
    Statement,
    alter_set,
    alter_unset,
    assignment,
    is_given,
    named_in,
    parse_path,
    prop,
    resource,
    statement,
)
from pinky_schema.dag_calls import arguments_in
from pinky_schema.task_graph import State, graph_guards, neighbour, parents
from pinky_schema.task_values import Config, OverlapPolicy, ServerlessSize

#: What SHOW TASKS tells where it has only the old column: runs may overlap, nobody knows how far.
OVERLAPS = "OVERLAPPING"

# Clauses with a grammar of their own; everything else is NAME = value.
_CLAUSES = frozenset({"after", "finalize", "execute_as_user", "when", "definition", "state"})


@resource("task", scope="schema")
class Task(Resource):
    """SQL that runs on a schedule, after other tasks, or when a stream has data.

    ``state`` is ``started`` or ``suspended``; not declared, it stays as it is, and a new task is suspended. The root of
    a graph is suspended while its tasks change and then restored. If the process dies in between, the root stays
    suspended: the next run restores it where ``state: started`` is declared, and cannot know about it otherwise.
    """

    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE TASK", "the schema"),
        ("OWNERSHIP", "the task"),
        ("EXECUTE TASK", "the account"),
        ("EXECUTE MANAGED TASK", "the account"),
        ("USAGE", "the warehouse"),
    )

    warehouse: Identifier | None = prop(
        default=None, refers_to="warehouse", doc="Warehouse it runs on; without one it is serverless."
    )
    schedule: Schedule | None = prop(default=None, doc="When a root runs.")
    config: Config | None = prop(default=None, doc="Configuration of the graph, on its root.")
    overlap_policy: OverlapPolicy | None = prop(
        default=OverlapPolicy.NO_OVERLAP, doc="How far runs of the graph may overlap; on its root."
    )
    error_integration: Identifier | None = prop(
        default=None, refers_to="notification_integration", doc="Integration that is told of failures."
    )
    success_integration: Identifier | None = prop(
        default=None, refers_to="notification_integration", doc="Integration that is told of successes."
    )
    target_completion_interval: Duration | None = prop(
        default=None, doc="When a serverless run should be done; a serverless triggered task needs it."
    )
    comment: str | None = prop(default=None, doc="Free text.")

    user_task_managed_initial_warehouse_size: ServerlessSize | None = prop(
        default=ServerlessSize.MEDIUM, source=Source.PARAMETER, doc="Size of the first serverless runs."
    )
    serverless_task_min_statement_size: ServerlessSize | None = prop(
        default=ServerlessSize.XSMALL, source=Source.PARAMETER, doc="Smallest size of serverless compute."
    )
    serverless_task_max_statement_size: ServerlessSize | None = prop(
        default=ServerlessSize.XXLARGE, source=Source.PARAMETER, doc="Largest size of serverless compute."
    )
    user_task_timeout_ms: int | None = prop(
        default=3600000, minimum=0, maximum=604800000, source=Source.PARAMETER, doc="Milliseconds one run may take."
    )
    suspend_task_after_num_failures: int | None = prop(
        default=10, minimum=0, source=Source.PARAMETER, doc="Failures in a row after which it is suspended; 0 never."
    )
    task_auto_retry_attempts: int | None = prop(
        default=0, minimum=0, maximum=30, source=Source.PARAMETER, doc="Retries of a failed graph; on its root."
    )
    user_task_minimum_trigger_interval_in_seconds: int | None = prop(
        default=30, minimum=10, maximum=604800, source=Source.PARAMETER, doc="Seconds between two triggered runs."
    )
    log_level: LogLevel | None = prop(default=None, source=Source.PARAMETER, doc="Which of its events are kept.")

    query_tag: str | None = prop(default=None, source=Source.PARAMETER, doc="Tag of its queries.")
    timezone: str | None = prop(default=None, source=Source.PARAMETER, doc="Time zone of its session.")
    statement_timeout_in_seconds: int | None = prop(
        default=172800, minimum=0, maximum=604800, source=Source.PARAMETER, doc="Seconds a statement may run."
    )
    statement_queued_timeout_in_seconds: int | None = prop(
        default=0, minimum=0, source=Source.PARAMETER, doc="Seconds a statement may wait in a queue."
    )
    lock_timeout: int | None = prop(
        default=43200, minimum=0, source=Source.PARAMETER, doc="Seconds a statement waits for a lock."
    )
    abort_detached_query: bool | None = prop(default=False, source=Source.PARAMETER, doc="Session parameter.")
    autocommit: bool | None = prop(default=True, source=Source.PARAMETER, doc="Session parameter; must be true.")
    error_on_nondeterministic_merge: bool | None = prop(default=True, source=Source.PARAMETER, doc="Session parameter.")
    error_on_nondeterministic_update: bool | None = prop(
        default=False, source=Source.PARAMETER, doc="Session parameter."
    )
    multi_statement_count: int | None = prop(default=1, minimum=0, source=Source.PARAMETER, doc="Session parameter.")
    quoted_identifiers_ignore_case: bool | None = prop(default=False, source=Source.PARAMETER, doc="Session parameter.")
    rows_per_resultset: int | None = prop(default=0, minimum=0, source=Source.PARAMETER, doc="Session parameter.")
    use_cached_result: bool | None = prop(default=True, source=Source.PARAMETER, doc="Session parameter.")
    transaction_abort_on_error: bool | None = prop(default=False, source=Source.PARAMETER, doc="Session parameter.")
    timestamp_type_mapping: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    date_input_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    date_output_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    time_input_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    time_output_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    timestamp_input_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    timestamp_output_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    binary_input_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    binary_output_format: str | None = prop(default=None, source=Source.PARAMETER, doc="Session parameter.")
    two_digit_century_start: int | None = prop(
        default=1970, minimum=1900, maximum=2100, source=Source.PARAMETER, doc="Session parameter."
    )
    week_of_year_policy: int | None = prop(
        default=0, minimum=0, maximum=1, source=Source.PARAMETER, doc="Session parameter."
    )
    week_start: int | None = prop(default=0, minimum=0, maximum=7, source=Source.PARAMETER, doc="Session parameter.")

    after: tuple[Identifier, ...] = prop(
        default=(), refers_to="task", doc="Tasks of the same schema that it runs after, in any order."
    )
    finalize: Identifier | None = prop(
        default=None, refers_to="task", doc="Root of the graph that it finalizes, in the same schema."
    )
    execute_as_user: Identifier | None = prop(default=None, doc="User it runs as, instead of the system.")
    when: SqlText | None = prop(default=None, column="condition", doc="Condition for it to run.")
    definition: SqlText = prop(doc="The SQL that runs.")
    state: State = prop(default=State.SUSPENDED, doc="Whether it is started; not declared, it stays as it is.")

    #: Fields that only a root may have.
    root_only: ClassVar[tuple[str, ...]] = ("schedule", "config", "overlap_policy", "task_auto_retry_attempts")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What a child, a finalizer and a serverless task cannot have."""
        if is_given(self.finalize) and is_given(self.after) and self.after:
            yield "finalize", "a finalizer has no 'after': it runs when the whole graph is done"
        if (is_given(self.after) and self.after) or is_given(self.finalize):
            for name in self.root_only:
                if is_given(getattr(self, name)):
                    yield name, f"{name!r} belongs to the root of the graph, not to a task that runs after others"
        if is_given(self.warehouse):
            for name in ("user_task_managed_initial_warehouse_size", "target_completion_interval"):
                if is_given(getattr(self, name)):
                    yield name, f"{name!r} is for serverless tasks; this one has a warehouse"
        if self.autocommit is False:
            yield "autocommit", "a task cannot run with AUTOCOMMIT = FALSE"

    def check(self, address: Address, live: Task | None, context: Context) -> Iterable[Diagnostic]:
        """Every task it names must be declared or there; a started child that becomes a root is suspended."""
        for field in ("after", "finalize"):
            value = getattr(self, field)
            names = () if not is_given(value) else value if isinstance(value, tuple) else (value,)
            for name in names:
                other = neighbour(address, name)
                if other not in context.declared and other not in context.live:
                    summary = f"{address}: {field} names {other}, which is neither declared nor visible to this role"
                    hint = "Declare the task; all tasks of a graph lie in one schema and have one owner."
                    yield Diagnostic.error("unknown-reference", summary, hint=hint, address=address)
        if live is not None and live.state is State.STARTED and self.state is ABSENT and self._becomes_root(live):
            summary = f"{address} becomes a root task, and Snowflake suspends it"
            yield Diagnostic.warning("suspended", summary, hint="Declare `state: started`.", address=address)

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """What must be there first. Tasks only by their links: a text may name a task that comes later."""
        yield from (each for each in super().needs(address, names) if each.kind != self.spec.kind)
        for other in parents(address, self.after or (), self.finalize or None):
            yield from names.at(other.path, (self.spec.kind,))
        for argument in arguments_in(self.definition):
            yield from names.resolve(str(argument.get("procedure", "")), address.path[:-1], ("procedure",))
            used = named_in(str(argument.get("sql", "")), address.path[:-1], names)
            yield from (each for each in used if each.kind != self.spec.kind)

    def _becomes_root(self, live: Task) -> bool:
        return _is_child(live.after, live.finalize) and not _is_child(*self._links(live))

    def _links(self, live: Task) -> tuple[tuple[Identifier, ...], Identifier | None]:
        """The tasks before it once this is applied: what is not declared stays."""
        after = live.after if self.after is ABSENT else self.after
        finalize = live.finalize if self.finalize is ABSENT else self.finalize
        return after or (), finalize or None

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE TASK; a child that is to be started is resumed here, a root when its graph is complete."""
        properties: list[str] = []
        parameters: list[str] = []
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if is_given(value) and field.name not in _CLAUSES:
                place = parameters if field.source is Source.PARAMETER else properties
                place.append(assignment(field, value).text)
        pieces = [f"CREATE TASK {address.sql}", *properties]
        if parameters:
            pieces.append(", ".join(parameters))
        if self.finalize:
            pieces.append(f"FINALIZE = {_named(address, (self.finalize,))}")
        if is_given(self.after) and self.after:
            pieces.append(f"AFTER {_named(address, self.after)}")
        if is_given(self.execute_as_user):
            pieces.append(f"EXECUTE AS USER {Identifier(self.execute_as_user).sql}")
        if is_given(self.when):
            pieces.append(f"WHEN {SqlText(self.when).sql}")
        statements = [statement(" ".join(pieces), f" AS {self.definition.sql}")]
        if self.state is State.STARTED and _is_child(self.after or (), self.finalize or None):
            statements.append(statement(f"ALTER TASK {address.sql} RESUME"))
        return statements

    def alter(
        self, address: Address, live: Task, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """What contradicts the new place in a graph goes first, then the links, then everything else, then the state.

        New predecessors are added before old ones are removed, so that a started child never becomes a root between.
        """
        changed = {change.path: change.after for change in changes}
        head = f"ALTER TASK {address.sql}"
        by_name = self.spec.by_name
        plain = {name: value for name, value in changed.items() if name not in _CLAUSES}
        unset = [by_name[name].sql for name, value in plain.items() if value is None]
        given = [assignment(by_name[name], value) for name, value in plain.items() if value is not None]
        found = [alter_unset(self.spec, address, unset)] if unset else []
        found += [statement(f"{head} {clause}") for clause in self._link_clauses(address, live, changed)]
        found += [alter_set(self.spec, address, given)] if given else []
        found += [statement(f"{head} {clause}") for clause in self._text_clauses(changed)]
        found += [statement(f"{head} {verb}") for verb in self._state_verbs(live)]
        return found

    def _link_clauses(self, address: Address, live: Task, changed: Mapping[str, Any]) -> list[str]:
        found = []
        if "finalize" in changed and live.finalize:
            found.append("UNSET FINALIZE")
        if "after" in changed:
            wanted, held = tuple(self.after or ()), tuple(live.after or ())
            added = [name for name in wanted if name not in held]
            removed = [name for name in held if name not in wanted]
            found += [f"ADD AFTER {_named(address, added)}"] if added else []
            found += [f"REMOVE AFTER {_named(address, removed)}"] if removed else []
        if changed.get("finalize") is not None:
            found.append(f"SET FINALIZE = {_named(address, (changed['finalize'],))}")
        return found

    def _text_clauses(self, changed: Mapping[str, Any]) -> list[str]:
        found = []
        if "execute_as_user" in changed:
            user = changed["execute_as_user"]
            found.append("UNSET EXECUTE AS USER" if user is None else f"SET EXECUTE AS USER {Identifier(user).sql}")
        if "definition" in changed:
            found.append(f"MODIFY AS {self.definition.sql}")
        if "when" in changed:
            found.append("REMOVE WHEN" if changed["when"] is None else f"MODIFY WHEN {SqlText(changed['when']).sql}")
        return found

    def _state_verbs(self, live: Task) -> list[str]:
        """RESUME of children, SUSPEND of any; a root is resumed when its whole graph is done, by the guard."""
        wanted = live.state if self.state is ABSENT else (self.state or State.SUSPENDED)
        if wanted is State.SUSPENDED:
            return ["SUSPEND"] if live.state is State.STARTED else []
        was_root = not _is_child(live.after, live.finalize)
        after, finalize = self._links(live)
        if not _is_child(after, finalize):
            return []
        moved = bool(live.finalize) and finalize != live.finalize  # it was no finalizer in between, and suspended
        return ["RESUME"] if live.state is not State.STARTED or was_root or moved else []

    # -- planning ----------------------------------------------------------------------------------------------------

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Refused: Snowflake cannot rename a task."""
        raise ValueError("Snowflake cannot rename a task: declare the new one, and drop the old one later")

    def changes(self, address: Address, live: Task, context: Context) -> Sequence[FieldChange]:
        """What differs; predecessors have no order, and an overlap that is not told exactly is no difference."""
        found = []
        for change in super().changes(address, live, context):
            if change.path == "after" and set(self.after or ()) == set(live.after or ()):
                continue
            if change.after == "" and change.before is None and self.spec.by_name[change.path].source is Source.COLUMN:
                continue  # an empty text is shown as none
            unsure = change.path == "overlap_policy" and change.before == OVERLAPS
            if unsure and change.after in (OverlapPolicy.ALLOW_CHILD_OVERLAP, OverlapPolicy.ALLOW_ALL_OVERLAP):
                continue
            found.append(change)
        return found

    def risk(
        self, address: Address, action: Action, live: Resource, changes: Sequence[FieldChange]
    ) -> tuple[Risk, str]:
        """Dropping a task loses its run history, and takes it out of its graph."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, "the task, its run history, and the links of the tasks that run after it"
        return Risk.SAFE, ""

    @classmethod
    def guards(cls, changes: Sequence[Change], context: Context) -> Iterable[Guard]:
        """Roots are suspended while tasks of their graphs change; see `pinky_schema.task_graph`."""
        return graph_guards(changes, context)

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW TASKS, with names without their schema and the overlap under its new name."""
        relations = json.loads(row.get("task_relations") or "{}")
        before = relations.get("Predecessors") or json.loads(row.get("predecessors") or "[]")
        root = relations.get("FinalizedRootTask")
        raw = super().from_row(row)
        if not row.get("overlap_policy"):
            overlaps = str(row.get("allow_overlapping_execution") or "").lower() == "true"
            raw["overlap_policy"] = OVERLAPS if overlaps else None
        raw["after"] = [parse_path(name)[-1] for name in before]
        raw["finalize"] = parse_path(root)[-1] if root else None
        return raw

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A live body; what a later Snowflake may print, and this version cannot read, stays text and differs."""
        texts: dict[str, Any] = {n: SqlText(raw[n]) for n in ("definition", "when") if raw.get(n)}
        for name, type_ in (("schedule", Schedule), ("target_completion_interval", Duration)):
            if raw.get(name) and not _readable(type_, str(raw[name])):
                texts[name] = str(raw[name])
        untold = {field.name: None for field in cls.spec.fields if field.required}
        cells = {name: value for name, value in raw.items() if name not in texts}
        body: Any = super().from_raw({**untold, **cells})
        whole: Self = attrs.evolve(body, **texts)
        return whole


def _readable(type_: type[Schedule] | type[Duration], text: str) -> bool:
    if text.strip().lower() == "null":
        return True
    try:
        type_.parse(text)
    except ValueError:
        return False
    return True


def _is_child(after: Iterable[Identifier] | None, finalize: Identifier | None) -> bool:
    return bool(tuple(after or ())) or bool(finalize)


def _named(address: Address, names: Iterable[Identifier]) -> str:
    return ", ".join(each.sql for each in parents(address, names, None))
