"""`pinky graph`: the task graphs of a manifest as a tree, as Mermaid and as DOT, without an account."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TASKS = """\
scope: schema
target: SHOP.SALES
resources:
  task:
    - {name: NIGHTLY, schedule: USING CRON 0 2 * * * Europe/Paris, definition: SELECT 1, state: started}
    - {name: LOAD, after: [NIGHTLY], definition: SELECT 1}
    - {name: CLEAN, after: [NIGHTLY], definition: SELECT 1}
    - {name: CHECK_LOAD, after: [LOAD, CLEAN], definition: SELECT 2}
    - {name: '"say ""hi"" <b> #1"', after: [CHECK_LOAD], definition: SELECT 2}
    - {name: END_IT, finalize: NIGHTLY, definition: SELECT 3}
    - {name: OTHER, after: [ELSEWHERE], definition: SELECT 3}
    - {name: ALONE, definition: SELECT 3, when: "SYSTEM$STREAM_HAS_DATA('S')"}
"""
TREE = """\
NIGHTLY  SHOP.SALES
  NIGHTLY  USING CRON 0 2 * * * Europe/Paris
  ├── LOAD
  ├── CLEAN
  │   └── CHECK_LOAD  and after LOAD
  │       └── "say ""hi"" <b> #1"
  └── END_IT  finalizer
"""


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    (tmp_path / "manifest.yml").write_text(TASKS, encoding="utf-8")
    return tmp_path


def test_a_tree_has_every_task_once_and_tells_what_else_it_waits_for(pinky, tasks):
    ran = pinky("graph", "-m", tasks, "--name", "nightly")
    assert (ran.code, ran.out, ran.err) == (0, TREE, "")


def test_without_a_name_every_graph_is_drawn_and_what_is_not_declared_is_said_to_be_so(pinky, tasks):
    ran = pinky("graph", "-m", tasks)
    alone, elsewhere, nightly = ran.out.split("\n\n")
    assert alone == "ALONE  SHOP.SALES\n  ALONE  when SYSTEM$STREAM_HAS_DATA('S')"
    assert elsewhere == "ELSEWHERE  SHOP.SALES\n  ELSEWHERE  not declared here\n  └── OTHER"
    assert nightly == TREE


def test_mermaid_quotes_what_its_labels_cannot_hold(pinky, tasks):
    ran = pinky("graph", "-m", tasks, "--format", "mermaid", "--name", "SALES.NIGHTLY")
    assert ran.out == (
        "flowchart TD\n"
        '  subgraph g0["NIGHTLY"]\n'
        '    g0_t0["NIGHTLY<br/>USING CRON 0 2 * * * Europe/Paris"]\n'
        '    g0_t1["LOAD"]\n'
        '    g0_t2["CLEAN"]\n'
        '    g0_t3["CHECK_LOAD"]\n'
        '    g0_t4["say #34;hi#34; #60;b#62; #35;1"]\n'
        '    g0_t5["END_IT"]\n'
        "    g0_t0 --> g0_t1\n"
        "    g0_t0 --> g0_t2\n"
        "    g0_t1 --> g0_t3\n"
        "    g0_t2 --> g0_t3\n"
        "    g0_t3 --> g0_t4\n"
        "    g0_t0 -.-> g0_t5\n"
        "  end\n"
    )


def test_dot_is_read_by_graphviz_where_that_is_installed(pinky, tasks):
    ran = pinky("graph", "-m", tasks, "--format", "dot")
    assert '[label="say \\"hi\\" <b> #1"];' in ran.out
    assert "g2_t0 -> g2_t5 [style=dashed];" in ran.out
    assert ran.out.count("{") == ran.out.count("}")
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=ran.out, text=True, capture_output=True, check=True)


def test_a_backslash_in_a_name_is_one_in_a_label_of_dot(pinky, tmp_path):
    task = "- {name: '\"a\\n\"', definition: SELECT 1}"
    (tmp_path / "manifest.yml").write_text(
        f"scope: schema\ntarget: A.B\nresources:\n  task:\n    {task}\n", encoding="utf-8"
    )
    assert r'[label="a\\n\non demand"];' in pinky("graph", "-m", tmp_path, "--format", "dot").out


def test_a_name_that_no_graph_has_is_refused_with_the_nearest(pinky, tasks):
    ran = pinky("graph", "-m", tasks, "--name", "nightli")
    assert (ran.code, ran.out) == (1, "")
    assert "declares no task graph 'nightli'" in ran.err
    assert "Did you mean 'NIGHTLY'?" in ran.err


def test_a_format_that_is_none_is_refused(pinky, tasks):
    ran = pinky("graph", "-m", tasks, "--format", "svg")
    assert ran.code == 1
    assert "expected one of text, mermaid, dot" in ran.err


def test_a_manifest_without_tasks_has_no_graphs(pinky, manifest):
    assert pinky("graph", "-m", manifest).out == "This manifest declares no tasks.\n"
    assert pinky("graph", "-m", manifest, "--format", "mermaid").out == "flowchart TD\n"


def test_a_mistake_in_the_manifest_is_told_as_by_validate(pinky, tasks):
    file = tasks / "manifest.yml"
    file.write_text(TASKS.replace("definition: SELECT 1}", "definitoin: SELECT 1}", 1), encoding="utf-8")
    ran = pinky("graph", "-m", tasks)
    assert (ran.code, ran.out) == (1, "")
    assert "definitoin" in ran.err


def test_a_thousand_tasks_in_a_row_are_drawn(pinky, tmp_path):
    lines = ["    - {name: T0, definition: SELECT 1, schedule: 5 MINUTES}"]
    lines += [f"    - {{name: T{n}, after: [T{n - 1}], definition: SELECT 1}}" for n in range(1, 1000)]
    text = "scope: schema\ntarget: A.B\nresources:\n  task:\n" + "\n".join(lines) + "\n"
    (tmp_path / "manifest.yml").write_text(text, encoding="utf-8")
    ran = pinky("graph", "-m", tmp_path)
    assert len(ran.out.splitlines()) == 1001


DAG = """\
scope: schema
target: SHOP.SALES
dag:
  name: NIGHTLY
  trigger: {schedule: 5 MINUTES}
  steps:
    - {name: LOAD, sql: SELECT 1}
    - {name: CHECK_LOAD, sql: SELECT 2, after: [LOAD]}
resources:
  task: [{name: ALONE, schedule: 1 HOUR, definition: SELECT 3, state: started}]
"""


def test_a_graph_of_a_section_says_so_and_is_drawn_in_the_plan(pinky, tmp_path):
    (tmp_path / "manifest.yml").write_text(DAG, encoding="utf-8")
    lines = [
        "NIGHTLY  every 5 MINUTES",
        "├── LOAD",
        "│   └── CHECK_LOAD",
        "└── NIGHTLY_FINISH  finalizer",
    ]
    drawn = pinky("graph", "-m", tmp_path, "--name", "nightly").out.splitlines()
    assert drawn == ["NIGHTLY  SHOP.SALES  [dag NIGHTLY]", *(f"  {line}" for line in lines)]
    plan = pinky("--local", "plan", "-m", tmp_path).out
    resume = "      after, whatever happens: ALTER TASK SHOP.SALES.{} RESUME"
    below = "\n".join(["  ! task graph SHOP.SALES.NIGHTLY", *(f"      {line}" for line in lines)])
    assert f"{below}\n{resume.format('NIGHTLY')}\n" in plan
    assert f"  ! task graph SHOP.SALES.ALONE\n{resume.format('ALONE')}\n" in plan  # nobody's section: as before
