"""Task graphs as a tree for people, as Mermaid and as DOT.

https://mermaid.js.org/syntax/flowchart.html (entity codes, links), https://graphviz.org/doc/info/lang.html (quoting)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from pinky_cli.render_human import clean
from pinky_cli.task_graphs import Node, TaskGraph, children, task_graphs
from pinky_core import Address, Declared

__all__ = ["FORMATS", "dot", "mermaid", "tree", "tree_lines", "trees_by_guard"]

FORMATS = ("text", "mermaid", "dot")


def tree(graphs: Sequence[TaskGraph]) -> Text:
    """The graphs as trees, each task once."""
    text = Text()
    for number, graph in enumerate(graphs):
        text.append("\n\n" if number else "")
        where = ".".join(part.sql for part in graph.root.address.path[:-1])
        text.append(clean(graph.name), style="bold").append(f"  {clean(where)}", style="dim")
        text.append(f"  [{clean(graph.made_by)}]" if graph.made_by else "", style="dim")
        for guide, name, note in tree_lines(graph):
            text.append(f"\n  {guide}", style="dim").append(clean(name))
            text.append(f"  {clean(note)}" if note else "", style="dim")
    return text


def trees_by_guard(resources: Iterable[Declared]) -> dict[str, list[str]]:
    """For a plan: the graphs that sections made, by the name of the guard that is around their changes."""
    found = {}
    for graph in task_graphs(resources):
        if graph.made_by:
            lines = [f"{guide}{clean(name)}  {clean(note)}".rstrip() for guide, name, note in tree_lines(graph)]
            found[f"task graph {graph.root.address.sql}"] = lines
    return found


def tree_lines(graph: TaskGraph) -> Iterator[tuple[str, str, str]]:
    """The lines of a tree: the guide before a task, its name, and what else is to be said of it."""
    below = children(graph.nodes)
    roots = [node for node in graph.nodes if not node.after]
    waiting: list[tuple[Node, Address | None, str, str]] = [(node, None, "", "") for node in reversed(roots)]
    while waiting:
        node, parent, guide, indent = waiting.pop()
        yield guide, node.address.name.sql, _note(node, parent)
        nodes = below[node.address]
        for number, child in enumerate(reversed(nodes)):
            last = number == 0
            mark, more = ("└── ", "    ") if last else ("├── ", "│   ")
            waiting.append((child, node.address, indent + mark, indent + more))


def _note(node: Node, parent: Address | None) -> str:
    """What the place in the tree does not say."""
    notes = [node.starts] if node.starts else []
    notes += ["finalizer"] if node.finalizes else []
    notes += [] if node.declared else ["not declared here"]
    others = [address.name.sql for address in node.after if address != parent]
    notes += [f"and after {', '.join(others)}"] if others else []
    return ", ".join(notes)


def mermaid(graphs: Sequence[TaskGraph]) -> str:
    """A flowchart; a finalizer hangs on a dotted line."""
    lines = ["flowchart TD"]
    for name, graph, ids in _numbered(graphs):
        lines.append(f'  subgraph {name}["{_entities(graph.name)}"]')
        for node in graph.nodes:
            label = _entities(node.address.name) + (f"<br/>{_entities(node.starts)}" if node.starts else "")
            lines.append(f'    {ids[node.address]}["{label}"]')
        for before, node in _links(graph):
            lines.append(f"    {ids[before]} {'-.->' if node.finalizes else '-->'} {ids[node.address]}")
        lines.append("  end")
    return "\n".join(lines) + "\n"


def dot(graphs: Sequence[TaskGraph]) -> str:
    """A directed graph for Graphviz."""
    lines = ["digraph tasks {", "  node [shape=box];"]
    for name, graph, ids in _numbered(graphs):
        lines += [f"  subgraph cluster_{name} {{", f"    label={_quoted(graph.name)};"]
        for node in graph.nodes:
            text = node.address.name + (f"\n{node.starts}" if node.starts else "")
            lines.append(f"    {ids[node.address]} [label={_quoted(text)}];")
        for before, node in _links(graph):
            style = " [style=dashed]" if node.finalizes else ""
            lines.append(f"    {ids[before]} -> {ids[node.address]}{style};")
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _numbered(graphs: Iterable[TaskGraph]) -> Iterator[tuple[str, TaskGraph, dict[Address, str]]]:
    """The graphs with identifiers for themselves and their tasks that need no quotes in either language."""
    for number, graph in enumerate(graphs):
        ids = {node.address: f"g{number}_t{place}" for place, node in enumerate(graph.nodes)}
        yield f"g{number}", graph, ids


def _links(graph: TaskGraph) -> Iterator[tuple[Address, Node]]:
    return ((before, node) for node in graph.nodes for before in node.after)


# A label in quotes may hold everything but these; a backtick at its start would make it Markdown.
_SPECIAL = re.compile(r"[\"#&<>`\\\x00-\x1f\x7f]")


def _entities(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"#{ord(found.group())};", text)


def _quoted(text: str) -> str:
    """A quoted string of DOT; in labels a backslash begins an escape sequence, so it is doubled."""
    escaped = clean(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
