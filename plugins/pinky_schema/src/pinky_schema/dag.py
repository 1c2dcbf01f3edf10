"""The manifest section ``dag``: a task graph declared as a whole, which expands into ordinary tasks.

https://docs.snowflake.com/en/user-guide/tasks-graphs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pinky_core import Expanded, Section, SectionContext, SectionError, SectionWord
from pinky_schema.dag_values import Mistakes, graph_values, read_graphs

__all__ = ["DAG", "expand", "takes_files", "triggered"]


def expand(value: Any, context: SectionContext) -> Iterator[Expanded]:
    """The tasks of all graphs, and the procedures and tables they run on; raises `SectionError`."""
    from pinky_schema.dag_checks import check_graphs
    from pinky_schema.dag_tasks import graph_documents
    from pinky_schema.runtime_objects import runtime_documents

    if len(context.place.target) != 2:
        text = "a task graph lives in one schema: give the manifest `scope: schema` and a target DB.SCHEMA"
        raise SectionError([((), text)])
    mistakes = Mistakes()
    graphs = read_graphs(value, context, mistakes)
    check_graphs(graphs, context, mistakes)
    if mistakes:
        raise SectionError(mistakes)
    yield from runtime_documents(context)
    for graph in graphs:
        yield from graph_documents(graph, notify="notifications" in context.sections)


def takes_files(sections: Mapping[str, Any], slot: str) -> bool:
    """Whether a graph takes the files of a slot, by schedule or stream. The sections need not be sound."""
    return triggered(sections, slot) or any(trigger.get("files") == slot for trigger in _triggers(sections))


def triggered(sections: Mapping[str, Any], slot: str) -> bool:
    """Whether data in the slot's stream starts a graph, so that its directory table must refresh by itself."""
    return any(trigger.get("stream") == slot for trigger in _triggers(sections))


def _triggers(sections: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for _, graph in graph_values(sections.get("dag")):
        if isinstance(graph.get("trigger"), Mapping):
            yield graph["trigger"]


# What only a manifest with this section needs is imported where it is used: most programs load the plugin for others.


def _schema(hooks: Any) -> Mapping[str, Any]:
    from pinky_schema.dag_schema import dag_schema

    return dag_schema(hooks)


def _words(hooks: Any) -> Iterator[SectionWord]:
    from pinky_schema.dag_predicates import predicate_words

    return predicate_words(hooks)


DAG = Section(
    key="dag",
    schema=_schema,
    expand=expand,
    doc="Task graphs: what starts them, and their steps. Each becomes a root task, a task for each step and a "
    "finalizer, which record every run in the tables RUNS and RUN_STEPS.",
    words=_words,
)
