"""Tasks and task graphs: predecessors, finalizer, state, and the rule that the root is suspended while a graph changes.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-task, alter-task and
https://docs.snowflake.com/en/user-guide/tasks-graphs. Running tasks is not part of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pinky_local.engine import context, errors, families, identifiers, properties, show
from pinky_local.engine.alter import changed
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement
from pinky_local.types import SqlError

Change = Callable[[], None]
GRAPH_LIMIT, LINK_LIMIT = 1000, 100


# the graph -------------------------------------------------------------------------------------------------------


def children(statement: Statement, item: CatalogObject) -> list[CatalogObject]:
    """Tasks that run after this one, and the finalizer of a root."""
    return [
        other
        for other in statement.catalog.of_kind(item.parent, "task")
        if item.number in other.state.get("after", []) or other.state.get("finalize") == item.number
    ]


def roots(statement: Statement, item: CatalogObject) -> list[CatalogObject]:
    """The root tasks of the graph a task is in; the task itself when it has no predecessor."""
    found: dict[int, CatalogObject] = {}
    waiting, seen = [item], set()
    while waiting:
        task = waiting.pop()
        if task.number in seen:
            continue
        seen.add(task.number)
        above = [*task.state.get("after", []), *([task.state["finalize"]] if task.state.get("finalize") else [])]
        parents = [statement.catalog.objects[number] for number in above if number in statement.catalog.objects]
        if not parents:
            found[task.number] = task
        waiting += parents
    return list(found.values())


def graph(statement: Statement, root: CatalogObject) -> list[CatalogObject]:
    """A task and everything after it, the nearest first."""
    found: dict[int, CatalogObject] = {}
    waiting = [root]
    while waiting:
        task = waiting.pop(0)
        if task.number not in found:
            found[task.number] = task
            waiting += children(statement, task)
    return list(found.values())


def is_started(item: CatalogObject) -> bool:
    """Whether a task is resumed."""
    return bool(item.state.get("state") == "started")


def check_roots_suspended(statement: Statement, item: CatalogObject) -> None:
    """Raise 091089 while a root of the task's graph runs. A task alone may be changed while it is started (2026_06)."""
    alone = not children(statement, item) and not item.state.get("after") and not item.state.get("finalize")
    if alone:
        return
    for root in roots(statement, item):
        if is_started(root):
            raise root_not_suspended(statement, root)


def root_not_suspended(statement: Statement, root: CatalogObject) -> SqlError:
    """091089, with the root's name."""
    name = statement.catalog.printed(root)
    text = f"Unable to update graph with root task {name} since that root task is not suspended."
    return errors.compilation(91089, "23001", text)


def _link(statement: Statement, item: CatalogObject, names: list[tuple[str, ...]]) -> list[int]:
    """The predecessors named, checked: same schema, same owner, root suspended, no cycle."""
    found: list[int] = []
    below = {task.number for task in graph(statement, item)} if item.number in statement.catalog.objects else set()
    for parts in names:
        task = statement.find("task", parts)
        if task.parent != item.parent:
            raise errors.compilation(91083, "22023", "A task and its predecessors must be in the same schema.")
        if task.owner != item.owner:
            raise errors.compilation(91084, "22023", "A task and its predecessors must have the same owner.")
        if task.number == item.number or task.number in below:
            raise errors.compilation(91085, "22023", f"Graph has at least one cycle containing task {item.name}.")
        if task.state.get("finalize"):
            raise errors.compilation(91086, "22023", f"Finalizer task {task.name} cannot have child tasks.")
        for root in roots(statement, task):
            if is_started(root):
                raise root_not_suspended(statement, root)
        found.append(task.number)
    if len(found) > LINK_LIMIT:
        raise errors.compilation(91087, "22023", f"A task can have at most {LINK_LIMIT} predecessors.")
    return list(dict.fromkeys(found))


def check_task(statement: Statement, item: CatalogObject) -> None:
    """Rules between the properties of one task."""
    child = bool(item.state.get("after"))
    finalizer = bool(item.state.get("finalize"))
    if (child or finalizer) and item.properties.get("SCHEDULE") is not None:
        kind = "predecessors" if child else "a FINALIZE root"
        raise errors.compilation(91090, "22023", f"Task {item.name} cannot have both a schedule and {kind}.")
    if child and finalizer:
        raise errors.compilation(91090, "22023", f"Task {item.name} cannot have both predecessors and FINALIZE.")
    if child and item.properties.get("CONFIG") is not None:
        raise errors.compilation(91090, "22023", "CONFIG can only be set on a root task.")
    if item.properties.get("WAREHOUSE") and "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE" in item.parameters:
        text = "WAREHOUSE and USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE are mutually exclusive."
        raise errors.compilation(91090, "22023", text)
    if finalizer:
        root = statement.catalog.objects[item.state["finalize"]]
        others = [t for t in children(statement, root) if t.state.get("finalize") and t.number != item.number]
        if others:
            raise errors.compilation(91091, "22023", f"Root task {root.name} has a finalizer task already.")
        if root.state.get("after") or root.state.get("finalize"):
            raise errors.compilation(91091, "22023", f"Task {root.name} is not a root task.")


# CREATE ----------------------------------------------------------------------------------------------------------


def create_task(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE TASK name."""
    tokens = statement.tokens
    if tokens.accept("CLONE"):
        raise errors.unsupported("CREATE TASK … CLONE")
    after: list[tuple[str, ...]] = []
    finalize: tuple[str, ...] | None = None
    condition: str | None = None
    user: str | None = None
    while not tokens.accept("AS"):
        if tokens.accept("AFTER"):
            after = _read_names(statement)
        elif tokens.accept("FINALIZE"):
            tokens.expect_symbol("=")
            finalize = _read_name(statement)
        elif tokens.accept("EXECUTE", "AS", "USER"):
            (user,) = tokens.name(1)
        elif tokens.accept("WHEN"):
            condition = _read_condition(statement)
        elif tokens.at("WITH", "CONTACT"):
            raise errors.unsupported("WITH CONTACT")
        elif not properties.read_tags_clause(statement, creation.settings):
            before = tokens.index
            properties.read_settings(
                statement, TYPES["task"], creating=True, settings=creation.settings, until=("FINALIZE",)
            )
            if tokens.index == before:
                raise tokens.unexpected()
    definition = tokens.rest()

    def build(item: CatalogObject) -> None:
        item.state.update(definition=definition, condition=condition)
        item.state.setdefault("state", "suspended")
        item.state["after"] = _link(statement, item, after)
        item.state["finalize"] = _finalized(statement, item, finalize)
        if user is not None:
            holder = statement.find("user", (user,))
            statement.require(holder, "IMPERSONATE")
            item.state["execute_as_user"] = user
        if item.properties.get("WAREHOUSE"):
            _check_warehouse(statement, item)
        check_task(statement, item)

    creation.build.append(build)
    creation.alter.append(build)
    creation.finish.append(lambda item: _inherit_links(statement, item))


def _finalized(statement: Statement, item: CatalogObject, parts: tuple[str, ...] | None) -> int | None:
    if parts is None:
        return None
    root = statement.find("task", parts)
    if root.parent != item.parent or root.owner != item.owner:
        raise errors.compilation(91083, "22023", "A finalizer and its root must have the same schema and owner.")
    if is_started(root):
        raise root_not_suspended(statement, root)
    return root.number


def _inherit_links(statement: Statement, item: CatalogObject) -> None:
    """A replaced task keeps its place in the graph: children that named the old one name the new one."""
    for other in statement.catalog.of_kind(item.parent, "task"):
        orphaned = other.state.get("replaced", {})
        if item.name in orphaned:
            if orphaned.pop(item.name) == "finalize":
                other.state["finalize"] = item.number
            else:
                other.state["after"] = [*other.state.get("after", []), item.number]


def _check_warehouse(statement: Statement, item: CatalogObject) -> None:
    name = identifiers.parse_dotted(str(item.properties["WAREHOUSE"]))
    warehouse = statement.find("warehouse", name)
    owner = statement.access.closure(item.owner) if item.owner is not None else statement.roles
    if not statement.access.holds(owner | statement.roles, warehouse, "USAGE"):
        raise errors.insufficient("warehouse", warehouse.name)


def _read_name(statement: Statement) -> tuple[str, ...]:
    tokens = statement.tokens
    return identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name()


def _read_names(statement: Statement) -> list[tuple[str, ...]]:
    names = [_read_name(statement)]
    while statement.tokens.accept_symbol(","):
        names.append(_read_name(statement))
    return names


def _read_condition(statement: Statement, *, to_end: bool = False) -> str:
    """The text of a WHEN clause, up to AS."""
    tokens = statement.tokens
    first, depth = tokens.index, 0
    while not tokens.at_end():
        if not to_end and depth == 0 and tokens.word() == "AS":
            break
        if tokens.is_symbol("(") or tokens.is_symbol(")"):
            depth += 1 if tokens.is_symbol("(") else -1
        name = tokens.word()
        if tokens.is_symbol("(", 1) and name and name not in _IN_CONDITIONS:
            raise errors.compilation(91092, "0A000", f"Function {name} is not allowed in a WHEN clause.")
        tokens.index += 1
    if tokens.index == first:
        raise tokens.unexpected()
    return tokens.text_between(first, tokens.index)


_IN_CONDITIONS = frozenset({
    "SYSTEM$STREAM_HAS_DATA", "SYSTEM$GET_PREDECESSOR_RETURN_VALUE", "AND", "OR", "NOT", "IN", "CAST", "TO_BOOLEAN",
    "TO_NUMBER", "TO_VARCHAR",
})  # fmt: skip


# ALTER -----------------------------------------------------------------------------------------------------------


def alter_task(statement: Statement, item: CatalogObject) -> Change | None:
    """Read a verb of ALTER TASK."""
    tokens = statement.tokens
    if tokens.accept("RESUME"):
        return lambda: resume(statement, item)
    if tokens.accept("SUSPEND"):
        return lambda: suspend(statement, item)
    if tokens.accept("ADD", "AFTER"):
        names = _read_names(statement)
        return lambda: _edit(statement, item, lambda d: _add_after(statement, d, names))
    if tokens.accept("REMOVE", "AFTER"):
        names = _read_names(statement)
        return lambda: _edit(statement, item, lambda d: _remove_after(statement, d, names))
    if tokens.accept("MODIFY", "AS"):
        definition = tokens.rest()
        return lambda: _edit(statement, item, lambda d: d.state.update(definition=definition))
    if tokens.accept("MODIFY", "WHEN"):
        condition = _read_condition(statement, to_end=True)
        return lambda: _edit(statement, item, lambda d: d.state.update(condition=condition))
    if tokens.accept("REMOVE", "WHEN"):
        return lambda: _edit(statement, item, lambda d: d.state.update(condition=None))
    if tokens.accept("SET", "FINALIZE"):
        tokens.expect_symbol("=")
        parts = _read_name(statement)
        return lambda: _edit(statement, item, lambda d: d.state.update(finalize=_finalized(statement, d, parts)))
    if tokens.accept("UNSET", "FINALIZE"):
        return lambda: _edit(statement, item, lambda d: _unset_finalize(statement, d))
    if tokens.at("SET") and tokens.word(1) not in ("TAG", "CONTACT", "EXECUTE"):
        tokens.expect("SET")
        settings = properties.read_settings(statement, TYPES["task"], creating=False)
        if not (settings.properties or settings.parameters):
            raise tokens.unexpected()
        return lambda: _edit(statement, item, lambda d: _apply(statement, d, settings))
    if tokens.at("UNSET") and tokens.word(1) not in ("TAG", "CONTACT", "EXECUTE", "DCM"):
        tokens.expect("UNSET")
        gone = properties.read_unset(statement, TYPES["task"])
        return lambda: _edit(statement, item, lambda d: properties.unset(d, gone))
    return None


def _apply(statement: Statement, draft: CatalogObject, settings: properties.Settings) -> None:
    settings.apply(draft)
    if "OVERLAP_POLICY" in settings.properties:
        draft.properties.pop("ALLOW_OVERLAPPING_EXECUTION", None)
    if "ALLOW_OVERLAPPING_EXECUTION" in settings.properties:
        draft.properties.pop("OVERLAP_POLICY", None)
    if settings.properties.get("WAREHOUSE"):
        _check_warehouse(statement, draft)


def _edit(statement: Statement, item: CatalogObject, edit: Callable[[CatalogObject], Any]) -> None:
    changed(statement, item, "OWNERSHIP")
    draft = item.draft()
    edit(draft)
    check_task(statement, draft)
    statement.catalog.replace(item, draft)


def _add_after(statement: Statement, draft: CatalogObject, names: list[tuple[str, ...]]) -> None:
    draft.state["after"] = list(dict.fromkeys([*draft.state.get("after", []), *_link(statement, draft, names)]))


def _remove_after(statement: Statement, draft: CatalogObject, names: list[tuple[str, ...]]) -> None:
    gone = [statement.find("task", parts).number for parts in names]
    if not set(gone) <= set(draft.state.get("after", [])):
        raise errors.compilation(91093, "22023", f"Task {draft.name} has no such predecessor.")
    draft.state["after"] = [number for number in draft.state["after"] if number not in gone]
    if not draft.state["after"]:
        _became_root(statement, draft, "CHILD_BECAME_ROOT")


def _unset_finalize(statement: Statement, draft: CatalogObject) -> None:
    draft.state["finalize"] = None
    _became_root(statement, draft, "FINALIZER_BECAME_ROOT")


def _became_root(statement: Statement, item: CatalogObject, reason: str) -> None:
    item.state.update(state="suspended", last_suspended_on=statement.now, last_suspended_reason=reason)


def resume(statement: Statement, item: CatalogObject) -> None:
    """ALTER TASK … RESUME: the owner needs EXECUTE TASK (or EXECUTE MANAGED TASK), a child a suspended root."""
    statement.require(item, "OPERATE")
    if item.state.get("after") or item.state.get("finalize"):
        check_roots_suspended(statement, item)
    elif item.properties.get("SCHEDULE") is None and not item.state.get("condition"):
        text = f"Task {item.name} cannot be resumed: it has neither a schedule, nor predecessors, nor a condition on a stream."
        raise errors.compilation(91094, "55000", text)
    start(statement, item)


def start(statement: Statement, item: CatalogObject) -> None:
    """Set a task started after checking what its owner needs."""
    owner = statement.access.closure(item.owner) if item.owner is not None else frozenset()
    needed = "EXECUTE TASK" if item.properties.get("WAREHOUSE") else "EXECUTE MANAGED TASK"
    for privilege in dict.fromkeys(("EXECUTE TASK", needed)):
        if not statement.access.holds_account(owner, privilege):
            text = f"Cannot execute task , {privilege} privilege must be granted to owner role"
            raise errors.compilation(91007, "42501", text)
    if item.properties.get("WAREHOUSE"):
        _check_warehouse(statement, item)
    if not is_started(item):
        item.state.update(state="started", last_committed_on=statement.now)


def suspend(statement: Statement, item: CatalogObject) -> None:
    """ALTER TASK … SUSPEND."""
    statement.require(item, "OPERATE")
    if item.state.get("after") or item.state.get("finalize"):
        check_roots_suspended(statement, item)
    item.state.update(state="suspended", last_suspended_on=statement.now, last_suspended_reason="USER_SUSPENDED")


def enable_dependents(statement: Statement, arguments: Sequence[Any]) -> str:
    """SYSTEM$TASK_DEPENDENTS_ENABLE('task'): resume a root and everything after it, the leaves first."""
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise errors.compilation(938, "22023", "not enough arguments for function [SYSTEM$TASK_DEPENDENTS_ENABLE]")
    root = statement.find("task", identifiers.parse_dotted(arguments[0]))
    tasks = graph(statement, root)
    for task in tasks:
        statement.require(task, "OPERATE")
    before = [(task, dict(task.state)) for task in tasks]
    try:
        for task in reversed(tasks):
            start(statement, task)
    except Exception:
        for task, state in before:
            task.state = state
        raise
    statement.account.changed = True
    return "success"


# DROP and ownership ----------------------------------------------------------------------------------------------


def check_drop(statement: Statement, item: CatalogObject) -> None:
    """Raise while the graph runs; else cut the links to what comes after."""
    check_roots_suspended(statement, item)
    replacing = statement.tokens.tokens[0].value == "CREATE"
    for child in children(statement, item):
        if replacing:
            kind = "finalize" if child.state.get("finalize") == item.number else "after"
            child.state.setdefault("replaced", {})[item.name] = kind
        _cut(statement, child, item, quiet=replacing)


def _cut(statement: Statement, child: CatalogObject, gone: CatalogObject, *, quiet: bool = False) -> None:
    child.state["after"] = [number for number in child.state.get("after", []) if number != gone.number]
    finalizer = child.state.get("finalize") == gone.number
    if finalizer:
        child.state["finalize"] = None
    if quiet or child.state["after"]:
        return
    _became_root(statement, child, "FINALIZER_BECAME_ROOT" if finalizer else "CHILD_BECAME_ROOT")


def owner_changed(statement: Statement, item: CatalogObject) -> None:
    """A task that goes to another owner is suspended and leaves its graph, unless its neighbours go with it."""
    item.state.update(state="suspended", last_suspended_on=statement.now, last_suspended_reason="GRANT_OWNERSHIP")
    for child in children(statement, item):
        if child.owner != item.owner:
            _cut(statement, child, item)
    objects = statement.catalog.objects
    item.state["after"] = [n for n in item.state.get("after", []) if n in objects and objects[n].owner == item.owner]


def _describe(statement: Statement, item: CatalogObject) -> Any:
    return show.table(statement, TYPES["task"].show, [item], show.DESCRIBE_TYPE)


families.CREATE["task"] = create_task
families.ALTER["task"] = alter_task
families.DESCRIBE["task"] = _describe
families.DROP_CHECK["task"] = check_drop
families.CHANGE_CHECK["task"] = check_roots_suspended
families.OWNER_CHANGED["task"] = owner_changed
context.NEEDS_STATEMENT["SYSTEM$TASK_DEPENDENTS_ENABLE"] = enable_dependents
