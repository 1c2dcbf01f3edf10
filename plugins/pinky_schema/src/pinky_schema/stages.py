"""The manifest section ``stages``: a list of slots, expanded into stages, registries, streams, grants and tasks.

https://docs.snowflake.com/en/sql-reference/sql/create-stage,
https://docs.snowflake.com/en/user-guide/data-load-dirtables-auto,
https://docs.snowflake.com/en/user-guide/unstructured-intro (encryption of stages whose files are read by URL)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pinky_core import Expanded, Section, SectionContext, SectionError, SectionWord
from pinky_schema.dispatch_tasks import is_triggered
from pinky_schema.flow_views import flow_views
from pinky_schema.registry import registry_documents
from pinky_schema.runtime_objects import gold_objects, output_objects, runtime_documents
from pinky_schema.slots import Kept, Party, Slot, SlotUse, slots_of
from pinky_schema.stage_facts import facts_of

__all__ = ["STAGES", "slot_options", "uses_of"]

KEY = "stages"
_COMMON: Mapping[str, Any] = {"comment": {"type": "string", "description": "Comment of the stage."}}
_WHERE = "one schema: give the manifest `scope: schema` and `target: DB.SCHEMA`"


def _schema(hooks: Any) -> Mapping[str, Any]:
    """The JSON Schema of the section: slots by name, or one slot with options."""
    slots = [slot for _, slot in slots_of(hooks)]
    names = [slot.name for slot in slots]
    with_options = {
        "type": "object",
        "properties": {slot.name: _options_schema(slot) for slot in slots},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "description": "One slot with options.",
    }
    return {
        "type": "array",
        "items": {"anyOf": [{"type": "string", "enum": names}, with_options]},
        "description": "Opinionated stages by name: "
        + " ".join(f"{slot.name}: {slot.doc}" for slot in slots)
        + " Where files lie is said once by the variable `stages` of the environment.",
    }


def _options_schema(slot: Slot) -> Mapping[str, Any]:
    return {
        "type": ["object", "null"],
        "description": slot.doc,
        "properties": {**_COMMON, **slot.options},
        "additionalProperties": False,
    }


def _words(hooks: Any) -> Iterator[SectionWord]:
    return (SectionWord(slot.name, slot.doc, plugin) for plugin, slot in slots_of(hooks))


def slot_options(value: Any) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Each entry of the section: its place in the list, the slot's name and its options."""
    for index, entry in enumerate(value if isinstance(value, Sequence) and not isinstance(value, str) else ()):
        if isinstance(entry, str):
            yield index, entry, {}
        elif isinstance(entry, Mapping) and len(entry) == 1:
            name, options = next(iter(entry.items()))
            yield index, str(name), options if isinstance(options, Mapping) else {}


def uses_of(value: Any, context: SectionContext) -> tuple[list[SlotUse], list[tuple[tuple[str | int, ...], str]]]:
    """The slots that a section's value uses, and what is wrong with it."""
    facts, problems = facts_of(context.variables, context.env)
    mistakes: list[tuple[tuple[str | int, ...], str]] = [((), text) for text in problems]
    if len(context.place.target) != 2:
        mistakes.append(((), f"slots lie in {_WHERE}"))
        return [], mistakes
    known = {slot.name: slot for _, slot in slots_of(context.hooks)}
    found: dict[str, SlotUse] = {}
    for index, name, options in slot_options(value):
        path: tuple[str | int, ...] = (index,) if not options else (index, name)
        slot = known.get(name)
        if slot is None:
            continue  # the schema has told it
        if name in found:
            mistakes.append((path, f"the slot {name} stands twice"))
            continue
        use = SlotUse(slot, context.place.target, facts, options, context.sections, path)
        mistakes += [(path, text) for text in _missing_facts(use)]
        found[name] = use
    return list(found.values()), mistakes


def _missing_facts(use: SlotUse) -> Iterator[str]:
    """What an external slot needs to know of its environment."""
    if use.slot.kept is Kept.INTERNAL:
        return
    where = f"vars/{use.facts.env}.yml" if use.facts.env else "vars"
    if use.facts.bucket is None:
        yield f"{use.slot.name} lies in cloud storage: give vars.stages.bucket in {where}, such as s3://bucket"
    if use.facts.storage_integration is None:
        yield f"{use.slot.name} lies in cloud storage: give vars.stages.storage_integration in {where}"
    told = use.facts.cloud == "s3" or use.facts.notification_integration is not None
    if is_triggered(use) and use.facts.bucket is not None and not told:
        yield f"{use.slot.name} is triggered: give vars.stages.notification_integration in {where}"


def _expand(value: Any, context: SectionContext) -> Iterable[Expanded]:
    uses, mistakes = uses_of(value, context)
    if mistakes:
        raise SectionError(mistakes)
    found: list[Expanded] = []
    for use in uses:
        found += _resources(use)
    takes_files = any(use.slot.party is Party.PROVIDER for use in uses)
    if takes_files and not context.sections.get("dag"):  # which brings them itself
        found += runtime_documents(context)
    found += output_objects(uses)
    if takes_files:
        found += gold_objects(uses)
    found += flow_views(uses)
    return found


def _resources(use: SlotUse) -> Iterator[Expanded]:
    yield use.expanded("stage", _stage(use))
    if use.slot.registry:
        yield from registry_documents(use)
    if use.slot.stream:
        document = {"name": use.stream, "on_stage": use.stage, "comment": f"New files of the stage {use.stage}"}
        yield use.expanded("stream", document)
    yield from use.slot.also(use)


def _stage(use: SlotUse) -> Mapping[str, Any]:
    document: dict[str, Any] = {"name": use.stage, "comment": use.options.get("comment", use.slot.doc)}
    if use.slot.registry or use.slot.stream:
        document["directory"] = _directory(use)
    if use.slot.kept is Kept.INTERNAL:
        # Files that are encrypted by the client too cannot be read by URL, and the kind of encryption never changes.
        document["encryption"] = {"type": "SNOWFLAKE_SSE"}
    else:
        document["url"] = use.facts.url(use.slot.name, use.schema)
        document["storage_integration"] = use.facts.storage_integration
    return document


def _directory(use: SlotUse) -> Mapping[str, Any]:
    """The directory table. Cloud notifications are set at creation only, so they follow the slot's trigger."""
    directory: dict[str, Any] = {"enable": True}
    if is_triggered(use):
        directory["auto_refresh"] = True
        if use.facts.notification_integration is not None:
            directory["notification_integration"] = use.facts.notification_integration
        if use.facts.aws_sns_topic is not None:
            directory["aws_sns_topic"] = use.facts.aws_sns_topic
    return directory


STAGES = Section(
    key=KEY,
    schema=_schema,
    expand=_expand,
    scope="schema",
    doc="Opinionated stages: naming a slot brings its stage, its registry and whatever else belongs to it.",
    words=_words,
)
