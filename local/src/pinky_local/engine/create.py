"""CREATE for every type: modes, name, the type's own grammar, and putting the object into its container."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pinky_local.engine import errors, families, identifiers, lifecycle
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.properties import Settings, check_values, read_settings
from pinky_local.engine.spec import ObjectType
from pinky_local.engine.specs import BY_WORDS, TYPES
from pinky_local.engine.statement import Statement, status
from pinky_local.types import Result, SqlError

_MODIFIERS = (
    "TRANSIENT", "TEMPORARY", "TEMP", "VOLATILE", "SECURE", "RECURSIVE", "LOCAL", "GLOBAL", "ADAPTIVE", "AGGREGATE",
)  # fmt: skip


@dataclass(slots=True)
class Creation:
    """A CREATE statement as read so far. ``finish`` runs after the object is in its container."""

    spec: ObjectType
    parts: tuple[str, ...]
    mode: str = "create"
    if_not_exists: bool = False
    modifiers: set[str] = field(default_factory=set)
    settings: Settings = field(default_factory=Settings)
    signature: str = ""
    copy_grants: bool = False
    copy_tags: bool = False
    build: list[Callable[[CatalogObject], None]] = field(default_factory=list)
    finish: list[Callable[[CatalogObject], None]] = field(default_factory=list)
    alter: list[Callable[[CatalogObject], None]] = field(default_factory=list)


def create(statement: Statement) -> Result:
    """Run a CREATE statement."""
    tokens = statement.tokens
    tokens.expect("CREATE")
    mode = "create"
    if tokens.accept("OR", "REPLACE"):
        mode = "replace"
    elif tokens.accept("OR", "ALTER"):
        mode = "alter"
    modifiers: set[str] = set()
    while tokens.word() in _MODIFIERS:
        modifiers.add({"TEMP": "TEMPORARY", "VOLATILE": "TEMPORARY"}.get(tokens.word(), tokens.word()))
        tokens.index += 1
    modifiers -= {"LOCAL", "GLOBAL"} if "TEMPORARY" in modifiers else set()
    spec = read_kind(statement)
    if not modifiers <= set(spec.modifiers):
        raise tokens.unexpected()
    if (mode == "replace" and not spec.or_replace) or (mode == "alter" and not spec.or_alter):
        raise errors.unsupported(f"CREATE OR {mode.upper()} {spec.words}")
    if_not_exists = spec.if_not_exists and tokens.accept("IF", "NOT", "EXISTS")
    if if_not_exists and mode != "create":
        raise errors.compilation(1003, "42000", "options IF NOT EXISTS and OR REPLACE are incompatible.")
    creation = Creation(spec, tokens.name(), mode, if_not_exists, modifiers)
    family = families.CREATE.get(spec.kind)
    if family is not None:
        family(statement, creation)
    else:
        read_settings(statement, spec, creating=True, settings=creation.settings)
    statement.finish_parsing()
    for prop in spec.properties:
        if prop.required and prop.name not in creation.settings.properties:
            raise errors.missing_option(prop.name)
    return install(statement, creation)


def read_kind(statement: Statement) -> ObjectType:
    """Read the words of an object type. Raises 000002 for one this account does not have."""
    tokens = statement.tokens
    for length in (3, 2, 1):
        words = " ".join(tokens.word(ahead) for ahead in range(length))
        if words in BY_WORDS:
            tokens.index += length
            integration = _integration(statement) if words == "INTEGRATION" else None
            return integration or BY_WORDS[words]
    if tokens.word() in families.UNKNOWN_KINDS:
        named = [tokens.word()]
        while len(named) < 3 and tokens.word(len(named)) in families.UNKNOWN_KINDS | {"TABLE", "VIEW"}:
            named.append(tokens.word(len(named)))
        raise errors.unsupported(f"{' '.join(named)} (not part of this local account)")
    raise tokens.unexpected()


def _integration(statement: Statement) -> ObjectType | None:
    """The type of the integration that is named next: the word alone, INTEGRATION, stands for every type of them."""
    tokens = statement.tokens
    start = tokens.index
    tokens.accept("IF", "EXISTS")
    name = tokens.identifier() if tokens.at_identifier() else ""
    tokens.index = start
    found = statement.catalog.get(ACCOUNT, "integration", name)
    return TYPES[found.kind] if found is not None else None


def install(statement: Statement, creation: Creation) -> Result:
    """Check names and privileges, then create, replace or alter."""
    spec, catalog = creation.spec, statement.catalog
    full = statement.qualified(spec.kind, creation.parts, f"CREATE {spec.words}")
    parent = statement.container(spec.kind, full)
    name = full[-1]
    shown = identifiers.dotted(creation.parts[-1:])
    existing = catalog.get(parent, spec.name_space, name + creation.signature)
    if existing is not None and existing.kind != spec.kind:
        raise errors.exists_as(shown, TYPES[existing.kind].words)
    if existing is not None:
        _check_temporary(statement, creation, existing)
    if existing is not None and not statement.access.sees(statement.roles, existing):
        raise errors.exists_hidden(spec.words.capitalize(), shown)
    if existing is not None and creation.if_not_exists:
        return status(f"{shown} already exists, statement succeeded.")
    if existing is not None and creation.mode == "create":
        raise errors.already_exists(shown if not creation.signature else name)
    if existing is not None and creation.mode == "alter":
        return _alter(statement, creation, existing)
    if not (spec.kind == "table" and "TEMPORARY" in creation.modifiers):  # anybody may have temporary tables
        statement.require_create(spec, parent)
    owner = lifecycle.owner_for_new(statement, parent)
    item = statement.account.new(spec.kind, name, space=spec.name_space, parent=parent, owner=owner)
    item.signature = creation.signature
    if existing is not None:
        statement.require(existing, "OWNERSHIP")
    _fill(statement, creation, item, existing)
    kept = []
    if existing is not None:
        families.check_drop(statement, existing)
        kept = list(catalog.grants_on.get(existing.number, {}).values()) if creation.copy_grants else []
        lifecycle.drop(statement, existing, replaced=True)
    catalog.add(item)
    if "TEMPORARY" in creation.modifiers:
        item.state["session"] = statement.session.session_id
        catalog.temporary.setdefault(statement.session.session_id, []).append(item.number)
    lifecycle.give_new(statement, item, kept)
    try:
        for finish in creation.finish:
            finish(item)
    except SqlError:
        lifecycle.discard(statement, item, existing)
        raise
    statement.account.changed = True
    lifecycle.enter(statement, item)
    return status(families.created_message(statement, item))


def _check_temporary(statement: Statement, creation: Creation, existing: CatalogObject) -> None:
    """A temporary object does not hide another one of its name here, as it would in Snowflake; that is refused."""
    temporary = "TEMPORARY" in creation.modifiers
    if existing.hidden_from(statement.session.session_id) or temporary != bool(existing.state.get("TEMPORARY")):
        raise errors.unsupported("a temporary object beside another object of the same name")


def _fill(statement: Statement, creation: Creation, item: CatalogObject, existing: CatalogObject | None) -> None:
    for modifier in creation.modifiers:
        item.state[modifier] = True
    creation.settings.apply(item)
    for build in creation.build:
        build(item)
    if existing is None and item.parent != ACCOUNT:
        parent = statement.catalog.objects[item.parent]
        if parent.state.get("TRANSIENT") and item.kind in ("schema", "table"):
            item.state["TRANSIENT"] = True
    if existing is not None and creation.copy_tags:
        item.tags = existing.tags | item.tags
        tagged = {column.name: column.tags for column in existing.columns}
        for column in item.columns:
            column.tags = tagged.get(column.name, {}) | column.tags
    check_values(statement, item, creation.settings.properties)


def _alter(statement: Statement, creation: Creation, existing: CatalogObject) -> Result:
    """CREATE OR ALTER of what exists: every declared property as written, absent ones unset."""
    statement.require(existing, "OWNERSHIP")
    draft = existing.draft()
    families.check_change(statement, existing)
    settable = [prop for prop in creation.spec.properties if not prop.create_only]
    for prop in settable:
        if prop.parameter:
            draft.parameters.pop(prop.name, None)
        else:
            draft.properties.pop(prop.name, None)
    for modifier in creation.spec.modifiers:
        if modifier in ("SECURE",):
            draft.state.pop(modifier, None)
        elif bool(draft.state.get(modifier)) != (modifier in creation.modifiers) and modifier != "RECURSIVE":
            raise errors.unsupported(f"changing {modifier} with CREATE OR ALTER")
    for modifier in creation.modifiers:
        draft.state[modifier] = True
    kept_tags = dict(draft.tags)
    creation.settings.apply(draft)
    draft.tags = kept_tags
    for change in creation.alter or creation.build:
        change(draft)
    check_values(statement, draft, creation.settings.properties)
    statement.catalog.replace(existing, draft)
    statement.account.changed = True
    return status(families.altered_message(statement, draft, created=True))
