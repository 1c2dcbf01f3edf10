from __future__ import annotations

import io
import math
import subprocess
import sys
from typing import Any

import pytest
import ruamel.yaml
from hypothesis import given
from hypothesis import strategies as st

from pinky_core.diagnostics import Location
from pinky_core.nodes import Mapping, Node, Parsed, Scalar, Sequence, locate, parse_yaml, resolve_plain, to_plain


def read(text: str) -> Any:
    parsed = parse_yaml(text, "f.yml")
    assert parsed.diagnostics == []
    assert parsed.root is not None
    return to_plain(parsed.root)


def mistakes(text: str) -> list[tuple[str, int, int]]:
    found = parse_yaml(text, "f.yml").diagnostics
    assert all(each.location is not None and each.location.file == "f.yml" for each in found)
    return [(each.code, each.location.line, each.location.column) for each in found if each.location]


def described(node: Node | None) -> Any:
    """Everything a node says, for comparing two trees."""
    if node is None:
        return None
    place = (node.line, node.column)
    if isinstance(node, Scalar):
        return (place, repr(node.value), node.text, node.style)
    if isinstance(node, Mapping):
        return (place, [(text, described(key), described(value)) for text, (key, value) in node.entries.items()])
    return (place, [described(item) for item in node.items])


def outcome(parsed: Parsed) -> Any:
    return described(parsed.root), [(each.code, each.summary, each.location) for each in parsed.diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("010", 10),
        ("0o17", 15),
        ("0xFf", 255),
        ("-0x1", "-0x1"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        (".", "."),
        ("-", "-"),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
        ("1\n", "1\n"),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    resolved = resolve_plain(text)
    assert resolved == value
    assert type(resolved) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(read("a: .NaN")["a"])


def test_quoted_and_block_scalars_stay_strings() -> None:
    assert read("""{a: '1', b: "true", c: "null"}""") == {"a": "1", "b": "true", "c": "null"}
    assert read("a: |\n  12\nb: >-\n  null\n") == {"a": "12\n", "b": "null"}


def test_keys_are_always_text() -> None:
    assert read("on: 1\n1: 2\ntrue: 3\n") == {"on": 1, "1": 2, "true": 3}


def test_places_of_keys_values_and_items() -> None:
    root = parse_yaml("a:\n  - b: 'x'\n    c: [1, 2]\n", "f.yml").root
    assert root is not None
    assert locate(root, ()) == Location("f.yml", 1, 1)
    assert locate(root, ("a", 0)) == Location("f.yml", 2, 5)
    assert locate(root, ("a", 0, "b")) == Location("f.yml", 2, 8)
    assert locate(root, ("a", 0, "b"), key=True) == Location("f.yml", 2, 5)
    assert locate(root, ("a", 0, "c", 1)) == Location("f.yml", 3, 12)


def test_a_path_that_leads_too_far_ends_at_the_deepest_node() -> None:
    root = parse_yaml("a:\n  - b: 'x'\n", "f.yml").root
    assert root is not None
    assert locate(root, ("a", 0, "missing", 3)) == Location("f.yml", 2, 5)
    assert locate(root, ("a", 7)) == Location("f.yml", 2, 3)
    assert locate(root, ("a", -1)) == Location("f.yml", 2, 3)


def test_a_value_that_is_not_written_is_at_its_key() -> None:
    root = parse_yaml("a:\n  b:   \n", "f.yml").root
    assert root is not None
    assert locate(root, ("a", "b")) == Location("f.yml", 2, 3)


def test_columns_count_characters_not_bytes() -> None:
    root = parse_yaml("é: {ü: 😀, x: 1}\n", "f.yml").root
    assert root is not None
    assert locate(root, ("é", "x")) == Location("f.yml", 1, 14)


def test_every_duplicate_key_is_told_and_the_first_one_stays() -> None:
    parsed = parse_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n", "f.yml")
    assert [(each.code, str(each.location)) for each in parsed.diagnostics] == [
        ("duplicate-key", "f.yml:2:11"),
        ("duplicate-key", "f.yml:3:1"),
    ]
    assert "first at f.yml:1:1" in parsed.diagnostics[1].summary
    assert parsed.root is not None
    assert to_plain(parsed.root) == {"a": 1, "b": {"c": 1}}


def test_a_key_spelled_as_number_and_as_text_is_one_key() -> None:
    assert mistakes("1: a\n'1': b\n") == [("duplicate-key", 2, 1)]


def test_tags_keys_and_aliases_are_told_together() -> None:
    assert mistakes("a: !!str 1\nb: !x {c: 1}\n? [k]\n: v\nd: *nobody\n") == [
        ("yaml-tag", 1, 4),
        ("yaml-tag", 2, 4),
        ("yaml-key", 3, 3),
        ("yaml-alias", 5, 4),
    ]


def test_an_unquoted_template_gets_the_hint_to_quote_it() -> None:
    (found,) = parse_yaml("name: {{ vars.x }}\n", "f.yml").diagnostics
    assert found.code == "yaml-key"
    assert "Quote" in found.hint


def test_an_empty_key_is_refused() -> None:
    assert mistakes("{: 1}") == [("yaml-key", 1, 1)]
    assert read("'': 1") == {"": 1}


def test_a_second_document_is_refused() -> None:
    assert mistakes("a: 1\n---\nb: 2\n") == [("yaml-documents", 2, 1)]


def test_another_version_of_yaml_is_refused() -> None:
    assert [code for code, _, _ in mistakes("%YAML 1.1\n---\na: yes\n")] == ["yaml-version"]
    assert read("%YAML 1.2\n---\na: yes\n") == {"a": "yes"}


def test_a_syntax_error_has_its_place() -> None:
    assert mistakes("a: 1\nb: [1, 2\nc: 3\n") == [("yaml-syntax", 3, 2)]
    assert mistakes("a: 'never closed\n")[0][0] == "yaml-syntax"


def test_a_tab_gets_the_hint_about_tabs() -> None:
    (found,) = parse_yaml("a:\n\t- b\n", "f.yml").diagnostics
    assert str(found.location) == "f.yml:2:1"
    assert "tabs" in found.hint


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x85", "\u2028", "\ud800", "\ufeff"])
def test_characters_on_which_parsers_differ_are_refused_with_their_place(character: str) -> None:
    assert mistakes(f"a: 1\nb: x{character}\n") == [("yaml-syntax", 2, 5)]


def test_a_byte_order_mark_at_the_beginning_is_fine() -> None:
    assert read("\ufeffa: 1\n") == {"a": 1}


def test_an_empty_file_holds_nothing() -> None:
    for text in ("", "# only a comment\n"):
        parsed = parse_yaml(text, "f.yml")
        assert parsed.root is None
        assert parsed.diagnostics == []


def test_aliases_repeat_their_anchor() -> None:
    assert read("a: &x {k: [1]}\nb: *x\nc: &y t\nd: *y\n") == {"a": {"k": [1]}, "b": {"k": [1]}, "c": "t", "d": "t"}


def test_a_scalar_alias_has_a_place_of_its_own() -> None:
    root = parse_yaml("a: &x 1\nb: *x\n", "f.yml").root
    assert root is not None
    assert locate(root, ("b",)) == Location("f.yml", 2, 4)


def test_to_plain_never_shares_containers() -> None:
    plain = read("a: &x [1]\nb: *x\n")
    plain["a"].append(2)
    assert plain["b"] == [1]


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    assert mistakes("a: &x [1, *x]\n") == [("yaml-alias", 1, 11)]


def test_merged_mappings_give_way_to_own_keys() -> None:
    text = "base: &b {x: 1, y: 1}\nmore: &m {y: 2, z: 2}\na: {<<: *b, x: 0}\nb: {z: 9, <<: [*b, *m]}\n"
    plain = read(text)
    assert plain["a"] == {"x": 0, "y": 1}
    assert plain["b"] == {"x": 1, "y": 1, "z": 9}


def test_merging_what_is_no_mapping_is_refused() -> None:
    assert mistakes("a: {<<: [1]}\n") == [("yaml-merge", 1, 10)]


def test_a_quoted_merge_key_is_an_ordinary_key() -> None:
    assert read("a: {'<<': {b: 1}}") == {"a": {"<<": {"b": 1}}}


def test_an_expansion_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    found = mistakes("\n".join(lines))
    assert [code for code, _, _ in found] == ["yaml-alias"]


def test_depth_is_bounded_also_through_aliases() -> None:
    assert [code for code, _, _ in mistakes("[" * 101 + "]" * 101)] == ["yaml-depth"]
    deep = f"a: &a {'[' * 60}x{']' * 60}\nb: {'[' * 60}*a{']' * 60}\n"
    assert [code for code, _, _ in mistakes(deep)] == ["yaml-depth"]
    read("[" * 100 + "]" * 100)


def test_a_number_too_long_to_read_is_told() -> None:
    assert mistakes("a: " + "9" * 5000) == [("yaml-number", 1, 4)]


def test_what_the_c_parser_refuses_is_decided_by_the_other() -> None:
    assert read("{url: http://x/y, l: [a:b]}") == {"url": "http://x/y", "l": ["a:b"]}


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n- x\n-   - y\n    - z: |\n        text\n\n         more\n    - >-\n      folded\n      line\n",
        "# c\na: 'it''s'\nb: \"tab\\t \\u00e9\\\n   joined\"\nc: plain\n  continued\n",
        "a: &x {k: v}\nb: {<<: *x, l: [*x]}\n",
        "a: {b: [1, {c: 2}], ? d : e}\r\nf: g\r\n",
        "a: |+\n  x\n\n\nb: |2-\n    y\n",
        "a: !t x\na: 2\n? [q]\n: 1\n",
        "a: [1\nb: 2",
        "- a\n b: c",
        "x: @y",
        "\t a: 1",
        "--- text\n...\n",
    ],
)
def test_both_parsers_give_the_same_nodes(text: str) -> None:
    assert outcome(parse_yaml(text, "f.yml")) == outcome(parse_yaml(text, "f.yml", pure=True))


YAML_PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ", ",
        ": ",
        "#",
        " ",
        "|\n",
        ">\n",
        "&x ",
        "*x",
        "? ",
    ]
)


# The Python parser refuses, and says so, a block text that begins with a line of fewer spaces than the next one.
STRICTER = "more indented follow up line"


@given(st.lists(YAML_PIECES, max_size=25).map("".join))
def test_both_parsers_agree_on_whatever_they_accept(text: str) -> None:
    slow = parse_yaml(text, "f.yml", pure=True)
    if not any(STRICTER in each.summary for each in slow.diagnostics):
        assert outcome(parse_yaml(text, "f.yml")) == outcome(slow)


def test_the_python_parser_is_stricter_with_blank_lines_before_a_block_text() -> None:
    text = "k: |\n  \n    x\n"
    assert read(text) == {"k": "\nx\n"}
    (found,) = parse_yaml(text, "f.yml", pure=True).diagnostics
    assert STRICTER in found.summary


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS.filter(bool), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("pure", [False, True])
@given(data=PLAIN)
def test_dumped_data_comes_back_identical(pure: bool, data: Any) -> None:
    writer: Any = ruamel.yaml.YAML(typ="safe", pure=True)
    writer.width = 1_000_000  # the writer breaks long quoted texts where they cannot be joined again
    writer.sort_base_mapping_type_on_output = False
    writer.allow_unicode = False  # line separators are escaped, as a careful person would write them
    stream = io.StringIO()
    writer.dump(data, stream)
    parsed = parse_yaml(stream.getvalue(), "f.yml", pure=pure)
    assert parsed.diagnostics == []
    assert parsed.root is not None
    assert to_plain(parsed.root) == data
    assert repr(to_plain(parsed.root)) == repr(data)


def test_importing_loads_no_yaml_library() -> None:
    code = "import sys, pinky_core.nodes; print(any(name.startswith('ruamel') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nodes_name_themselves_and_their_place() -> None:
    root = parse_yaml("a: [1]", "f.yml").root
    assert isinstance(root, Mapping)
    items = root.get("a")
    assert isinstance(items, Sequence)
    assert repr(items.items[0]) == "Scalar(1 at f.yml:1:5)"
    assert root.get("b") is None
