from __future__ import annotations

import pytest

from pinky_core import (
    ABSENT,
    DataType,
    Identifier,
    Keyword,
    Nested,
    Resource,
    SqlText,
    nested,
    prop,
    resource,
)
from pinky_core.change import plain
from pinky_core.convert import convert_body


class Level(Keyword):
    LOW = "LOW", "quiet"
    HIGH = ("HIGH",)


@nested
class Part(Nested):
    name: Identifier = prop()
    type: DataType = prop(default=None)
    sizes: tuple[int, ...] = prop(default=None)


@resource("machine", scope="schema")
class Machine(Resource):
    """A machine."""

    level: Level | None = prop(default=Level.LOW)
    parts: tuple[Part, ...] = prop(default=None, key="name")
    text: SqlText | None = prop(default=None)
    labels: dict[str, str] | None = prop(default=None)
    owner: Identifier | None = prop(default=None)
    ratio: float | None = prop(default=None)
    count: int = prop()


def test_a_document_becomes_values_of_the_fields_types():
    document = {
        "count": 3,
        "level": "Quiet",
        "owner": "me",
        "ratio": 2,
        "labels": {"a": "b"},
        "text": "SELECT 1 ;",
        "parts": [{"name": "x", "type": "int", "sizes": [1, 2]}, {"name": '"y"'}],
    }
    body, mistakes = convert_body(Machine, document)
    assert mistakes == []
    assert (body.level, body.owner, body.ratio, body.text) == (Level.LOW, "ME", 2.0, SqlText("SELECT 1"))
    assert [part.name for part in body.parts] == ["X", "y"]
    assert body.parts[0].type == DataType.parse("NUMBER(38,0)")
    assert body.parts[1].type is ABSENT
    assert convert_body(Machine, plain(body))[0] == body


def test_null_is_kept_and_absent_is_absent():
    body, _ = convert_body(Machine, {"count": 1, "level": None})
    assert body.level is None
    assert body.parts is ABSENT


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, ("count",)),
        ({"count": None}, ("count",)),
        ({"count": "3"}, ("count",)),
        ({"count": True}, ("count",)),
        ({"count": 1, "level": "loud"}, ("level",)),
        ({"count": 1, "owner": "a b"}, ("owner",)),
        ({"count": 1, "ratio": "x"}, ("ratio",)),
        ({"count": 1, "labels": {"a": 5}}, ("labels", "a")),
        ({"count": 1, "text": "  -- nothing"}, ("text",)),
        ({"count": 1, "parts": [{"name": "ok"}, {"name": "x", "type": "NUMBR"}]}, ("parts", 1, "type")),
        ({"count": 1, "parts": [{"type": "INT"}]}, ("parts", 0, "name")),
        ({"count": 1, "parts": [{"name": "x", "sizes": [1, "2"]}]}, ("parts", 0, "sizes", 1)),
    ],
)
def test_every_mistake_has_its_path(document: dict[str, object], path: tuple[object, ...]):
    body, mistakes = convert_body(Machine, document)
    assert body is None
    assert [found for found, _ in mistakes] == [path]


def test_all_mistakes_at_once():
    _, mistakes = convert_body(Machine, {"level": "loud", "parts": [{"name": "1"}, {"name": "x", "type": "NUMBR"}]})
    assert [path for path, _ in mistakes] == [("level",), ("parts", 0, "name"), ("parts", 1, "type"), ("count",)]


@nested
class Bolt(Nested):
    size: int = prop(default=None)
    ratio: float = prop(default=None)
    closed: bool = prop(default=None)


@resource("door", scope="schema")
class Door(Resource):
    """A door."""

    bolts: tuple[Bolt, ...] = prop(default=None)


def test_scalars_that_python_takes_for_equal_stay_apart():
    assert convert_body(Door, {"bolts": [{"size": 1}]})[1] == []
    assert convert_body(Door, {"bolts": [{"size": True}]})[1] == [
        (("bolts", 0, "size"), "expected an integer, found True")
    ]
    assert convert_body(Door, {"bolts": [{"size": 1.0}]})[1] == [
        (("bolts", 0, "size"), "expected an integer, found 1.0")
    ]
    body, _ = convert_body(Door, {"bolts": [{"ratio": 1}, {"ratio": 1.0}, {"closed": True}]})
    assert [type(body.bolts[0].ratio), type(body.bolts[1].ratio), body.bolts[2].closed] == [float, float, True]


@pytest.mark.parametrize("value", ["text", 5, [1]])
def test_a_nested_value_that_is_no_mapping_is_said_to_be_none(value: object):
    body, mistakes = convert_body(Door, {"bolts": [value]})
    assert body is None
    assert mistakes == [(("bolts", 0), "expected a mapping")]
