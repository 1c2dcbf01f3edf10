from __future__ import annotations

from typing import Any

import pytest

from pinky_core import ABSENT, Nested, Resource, SecretReference, nested, prop, resource, resource_base
from pinky_core.declare import references_in


@nested
class Key(Nested):
    """A value that can hold a secret."""

    label: str = prop()
    content: SecretReference | None = prop(default=None)


@nested
class Plain(Nested):
    """A value that cannot."""

    label: str = prop()


@resource("vault", scope="account")
class Vault(Resource):
    """A kind with secrets at several depths."""

    name_of_owner: str | None = prop(default=None)
    password: SecretReference | None = prop(default=None)
    keys: tuple[Key, ...] = prop(default=None)
    main_key: Key | None = prop(default=None)
    labels: tuple[Plain, ...] = prop(default=None)
    by_name: dict[str, SecretReference] = prop(default=None)
    anything: Any = prop(default=None)


def test_the_fields_that_can_hold_a_secret_are_known_from_their_types():
    assert [field.name for field in Vault.spec.secrets] == ["password", "keys", "main_key", "by_name", "anything"]
    assert [field.name for field in Key.spec.secrets] == ["content"]
    assert Plain.spec.secrets == ()


def test_references_are_found_at_every_depth_with_their_paths():
    one, two, three, four = (SecretReference.parse(f"env:SECRET_{number}") for number in range(4))
    body = Vault(
        name_of_owner="env:NOT_A_SECRET",
        password=one,
        keys=(Key(label="a"), Key(label="b", content=two)),
        main_key=Key(label="c", content=three),
        labels=(Plain(label="d"),),
        anything=four,
    )
    assert list(references_in(body)) == [
        (("password",), one),
        (("keys", 1, "content"), two),
        (("main_key", "content"), three),
        (("anything",), four),
    ]


@pytest.mark.parametrize("keys", [None, ABSENT, ()])
def test_no_value_holds_no_reference(keys: Any):
    assert list(references_in(Vault(keys=keys))) == []


@resource_base
class Tagged(Resource):
    """Fields of several kinds."""

    query_tag: str | None = prop(default=None)


@resource("box", scope="account")
class Box(Tagged):
    """A kind with fields of a base."""

    size: int = prop()


@resource("chest", scope="account")
class Chest(Tagged):
    """Another one."""

    lid: bool = prop(default=True)


def test_the_fields_of_a_base_come_after_those_of_the_kind():
    assert [field.name for field in Box.spec.fields] == ["size", "query_tag"]
    assert [field.name for field in Chest.spec.fields] == ["lid", "query_tag"]
    assert Box(size=1, query_tag="a") == Box(size=1, query_tag="a")
    assert Box(size=1, query_tag="a") != Box(size=1, query_tag="b")
    assert Chest().query_tag is ABSENT
