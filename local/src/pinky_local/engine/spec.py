"""The words in which an object type of the account is declared.

One `ObjectType` per type says everything that is regular about it: words, container, properties with ranges and
defaults, SHOW and DESCRIBE columns, privileges, which statements it has, and the page that says so. What is irregular
(a table's columns, a task's graph) is code in the module of that family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

Reader = Callable[["Statement", str], Any]
"""Reads a property's value from the statement; gets the property's name for messages."""

Getter = Callable[["Statement", "CatalogObject"], Any]
"""The value of one SHOW column."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an object type as SQL names it.

    ``default`` is what the object has without it. ``create_only`` refuses it in ALTER, ``alter_only`` in CREATE.
    ``parameter`` says that the value lives with the object's parameters and is inherited by what is below.
    """

    name: str
    read: Reader
    default: Any = None
    required: bool = False
    create_only: bool = False
    alter_only: bool = False
    unsettable: bool = True
    parameter: bool = False


@dataclass(frozen=True, slots=True)
class ShowColumn:
    """A column of SHOW: its name, how its value is found, and its wire type."""

    name: str
    get: Getter
    type: str = "text"


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object type.

    ``grade`` says where its properties and columns come from: ``documented`` (Snowflake's pages), ``provider`` (the
    columns that Snowflake's Terraform provider reads) or ``guess``. ``guesses`` names what is less certain than that.

    ``terse`` are the columns of SHOW TERSE; ``terse_names`` says what such a column is called in the full SHOW where
    that is something else. ``prepare`` is called once before the rows of SHOW are made.
    """

    kind: str
    words: str
    plural: str
    container: str
    properties: tuple[Property, ...] = ()
    show: tuple[ShowColumn, ...] = ()
    terse: tuple[str, ...] = ()
    terse_names: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Statement, Sequence[CatalogObject]], None] | None = None
    describe: tuple[ShowColumn, ...] = ()
    privileges: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    create_privilege: str = ""
    space: str = ""
    or_replace: bool = True
    or_alter: bool = True
    if_not_exists: bool = True
    rename: bool = True
    undrop: bool = False
    swap: bool = False
    clone: bool = False
    tags: bool = True
    title: str = ""
    show_limit: bool = True
    silent_ceiling: bool = False
    synonyms: tuple[str, ...] = ()
    citation: str = ""
    grade: str = "documented"
    guesses: tuple[str, ...] = ()

    @property
    def name_space(self) -> str:
        """Objects of types that share a name space cannot share a name."""
        return self.space or self.kind

    @property
    def label(self) -> str:
        """The type as error messages begin with it."""
        return self.title or self.words.capitalize()

    def property_named(self, name: str) -> Property | None:
        """The declaration of a property."""
        for candidate in self.properties:
            if candidate.name == name:
                return candidate
        return None
