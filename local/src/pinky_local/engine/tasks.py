"""CREATE TASK, the verbs of ALTER TASK, and what else happens to tasks; `pinky_local.engine.runs` runs them.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-task, alter-task, drop-task and
https://docs.snowflake.com/en/sql-reference/functions/system_task_dependents_enable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pinky_local.engine import contacts, context, errors, families, identifiers, properties, task_graphs
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.properties import Settings
from pinky_local.engine.specs import TYPES
from pinky_local.engine.specs.tasks import EXECUTE_AS_USER
from pinky_local.engine.statement import Statement
from pinky_local.engine.tokens import TokenStream

Change = Callable[[], None]

_IN_CONDITIONS = frozenset({
    "SYSTEM$STREAM_HAS_DATA", "SYSTEM$GET_PREDECESSOR_RETURN_VALUE", "AND", "OR", "NOT", "IN", "CAST", "TRY_CAST",
    "TO_BOOLEAN", "TO_NUMBER", "TO_VARCHAR", "NUMBER", "VARCHAR",
})  # fmt: skip
"""Words that may stand before a parenthesis in WHEN: the two functions, operators, casts and their types."""


# reading ---------------------------------------------------------------------------------------------------------


def _name(tokens: TokenStream) -> tuple[str, ...]:
    """A task's name, bare or in a string."""
    return identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name()


def _names(tokens: TokenStream) -> list[tuple[str, ...]]:
    found = [_name(tokens)]
    while tokens.accept_symbol(","):
        found.append(_name(tokens))
    return found


def _user(statement: Statement) -> str:
    """The user after EXECUTE AS USER, whom the session must be allowed to impersonate."""
    (name,) = statement.tokens.name(1)
    statement.deferred_checks.append(lambda: statement.require(statement.find("user", (name,)), "IMPERSONATE"))
    return name


def _condition(tokens: TokenStream, *, stop: bool) -> str:
    """The text of a WHEN expression: up to AS outside of parentheses, or to the end of the statement."""
    first, depth = tokens.index, 0
    while not tokens.at_end():
        name = tokens.word()
        if tokens.is_symbol("("):
            depth += 1
        elif tokens.is_symbol(")"):
            depth -= 1
        elif stop and depth == 0 and name == "AS":
            break
        elif name and tokens.is_symbol("(", 1) and name not in _IN_CONDITIONS:
            raise errors.unsupported(f"{name} in the WHEN clause of a task")
        tokens.index += 1
    text = tokens.text_between(first, tokens.index)
    if not text or depth:
        raise tokens.unexpected()
    return text


def _definition(tokens: TokenStream) -> str:
    if tokens.at_end():
        raise tokens.unexpected()
    return tokens.rest()


def _check_settings(settings: Settings) -> None:
    """Translate the old word for OVERLAP_POLICY and refuse session parameters that tasks do not take."""
    old = settings.properties.pop("ALLOW_OVERLAPPING_EXECUTION", None)
    if old is not None:
        if "OVERLAP_POLICY" in settings.properties:
            raise errors.duplicate_property("OVERLAP_POLICY")
        settings.properties["OVERLAP_POLICY"] = "ALLOW_CHILD_OVERLAP" if old else "NO_OVERLAP"
    if settings.parameters.get("SEARCH_PATH") is not None:
        raise errors.unsupported("SEARCH_PATH on TASK")
    if settings.parameters.get("AUTOCOMMIT") is False:
        raise errors.unsupported("AUTOCOMMIT = FALSE on TASK")


def _check_compute(task: CatalogObject) -> None:
    """A warehouse and the settings of serverless compute exclude each other. (The number is a guess.)"""
    if task.properties.get("WAREHOUSE") is None:
        return
    for name in ("USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE", "TARGET_COMPLETION_INTERVAL"):
        if name in task.parameters or task.properties.get(name) is not None:
            raise errors.compilation(2200, "22023", f"WAREHOUSE and {name} cannot be set on the same task.")


def _find(statement: Statement, names: list[tuple[str, ...]]) -> list[CatalogObject]:
    found: dict[int, CatalogObject] = {}
    for parts in names:
        task = statement.find("task", parts)
        found[task.number] = task
    return list(found.values())


# CREATE ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Declared:
    """What stands between the name and the end of CREATE TASK, besides properties."""

    after: list[tuple[str, ...]] = field(default_factory=list)
    finalize: list[tuple[str, ...]] = field(default_factory=list)
    condition: str | None = None
    definition: str = ""
    replaced: CatalogObject | None = None


def read_create(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE TASK name."""
    if statement.tokens.word() == "CLONE":
        raise errors.unsupported("CREATE TASK … CLONE")
    declared = _read_declared(statement, creation)
    _check_settings(creation.settings)

    def build(task: CatalogObject) -> None:
        existing = statement.catalog.get(task.parent, "task", task.name)
        if existing is not None and existing.number != task.number:
            declared.replaced = existing
        task.state.setdefault("state", task_graphs.SUSPENDED)
        task.state.update(definition=declared.definition, condition=declared.condition)
        _link(statement, task, declared)

    def change(task: CatalogObject) -> None:
        if EXECUTE_AS_USER not in creation.settings.properties:
            task.properties.pop(EXECUTE_AS_USER, None)
        was_child = bool(task_graphs.predecessors(statement, task))
        was_finalizer = task_graphs.finalized(statement, task) is not None
        build(task)
        if was_finalizer and not declared.finalize:
            task_graphs.unfinalize(statement, task)
        elif was_child:
            task_graphs.orphaned(statement, task)

    def finish(task: CatalogObject) -> None:
        if declared.replaced is not None:
            task_graphs.relink(statement, declared.replaced, task)

    creation.build.append(build)
    creation.alter.append(change)
    creation.finish.append(finish)


def _read_declared(statement: Statement, creation: Creation) -> _Declared:
    tokens = statement.tokens
    declared = _Declared()
    while tokens.word() != "AS":
        if contacts.read_clause(statement, creation):
            continue
        if creation.mode == "alter" and (tokens.at("WITH", "TAG") or tokens.at("TAG")):
            raise errors.unsupported("TAG in CREATE OR ALTER TASK")
        if tokens.accept("AFTER"):
            declared.after += _names(tokens)
        elif tokens.accept("FINALIZE"):
            tokens.expect_symbol("=")
            declared.finalize = [_name(tokens)]
        elif tokens.accept("EXECUTE", "AS", "USER"):
            creation.settings.properties[EXECUTE_AS_USER] = _user(statement)
        elif tokens.accept("WHEN"):
            declared.condition = _condition(tokens, stop=True)
            if tokens.word() != "AS":
                raise tokens.unexpected()
        elif not properties.read_tags_clause(statement, creation.settings):
            before = tokens.index
            properties.read_settings(statement, TYPES["task"], creating=True, settings=creation.settings)
            if tokens.index == before:
                raise tokens.unexpected()
    tokens.expect("AS")
    declared.definition = _definition(tokens)
    return declared


def _link(statement: Statement, task: CatalogObject, declared: _Declared) -> None:
    """Give a new task or a draft its links and check them."""
    after, finalize = _find(statement, declared.after), _find(statement, declared.finalize)
    known = (*task.state.get("after", ()), task.state.get("finalize"))
    for other in (*after, *finalize):
        if other.number not in known:
            task_graphs.check_link(statement, task, other)
    task.state["after"] = [other.number for other in after]
    task.state["finalize"] = finalize[0].number if finalize else None
    _check_compute(task)
    task_graphs.check_shape(statement, task, declared.replaced)
    task_graphs.note_links(statement, task)


# ALTER -----------------------------------------------------------------------------------------------------------


def read_alter(statement: Statement, task: CatalogObject) -> Change | None:
    """Read a verb of ALTER TASK; SET TAG and UNSET TAG are every type's."""
    tokens = statement.tokens
    if tokens.accept("RESUME"):
        return lambda: _resume(statement, task)
    if tokens.accept("SUSPEND"):
        return lambda: _suspend(statement, task)
    if tokens.accept("ADD", "AFTER"):
        names = _names(tokens)
        return lambda: _add_after(statement, task, names)
    if tokens.accept("REMOVE", "AFTER"):
        names = _names(tokens)
        return lambda: _remove_after(statement, task, names)
    if tokens.accept("MODIFY", "AS"):
        definition = _definition(tokens)
        return lambda: _edit(statement, task, lambda draft: draft.state.update(definition=definition))
    if tokens.accept("MODIFY", "WHEN"):
        condition = _condition(tokens, stop=False)
        return lambda: _edit(statement, task, lambda draft: draft.state.update(condition=condition))
    if tokens.accept("REMOVE", "WHEN"):
        return lambda: _edit(statement, task, lambda draft: draft.state.update(condition=None))
    if tokens.at("SET", "TAG") or tokens.at("UNSET", "TAG"):
        return None
    if tokens.accept("SET"):
        return _read_set(statement, task)
    if tokens.accept("UNSET"):
        return _read_unset(statement, task)
    return None


def _edit(statement: Statement, task: CatalogObject, edit: Callable[[CatalogObject], object]) -> None:
    """Change a copy of a task, check it, put it in the task's place."""
    statement.require(task, "OWNERSHIP")
    task_graphs.check_suspended(statement, task)
    draft = task.draft()
    edit(draft)
    if draft.properties.get("SCHEDULE") != task.properties.get("SCHEDULE"):
        draft.state["resumed_on"] = statement.now  # another interval is counted from now
    _check_compute(draft)
    task_graphs.check_shape(statement, draft)
    statement.catalog.replace(task, draft)
    task_graphs.note_links(statement, draft)


def _resume(statement: Statement, task: CatalogObject) -> None:
    statement.require(task, "OPERATE")
    if task.state.get("state") == task_graphs.STARTED:
        return
    task_graphs.check_suspended(statement, task)
    task_graphs.check_resume(statement, task)
    task.state.update(state=task_graphs.STARTED, resumed_on=statement.now)
    if task_graphs.is_root(statement, task):
        for member in task_graphs.below(statement, task):
            member.state["last_committed_on"] = statement.now


def _suspend(statement: Statement, task: CatalogObject) -> None:
    statement.require(task, "OPERATE")
    if not task_graphs.is_root(statement, task):
        task_graphs.check_suspended(statement, task)
    task_graphs.suspend(statement, task, "USER_SUSPENDED")


def _add_after(statement: Statement, task: CatalogObject, names: list[tuple[str, ...]]) -> None:
    others = _find(statement, names)
    if task.state.get("state") == task_graphs.STARTED and task_graphs.is_root(statement, task):
        raise task_graphs.not_suspended(statement, task)

    def edit(draft: CatalogObject) -> None:
        held = [other.number for other in task_graphs.predecessors(statement, draft)]
        for other in others:
            if other.number == draft.number:
                raise task_graphs.graph_error(f"Task {identifiers.printed(task.name)} cannot be its own predecessor.")
            task_graphs.check_link(statement, draft, other)
        draft.state["after"] = list(dict.fromkeys([*held, *(other.number for other in others)]))

    _edit(statement, task, edit)


def _remove_after(statement: Statement, task: CatalogObject, names: list[tuple[str, ...]]) -> None:
    gone = {other.number: other for other in _find(statement, names)}
    held = [other.number for other in task_graphs.predecessors(statement, task)]
    for number, other in gone.items():
        if number not in held:
            name = statement.catalog.printed(other)
            raise task_graphs.graph_error(f"Task {name} is not a predecessor of {identifiers.printed(task.name)}.")

    def edit(draft: CatalogObject) -> None:
        draft.state["after"] = [number for number in held if number not in gone]
        task_graphs.orphaned(statement, draft)

    _edit(statement, task, edit)


def _read_set(statement: Statement, task: CatalogObject) -> Change:
    tokens = statement.tokens
    settings = Settings()
    finalize: list[tuple[str, ...]] = []
    while not tokens.at_end():
        before = tokens.index
        if tokens.word() == "CONTACT":  # alone in its statement
            raise tokens.unexpected()
        if tokens.accept("FINALIZE"):
            tokens.expect_symbol("=")
            finalize = [_name(tokens)]
        elif tokens.accept("EXECUTE", "AS", "USER"):
            settings.properties[EXECUTE_AS_USER] = _user(statement)
        else:
            properties.read_settings(statement, TYPES["task"], creating=False, settings=settings)
        if tokens.index == before:
            raise tokens.unexpected()
        tokens.accept_symbol(",")
    if not (finalize or settings.properties or settings.parameters):
        raise tokens.unexpected()
    _check_settings(settings)

    def edit(draft: CatalogObject) -> None:
        settings.apply(draft)
        for root in _find(statement, finalize):
            task_graphs.check_link(statement, draft, root)
            draft.state["finalize"] = root.number

    return lambda: _edit(statement, task, edit)


def _read_unset(statement: Statement, task: CatalogObject) -> Change:
    tokens = statement.tokens
    if tokens.at("DCM", "PROJECT"):
        raise errors.unsupported("UNSET DCM")
    if tokens.accept("FINALIZE"):
        return lambda: _edit(statement, task, lambda draft: _unfinalize(statement, draft))
    if tokens.accept("EXECUTE", "AS", "USER"):
        return lambda: _edit(statement, task, lambda draft: draft.properties.pop(EXECUTE_AS_USER, None))
    if tokens.accept("ALLOW_OVERLAPPING_EXECUTION"):
        return lambda: _edit(statement, task, lambda draft: draft.properties.pop("OVERLAP_POLICY", None))
    names = properties.read_unset(statement, TYPES["task"])
    return lambda: _edit(statement, task, lambda draft: properties.unset(draft, names))


def _unfinalize(statement: Statement, draft: CatalogObject) -> None:
    if task_graphs.finalized(statement, draft) is not None:
        task_graphs.unfinalize(statement, draft)


# DROP, GRANT OWNERSHIP, system functions -------------------------------------------------------------------------


def leave(statement: Statement, task: CatalogObject) -> None:
    """Before DROP or OR REPLACE: the root must be suspended. DROP then cuts the links, OR REPLACE keeps them."""
    task_graphs.check_suspended(statement, task)
    if statement.tokens.tokens[0].value == "DROP":
        task_graphs.sever(statement, task)


def owner_changed(statement: Statement, task: CatalogObject) -> None:
    """GRANT OWNERSHIP suspends a task and, unless it is given ON ALL TASKS, cuts its links."""
    task_graphs.suspend(statement, task, "GRANT_OWNERSHIP")
    if statement.tokens.tokens[3].value != "ALL":
        task_graphs.sever(statement, task)


def restored(statement: Statement, task: CatalogObject) -> None:
    """A task that comes back with its schema or database is suspended."""
    task_graphs.suspend(statement, task, "SCHEMA_OR_DATABASE_DELETED")


def enable_dependents(statement: Statement, arguments: Sequence[Any]) -> str:
    """SYSTEM$TASK_DEPENDENTS_ENABLE: resume a task and everything after it. (What it returns is a guess.)"""
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        text = f"invalid arguments for function [SYSTEM$TASK_DEPENDENTS_ENABLE], got {len(arguments)}"
        raise errors.compilation(938, "22023", text)
    task = statement.find("task", identifiers.parse_dotted(arguments[0]))
    members = task_graphs.below(statement, task)
    for member in members:
        statement.require(member, "OPERATE")
        task_graphs.check_resume(statement, member)
    if any(member.state.get("state") != task_graphs.STARTED for member in members):
        task_graphs.check_suspended(statement, task)
    for member in members:
        if member.state.get("state") != task_graphs.STARTED:
            member.state["resumed_on"] = statement.now
        member.state.update(state=task_graphs.STARTED, last_committed_on=statement.now)
    statement.account.changed = True
    return "success"


families.CREATE["task"] = read_create
families.ALTER["task"] = read_alter
families.CHANGE_CHECK["task"] = task_graphs.check_suspended
families.DROP_CHECK["task"] = leave
families.OWNER_CHANGED["task"] = owner_changed
families.RESTORED["task"] = restored
context.NEEDS_STATEMENT["SYSTEM$TASK_DEPENDENTS_ENABLE"] = enable_dependents
