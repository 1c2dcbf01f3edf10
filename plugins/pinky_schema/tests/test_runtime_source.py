"""Bodies made of runtime modules: complete, in order, with nothing defined twice, and small enough."""

from __future__ import annotations

import ast
import sys
from collections import Counter

import pytest
from pinky_schema.runtime_source import bundled

BUNDLES = ("graph", "publish", "functions")
ALLOWED = sys.stdlib_module_names | {"snowflake", "pyarrow"}


def tree_of(module: str) -> ast.Module:
    return ast.parse(bundled(module))


@pytest.mark.parametrize("module", BUNDLES)
def test_no_name_is_defined_twice(module: str):
    defined: Counter[str] = Counter()
    for node in tree_of(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] += 1
        elif isinstance(node, ast.Assign):
            defined.update(each.id for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined[node.target.id] += 1
    assert [name for name, times in defined.items() if times > 1] == []


@pytest.mark.parametrize("module", BUNDLES)
def test_nothing_of_ours_is_imported_and_nothing_that_has_to_be_installed(module: str):
    roots = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            roots |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots.add(str(node.module).partition(".")[0])
    assert roots <= ALLOWED


@pytest.mark.parametrize("module", BUNDLES)
def test_a_body_is_far_below_the_megabyte_that_it_may_have(module: str):
    assert len(bundled(module).encode()) < 200_000


def test_a_body_works_by_itself():
    space: dict[str, object] = {}
    exec(compile(bundled("publish"), "body", "exec"), space)
    assert {"publish_files", "hash_file", "rows_of"} <= set(space)
    assert "pinky_schema" not in bundled("graph")
