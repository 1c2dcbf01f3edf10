from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinky_core.diagnostics import Diagnostic
from pinky_core.nodes import Mapping, Node, Scalar, parse_yaml, to_plain
from pinky_core.variables import FILTERS, Bindings, TemplateError, has_template, render, substitute

VARIABLES: dict[str, Any] = {
    "name": "orders",
    "count": 5,
    "ratio": 0.5,
    "flag": True,
    "nothing": None,
    "list": [1, "b"],
    "map": {"key": "v", "items": 1},
    "tricky": "{{ env }}",
    "items": "not a method",
}
BINDINGS = Bindings(VARIABLES, "PROD")


def nodes(text: str) -> Node:
    parsed = parse_yaml(text, "f.yml")
    assert parsed.diagnostics == []
    assert parsed.root is not None
    return parsed.root


def substituted(text: str, bindings: Bindings = BINDINGS) -> tuple[Any, list[tuple[str, str]]]:
    found: list[Diagnostic] = []
    plain = to_plain(substitute(nodes(text), bindings, found))
    return plain, [(each.code, str(each.location)) for each in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ vars.name }}", "orders"),
        ("{{vars.name}}", "orders"),
        ("{{ vars.count }}", 5),
        ("{{ vars.ratio }}", 0.5),
        ("{{ vars.flag }}", True),
        ("{{ vars.nothing }}", None),
        ("{{ vars.count }}{{ vars.flag }}", "5true"),
        ("a_{{ env | lower }}_z", "a_prod_z"),
        ("{{ vars.map.key }}", "v"),
        ("{{ vars['map']['items'] }}", 1),
        ("{{ vars.items }}", "not a method"),
        ("{{ vars.list[1] }}", "b"),
        ("{{ vars.name[0:3] }}", "ord"),
        ("{{ vars.list | join('-') }}", "1-b"),
        ("{{ vars.unknown | default('other') }}", "other"),
        ("{{ vars.unknown is defined }}", False),
        ("{{ 'big' if env == 'PROD' else 'small' }}", "big"),
        ("{{ env in ['PROD', 'TEST'] }}", True),
        ("{{ vars.count * 2 + 1 }}", 11),
        ("{{ vars.name ~ '_' ~ vars.count }}", "orders_5"),
        ("{{ vars.name | replace('o', '0') | upper | trim }}", "0RDERS"),
        ("{{ '12' | int }}", 12),
        ("{{ vars.flag | string }}", "true"),
        ("{{ vars.list | length }}", 2),
        ("{{ vars.name | capitalize }}", "Orders"),
        ("{{ '{{' }} as it is }}", "{{ as it is }}"),
        ("{{ '{%' }}", "{%"),
        ("{{ '}}' }}", "}}"),
        ("{{ vars.tricky }}", "{{ env }}"),
        ("x {{ vars.tricky }}", "x {{ env }}"),
        ("{# no comment #}{{ env }}", "{# no comment #}PROD"),
        ("{{ env }}\n", "PROD\n"),
        ("{{ env }}\r\n", "PROD\r\n"),
    ],
)
def test_expressions(text: str, value: object) -> None:
    result = render(text, BINDINGS)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "code", "summary", "hint"),
    [
        ("{{ vars.nmae }}", "missing-variable", "'nmae' is not defined", "'name'"),
        ("{{ vars.xyz }}", "missing-variable", "'xyz' is not defined", "vars/<ENV>.yml"),
        ("{{ vars.xyz.deep }}", "missing-variable", "'xyz' is not defined", ""),
        ("{{ vars.xyz ~ 'a' }}", "missing-variable", "'xyz' is not defined", ""),
        ("{{ vars.xyz | upper }}", "missing-variable", "'xyz' is not defined", ""),
        ("{{ vars.map.kye }}", "missing-variable", "no 'kye' in this mapping", "'key'"),
        ("{{ vars.name.part }}", "missing-variable", "a str has no 'part'", ""),
        ("{{ vars.list[9] }}", "missing-variable", "a list has no 9", ""),
        ("{{ name }}", "missing-variable", "'name' is not defined", "'vars.name'"),
        ("{{ each }}", "missing-variable", "only inside for_each", ""),
        ("{{ self }}", "missing-variable", "'self' is not defined", ""),
        ("{{ vars.list }}", "template-structure", "is a list", "for_each"),
        ("{{ vars.map }}", "template-structure", "is a mapping", ""),
        ("a{{ vars.list }}", "template-structure", "is list", ""),
        ("a{{ vars.nothing }}", "template-structure", "is null", "default()"),
        ("{{ vars.name", "template", "{{ without }}", "{{ '{{' }}"),
        ("{{ }}", "template", "empty expression", ""),
        ("{{ vars. }}", "template", "expected name or number", ""),
        ("{{ 1 2 }}", "template", "expected token", ""),
        ("{% if env %}x{% endif %}", "template", "statements", "for_each"),
        ("{{- env }}", "template", "whitespace control", ""),
        ("{{ env -}}", "template", "whitespace control", ""),
        ("{{ env | uper }}", "template", "no filter 'uper'", "'upper'"),
        ("{{ env is callable }}", "template", "no test 'callable'", "defined"),
        ("{{ env.lower() }}", "template", "call is not allowed", "upper"),
        ("{{ range(9) }}", "template", "call is not allowed", ""),
        ("{{ {'a': 1} }}", "template", "dict is not allowed", ""),
        ("{{ 9 ** 9 ** 9 }}", "template", "pow is not allowed", ""),
        ("{{ env.__class__ }}", "template", "'__class__' is not allowed", ""),
        ("{{ env['__class__'] }}", "missing-variable", "a str has no '__class__'", ""),
        ("{{ 1 / 0 }}", "template", "division by zero", ""),
        ("{{ vars.count + 'a' }}", "template", "unsupported operand", ""),
        ("{{ 'a' * 1000000000 }}", "template", "takes two numbers", ""),
        ("{{ '%999999999d' % 1 }}", "template", "takes two numbers", ""),
        ("{{ env | replace('', 'x') }}", "template", "needs a text to look for", ""),
        ("{{ env | join }}", "template", "join takes a list", ""),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "template", "nested too deeply", ""),
        ("{{ " + "[" * 50 + "]" * 50 + " }}", "template", "nested deeper", ""),
        ("{{ " + "+".join(["1"] * 60) + " }}", "template", "nested deeper", ""),
    ],
)
def test_mistakes_name_what_is_wrong(text: str, code: str, summary: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, BINDINGS)
    assert caught.value.code == code
    assert summary in caught.value.summary
    assert hint in caught.value.hint
    assert len(caught.value.summary) < 300


def test_without_an_environment_env_is_missing() -> None:
    with pytest.raises(TemplateError, match="no environment") as caught:
        render("{{ env }}", Bindings({}))
    assert "--env" in caught.value.hint
    assert render("{{ env | default('DEV') }}", Bindings({})) == "DEV"


def test_each_is_a_value_or_a_mapping() -> None:
    assert render("t_{{ each }}", BINDINGS.with_each(7)) == "t_7"
    bound = BINDINGS.with_each({"id": "A"})
    assert render("{{ each.id }}/{{ vars.name }}/{{ env }}", bound) == "A/orders/PROD"
    assert render("{{ each }}", BINDINGS.with_each(None)) is None


def test_a_failed_conversion_does_not_print_the_value() -> None:
    with pytest.raises(TemplateError) as caught:
        render("{{ vars.password | int }}", Bindings({"password": "hunter2"}))
    assert "hunter2" not in caught.value.summary


@pytest.mark.parametrize("text", ["{{ vars.long }}", "{{ vars.long }}x", "{{ vars.a | replace('a', vars.long) }}"])
def test_growth_is_bounded(text: str) -> None:
    bindings = Bindings({"long": "x" * 70_000, "a": "aa"})
    with pytest.raises(TemplateError, match=r"65536 characters"):
        render(text, bindings)


def test_a_long_text_of_ones_own_is_no_growth() -> None:
    text = "x" * 200_000 + "{{ env }}"
    assert render(text, BINDINGS) == "x" * 200_000 + "PROD"


def test_a_value_never_adds_structure() -> None:
    bindings = Bindings({"evil": "x\nowner: admin", "braces": "{a: 1}", "number": "5"})
    text = "a: '{{ vars.evil }}'\nb: '{{ vars.braces }}'\nc: '{{ vars.number }}'\nd: \"{{ vars.number }}1\"\n"
    assert substituted(text, bindings) == ({"a": "x\nowner: admin", "b": "{a: 1}", "c": "5", "d": "51"}, [])


def test_nodes_without_templates_are_shared() -> None:
    root = nodes("a: {b: [1, 'x']}\nc: '{{ env }}'\n")
    result = substitute(root, BINDINGS, [])
    assert isinstance(root, Mapping)
    assert isinstance(result, Mapping)
    assert result is not root
    assert result.get("a") is root.get("a")
    assert substitute(nodes_a := nodes("a: 1"), BINDINGS, []) is nodes_a


def test_places_survive_substitution() -> None:
    result = substitute(nodes("a:\n  - '{{ env }}'\n"), BINDINGS, [])
    assert isinstance(result, Mapping)
    items = result.get("a")
    assert items is not None
    assert str(items.location) == "f.yml:2:3"
    assert str(items.items[0].location) == "f.yml:2:5"  # type: ignore[union-attr]  # it is the sequence written above


def test_all_mistakes_are_collected_and_the_text_stays() -> None:
    text = "a: '{{ vars.x }} {{ vars.y }}'\n'{{ env }}': 1\nb: ['{% x %}', '{{ env }}']\n"
    plain, found = substituted(text)
    assert found == [
        ("missing-variable", "f.yml:1:4"),
        ("missing-variable", "f.yml:1:4"),
        ("template-in-key", "f.yml:2:1"),
        ("template", "f.yml:3:5"),
    ]
    assert plain["a"] == "{{ vars.x }} {{ vars.y }}"
    assert plain["b"] == ["{% x %}", "PROD"]


def test_a_mistake_in_a_literal_block_is_on_its_line() -> None:
    text = "query: |\n  SELECT 1\n  FROM {{ env }}\n  WHERE {{ vars.nobody }}\n"
    assert substituted(text)[1] == [("missing-variable", "f.yml:4:1")]


def test_sql_bodies_are_substituted() -> None:
    text = "query: |\n  SELECT '{{ '{{' }}' AS a\n  FROM {{ vars.name }};\n"
    assert substituted(text) == ({"query": "SELECT '{{' AS a\nFROM orders;\n"}, [])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_value_comes_through_as_it_is(value: str) -> None:
    bindings = Bindings({"v": value})
    assert render("{{ vars.v }}", bindings) == value
    assert render("<{{ vars.v }}>", bindings) == f"<{value}>"


@given(
    st.lists(
        st.sampled_from(["{{", "}}", "{%", "%}", "'", '"', "env", " ", "|", "a", ".", "\\", "(", "-"]), max_size=12
    )
)
def test_no_text_breaks_the_renderer(pieces: list[str]) -> None:
    text = "".join(pieces)
    found: list[Diagnostic] = []
    node = Scalar(text, text, "", "f.yml", 1, 1)
    result = substitute(node, BINDINGS, found)
    assert isinstance(result, Scalar)
    assert (result is node) == bool(found or not has_template(text))


def test_every_filter_is_exercised_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in FILTERS if f"| {name}" not in text] == []


def test_importing_loads_no_template_library() -> None:
    code = "import sys, pinky_core.variables; print(any(name.startswith('jinja2') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
