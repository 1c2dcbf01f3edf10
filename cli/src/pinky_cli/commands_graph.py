"""``pinky graph``."""

from __future__ import annotations

from typing import Annotated

import typer

from pinky_cli.commands_plan import run_errors
from pinky_cli.manifests import declared
from pinky_cli.options import MANIFEST, OUTPUT, with_options
from pinky_cli.settings import Settings


@with_options(MANIFEST, OUTPUT)
def graph(
    settings: Settings,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, mermaid or dot. Default: text.")
    ] = "text",
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Only this graph: its name, or its root's.")
    ] = None,
) -> int:
    """Draw the task graphs of a manifest, without an account.

    Those of its section dag, and those of tasks that are written out.
    """
    from pinky_cli import render_graph
    from pinky_cli.run import Run
    from pinky_cli.task_graphs import task_graphs
    from pinky_core.diagnostics import nearest

    if form not in render_graph.FORMATS:
        raise typer.BadParameter(f"--format {form!r}: expected one of {', '.join(render_graph.FORMATS)}")
    run = Run(settings)
    try:
        graphs = task_graphs(declared(run).resources)
    except run_errors() as error:
        return run.failed(error)
    if name is not None:
        known = [each.name for each in graphs]
        graphs = [each for each in graphs if each.called(name)]
        if not graphs:
            hint = nearest(name, known) or f"Graphs: {', '.join(known) or 'none'}."
            run.refuse("no-graph", f"this manifest declares no task graph {name!r}", [hint])
            return 1
    if form == "text":
        run.terminal.show(render_graph.tree(graphs) if graphs else "This manifest declares no tasks.")
    else:
        run.terminal.write((render_graph.mermaid if form == "mermaid" else render_graph.dot)(graphs))
    return 0
