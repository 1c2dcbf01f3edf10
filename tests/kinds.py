"""Two small kinds for the core's own tests: the core knows no resource type, so its tests bring some."""

from __future__ import annotations

from pinky_core import (
    Context,
    Guard,
    Keyword,
    OnChange,
    Resource,
    SecretReference,
    Source,
    SqlText,
    hookimpl,
    make_registry,
    prop,
    resource,
    statement,
)


class Colour(Keyword):
    RED = "RED", "R-e-d"
    BLUE = "BLUE"


@resource("box", scope="account", sql="BOX", plural="BOXES", stateful=False)
class Box(Resource):
    """Something at the account."""

    colour: Colour = prop(default=Colour.RED, doc="How it looks.")
    weight: int | None = prop(default=5, minimum=0, maximum=100)
    label: str | None = prop(default=None, column="comment", sql="COMMENT")
    limit: int | None = prop(default=None, source=Source.PARAMETER)
    material: str | None = prop(default="WOOD", on_change=OnChange.REPLACE)
    serial: int | None = prop(default=None, on_change=OnChange.REFUSE, loses="its serial number")
    key: SecretReference | None = prop(default=None, source=Source.NOWHERE)


@resource("database", scope="account", sql="DATABASE", plural="DATABASES")
class Db(Resource):
    """A container."""


@resource("schema", scope="database", sql="SCHEMA", plural="SCHEMAS")
class Schema(Resource):
    """A container of items."""


@resource("item", scope="schema", sql="ITEM", plural="ITEMS")
class Item(Resource):
    """Something in a schema."""

    text: SqlText | None = prop(default=None)
    after: tuple[str, ...] = prop(default=None, refers_to="item")
    box: str | None = prop(default=None, refers_to="box")

    @classmethod
    def guards(cls, changes, context: Context):  # type: ignore[no-untyped-def]  # a test double
        """One guard around all items that hold a text."""
        members = tuple(change.address for change in changes)
        if any(address.name == "GUARDED" for address in members):
            return [Guard("items", members, (statement("PAUSE"),), (statement("GO ON"),))]
        return []


class Plugin:
    """All kinds of these tests."""

    @hookimpl
    def pinky_resource_types(self):  # type: ignore[no-untyped-def]  # a test double
        return [Box, Db, Schema, Item]


REGISTRY = make_registry({"kinds": Plugin()})
