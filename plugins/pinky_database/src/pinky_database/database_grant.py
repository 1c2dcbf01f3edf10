"""Privileges inside a database, and database roles granted to roles.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
https://docs.snowflake.com/en/sql-reference/sql/revoke-privilege,
https://docs.snowflake.com/en/sql-reference/sql/grant-database-role
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import (
    Action,
    Address,
    Context,
    FieldChange,
    Identifier,
    Names,
    NotVisibleError,
    Place,
    Reader,
    Resource,
    Risk,
    Rows,
    Statement,
    Wanted,
    prop,
    resource,
    sql_path,
    statement,
)
from pinky_database.grants import Grant, Grantee, ObjectName, Path, RoleMembership, grant_of, said_by
from pinky_database.held import Holding, Inventory, about_to_exist, holdings, inventory, relation_of, unknown
from pinky_database.object_types import DATABASE, OBJECT_TYPES

_TEXT = {"type": "string", "minLength": 1}


@resource("database_grant", scope="database", sql="", stateful=False)
class DatabaseGrant(Resource):
    """One privilege of a role on a database, a schema, or all or future objects; or one database role of a role."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (("OWNERSHIP", "the object"), ("MANAGE GRANTS", "the account"))
    naming: ClassVar[Mapping[str, Any]] = {
        "privilege": {**_TEXT, "description": "A privilege, or ALL of the type of object."},
        "on": {
            "type": "object",
            "description": "A database, a schema, or all or future objects of a type in one.",
            "properties": {
                "database": _TEXT,
                "schema": _TEXT,
                "all": {**_TEXT, "description": "A type in the plural, such as TABLES."},
                "future": {**_TEXT, "description": "A type in the plural, such as TABLES."},
                "in_schema": _TEXT,
                "in_database": _TEXT,
            },
            "additionalProperties": False,
            "minProperties": 1,
        },
        "database_role": {**_TEXT, "description": "The database role that is granted, instead of a privilege."},
        "to_role": {**_TEXT, "description": "The account role that gets it."},
        "to_database_role": {**_TEXT, "description": "The database role that gets it."},
        "to_user": {**_TEXT, "description": "The user that gets a database role."},
    }

    with_grant_option: bool = prop(default=False, doc="Whether the role may pass the privilege on.")
    #: What the role holds of what is wanted, by object; only live bodies have it, as the next.
    held: Holding = attrs.field(factory=dict, eq=False)
    #: The objects that ALL means now.
    listed: Inventory = attrs.field(factory=Inventory, eq=False)

    # -- naming and dependencies -------------------------------------------------------------------------------------

    @classmethod
    def address_of(cls, document: Mapping[str, Any], place: Place) -> Address:
        """The address of a document; raises ValueError with what is wrong, and the nearest right word."""
        return grant_of(document, place).address

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Grants have no name to change."""
        raise ValueError("a grant has no name, so it cannot be renamed")

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """The containers, the objects that ALL means, and the roles."""
        grant = said_by(address)
        for length in range(1, len(address.path) + 1):
            yield from names.at(address.path[:length], ("database", "schema", "database_role"))
        yield from names.at(grant.to.path[:1], ("database",) if grant.to.word == "DATABASE ROLE" else ())
        yield from names.at(grant.to.path, (grant.to.kind,))
        if isinstance(grant, Grant) and grant.form == "ALL":
            yield from _declared(grant, names)

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """GRANT, with ALL spelled out, except in a container that this plan renames: what is in it is not known."""
        grant = said_by(address)
        if isinstance(grant, RoleMembership):
            return [statement(f"GRANT DATABASE ROLE {sql_path(grant.role)} TO {grant.to}")]
        if grant.form == "ALL" and _is_renamed(grant, context):
            words = "ALL PRIVILEGES" if grant.privilege == "ALL" else grant.privilege
            option = " WITH GRANT OPTION" if self.with_grant_option is True else ""
            return [statement(f"GRANT {words} ON {grant.target} TO {grant.to}{option}")]
        return [
            self._grant(grant, name, missing) for name, missing in _missing(grant, {}, Inventory(), context).items()
        ]

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """Privileges that are missing (of ALL, or on some of all objects), and the right to pass them on."""
        grant = said_by(address)
        if isinstance(grant, RoleMembership):
            return []
        found = []
        missing = _missing(grant, live.held, live.listed, context)
        if missing:
            has = sum(len(each) for each in live.held.values())
            lacking = "; ".join(f"{', '.join(words)} on {name}" for name, words in missing.items())
            found.append(FieldChange("privilege", f"{has} granted", f"also {lacking}"))
        if self._option_differs(live):
            found.append(FieldChange("with_grant_option", not self.with_grant_option, self.with_grant_option))
        return found

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """GRANT what is missing; grant again, or revoke only, the right to pass on."""
        grant = said_by(address)
        assert isinstance(grant, Grant)  # a role membership has nothing to alter
        missing = _missing(grant, live.held, live.listed, context)
        statements = [self._grant(grant, name, words) for name, words in missing.items()]
        for name, words in self._option_differs(live).items():
            if self.with_grant_option is True:
                statements.append(self._grant(grant, name, words))
            else:
                text = f"REVOKE GRANT OPTION FOR {', '.join(words)} ON {_on(grant, name)} FROM {grant.to}"
                statements.append(statement(text))
        return statements

    def _option_differs(self, live: Self) -> dict[ObjectName, list[str]]:
        wish: Any = self.with_grant_option
        wish = False if wish is None else wish
        if not isinstance(wish, bool):
            return {}
        differing = {
            name: [word for word, option in words.items() if option is not wish] for name, words in live.held.items()
        }
        return {name: words for name, words in sorted(differing.items()) if words}

    def _grant(self, grant: Grant, name: ObjectName, words: Sequence[str]) -> Statement:
        option = " WITH GRANT OPTION" if self.with_grant_option is True else ""
        return statement(f"GRANT {', '.join(words)} ON {_on(grant, name)} TO {grant.to}{option}")

    def drop(self, address: Address) -> Sequence[Statement]:
        """REVOKE what this live grant holds."""
        grant = said_by(address)
        if isinstance(grant, RoleMembership):
            return [statement(f"REVOKE DATABASE ROLE {sql_path(grant.role)} FROM {grant.to}")]
        return [
            statement(f"REVOKE {', '.join(words)} ON {_on(grant, name)} FROM {grant.to}")
            for name, words in sorted(self.held.items())
        ]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Revoking takes access away."""
        to = said_by(address).to
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, f"what {to} may do by this grant"
        if any(change.path == "with_grant_option" and not change.after for change in changes):
            return Risk.DESTRUCTIVE, f"the right of {to} to pass the privilege on"
        return Risk.SAFE, ""

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """What stands of the wanted grants: one statement per grantee, per granted role, per listing that ALL needs.

        A grant on ALL in a container that is there always has a live body, which may hold nothing.
        """
        said = [said_by(each.address) for each in wanted]
        grants = [each for each in said if isinstance(each, Grant)]
        memberships = [each for each in said if isinstance(each, RoleMembership)]
        _refuse_unknown_containers(reader, grants)
        started = {
            role: reader.start(f"SHOW GRANTS OF DATABASE ROLE {sql_path(role)}")
            for role in sorted({each.role for each in memberships})
        }
        held = holdings(reader, grants)
        live = inventory(reader, grants)
        found: dict[Address, Resource] = {}
        for grant in grants:
            body = cls._live(grant, held[grant.to, grant.form == "FUTURE"], live.get((grant.type.plural, grant.path)))
            if body is not None:
                found[grant.address] = body
        members = {role: _members(reader, role, future.result) for role, future in started.items()}
        found.update({each.address: cls() for each in memberships if each.to in members[each.role]})
        return found

    @classmethod
    def _live(cls, grant: Grant, holding: Holding, listed: Inventory | None) -> Self | None:
        if grant.form == "ALL":
            if listed is None:
                return None
            names = listed.objects
        else:
            names = frozenset({_named(grant)})
        held = {}
        for name in names:
            on_it = holding.get(name if grant.form == "FUTURE" else relation_of(name), {})
            words = {word: on_it[word] for word in grant.privileges if word in on_it}
            if words:
                held[name] = words
        if not held and grant.form != "ALL":
            return None
        options = [option for words in held.values() for option in words.values()]
        return cls(with_grant_option=bool(options) and all(options), held=held, listed=listed or Inventory())


def _refuse_unknown_containers(reader: Reader, grants: Sequence[Grant]) -> None:
    """Raise `NotVisibleError` for a database or schema that is neither there nor about to be created."""
    for path in sorted({grant.path for grant in grants}):
        kind = "database" if len(path) == 1 else "schema"
        if not about_to_exist(reader, kind, path) and not reader.container_exists(path):
            raise unknown(kind, path)


def _named(grant: Grant) -> ObjectName:
    """The one name a grant on an object, or on future objects, has."""
    return ObjectName(grant.container if grant.form == "OBJECT" else grant.type.name, grant.path)


def _on(grant: Grant, name: ObjectName) -> str:
    return str(name) if grant.form == "ALL" else grant.target


def _is_renamed(grant: Grant, context: Context) -> bool:
    """Whether the container, or the database of it, gets its name by this plan."""
    for kind, path in (("database", grant.path[:1]), ("schema", grant.path)):
        item = context.declared.get(Address(kind, path))
        if item is not None and item.former is not None and item.former in context.live:
            return True
    return False


def _declared(grant: Grant, names: Names) -> list[Address]:
    """What the manifest declares of the objects that ALL means."""
    if len(grant.path) == 1 and grant.type.name != "SCHEMA":
        return names.beneath(grant.path[0], grant.type.kinds)
    return names.inside(grant.path, grant.type.kinds)


def _missing(grant: Grant, held: Holding, listed: Inventory, context: Context) -> dict[ObjectName, list[str]]:
    """Single privileges by single object that are wanted and not held, in the order of names."""
    wanted: dict[ObjectName, Sequence[str]] = {}
    if grant.form == "ALL":
        wanted = _wanted_on_all(grant, listed, context)
        former = _renamed(grant, context)
        held = {former.get(name, name): words for name, words in held.items()}
    else:
        wanted[_named(grant)] = grant.privileges
    missing = {name: [word for word in words if word not in held.get(name, {})] for name, words in wanted.items()}
    return {name: words for name, words in sorted(missing.items()) if words}


def _wanted_on_all(grant: Grant, listed: Inventory, context: Context) -> dict[ObjectName, Sequence[str]]:
    """What is there and what this plan makes: declared objects, renamed ones, and PUBLIC of a new database."""
    former = _renamed(grant, context)
    wanted = {former.get(name, name): _fitting(grant, name, listed) for name in listed.objects}
    for address in _declared(grant, context.names):
        body = context.declared[address].body
        name = ObjectName(grant.type.name, address.path, address.detail)
        external = frozenset({name}) if isinstance(getattr(body, "url", None), str) else frozenset()
        wanted.setdefault(name, _fitting(grant, name, Inventory(external=external)))
    if grant.type.name == "SCHEMA" and context.creates(Address(DATABASE.kinds[0], grant.path)):
        wanted.setdefault(ObjectName("SCHEMA", (*grant.path, Identifier("PUBLIC"))), grant.privileges)
    return wanted


def _fitting(grant: Grant, name: ObjectName, listed: Inventory) -> Sequence[str]:
    """Those of the privileges that exist on this very object."""
    if grant.type.name == "STAGE":
        external = name in listed.external
        return [word for word in grant.privileges if (word == "USAGE") is external]
    if grant.privilege == "ALL" and name in listed.hybrid:
        return OBJECT_TYPES["HYBRID TABLES"].privileges
    return grant.privileges


def _renamed(grant: Grant, context: Context) -> dict[ObjectName, ObjectName]:
    """Old names to new ones, where this plan renames: grants stay with the object."""
    pairs = {}
    for address in _declared(grant, context.names):
        former = context.declared[address].former
        if former is not None and former in context.live and address not in context.live:
            old = ObjectName(grant.type.name, former.path, former.detail)
            pairs[old] = ObjectName(grant.type.name, address.path, address.detail)
    return pairs


def _members(reader: Reader, role: Path, answer: Callable[[], Rows]) -> set[Grantee]:
    """Who has a database role; the name of a database role may or may not have its database before it."""
    try:
        rows = answer()
    except NotVisibleError as error:
        if about_to_exist(reader, "database_role", role):
            return set()
        raise unknown("database_role", role, error) from error
    members = set()
    for word, name in rows.pick("granted_to", "grantee_name"):
        kind = str(word).upper().replace("_", " ")
        path: Path = (Identifier(name),)
        if kind == "DATABASE ROLE":
            bare = str(name).removeprefix(f"{role[0].sql}.").removeprefix(f"{role[0]}.")
            path = (role[0], Identifier.parse(bare) if bare.startswith('"') else Identifier(bare))
        members.add(Grantee(kind, path))
    return members
