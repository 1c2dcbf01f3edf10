"""Privileges on objects of a schema, and on the schema itself.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
https://docs.snowflake.com/en/sql-reference/sql/revoke-privilege
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import (
    Action,
    Address,
    Context,
    FieldChange,
    Names,
    Place,
    Reader,
    Resource,
    Risk,
    Statement,
    Wanted,
    prop,
    resource,
    statement,
)
from pinky_schema.grant_content import GrantContent
from pinky_schema.grant_read import external_stages, holdings, key_of
from pinky_schema.privileges import SECURABLES

_TEXT = {"type": "string", "minLength": 1}


@resource("grant", scope="schema", sql="", stateful=False)
class Grant(Resource):
    """One privilege of a role or database role on one object of a schema, or on the schema.

    Grants are additive: what is not declared is never revoked.
    """

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (("OWNERSHIP", "the object"), ("MANAGE GRANTS", "the account"))
    naming: ClassVar[Mapping[str, Any]] = {
        "privilege": {**_TEXT, "description": "A privilege, or ALL of the type of object."},
        "on": {
            "type": "object",
            "description": "One object by its type; functions and procedures with argument types: LOAD(NUMBER).",
            "properties": {each.word: _TEXT for each in SECURABLES.values()},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        "to_role": {**_TEXT, "description": "The account role that gets it."},
        "to_database_role": {**_TEXT, "description": "The database role that gets it."},
    }
    naming_required: ClassVar[tuple[str, ...]] = ("privilege", "on")

    with_grant_option: bool = prop(default=False, doc="Whether the role may pass the privilege on.")
    #: What the role holds of what is wanted, and whether it may pass that on; only live bodies have it, as the next.
    held: Mapping[str, bool] = attrs.field(factory=dict, eq=False)
    #: Whether the object is an external stage, which has privileges of its own.
    external: bool = attrs.field(default=False, eq=False)

    # -- naming and dependencies -------------------------------------------------------------------------------------

    @classmethod
    def address_of(cls, document: Mapping[str, Any], place: Place) -> Address:
        """The address of a document; raises ValueError with what is wrong, and the nearest right word."""
        return GrantContent.of_document(document, place).address

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Grants have no name to change."""
        raise ValueError("a grant has no name, so it cannot be renamed")

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """The containers, the object, and who gets the privilege."""
        grant = GrantContent.of_address(address)
        for length in range(1, len(address.path)):
            yield from names.at(address.path[:length], ("database", "schema"))
        for each in names.at(grant.path, grant.on.kinds):
            if each.detail == grant.signature:
                yield each
        yield from names.at(grant.to.path, (grant.to.kind,))

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """GRANT, with ALL spelled out."""
        grant = GrantContent.of_address(address)
        return self._grants(grant, wanted_words(grant, external=_declared_external(grant, context)))

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """Privileges that are missing (of ALL), and the right to pass them on."""
        grant = GrantContent.of_address(address)
        wanted = wanted_words(grant, external=live.external)
        found = []
        if any(each not in live.held for each in wanted):
            found.append(FieldChange("privilege", ", ".join(live.held), ", ".join(wanted), note="missing"))
        if self._option_differs(grant, live):
            found.append(FieldChange("with_grant_option", not self.with_grant_option, bool(self.with_grant_option)))
        return found

    def _option_differs(self, grant: GrantContent, live: Self) -> list[str]:
        """Held privileges whose right to be passed on is not as declared; null declares that there is none."""
        wish: Any = False if self.with_grant_option is None else self.with_grant_option
        own = {word: option for word, option in live.held.items() if word not in grant.implied}
        return [word for word, option in own.items() if isinstance(wish, bool) and option is not wish]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """GRANT what is missing; grant again, or revoke only, the right to pass on."""
        grant = GrantContent.of_address(address)
        missing = [each for each in wanted_words(grant, external=live.external) if each not in live.held]
        differing = self._option_differs(grant, live)
        revoked = []
        if self.with_grant_option is True:
            missing += differing
        elif differing:
            head = f"REVOKE GRANT OPTION FOR {', '.join(differing)}"
            revoked.append(statement(f"{head} ON {grant.target} FROM {grant.to}"))
        return [*self._grants(grant, missing), *revoked]

    def _grants(self, grant: GrantContent, words: Sequence[str]) -> list[Statement]:
        """One GRANT, and one before it where what is implied is granted too, which never gets the option."""
        option = " WITH GRANT OPTION" if self.with_grant_option is True else ""
        groups = [(each, "") for each in words if each in grant.implied]
        own = ", ".join(each for each in words if each not in grant.implied)
        return [
            statement(f"GRANT {text} ON {grant.target} TO {grant.to}{rest}")
            for text, rest in (*groups, (own, option))
            if text
        ]

    def drop(self, address: Address) -> Sequence[Statement]:
        """REVOKE what this live grant holds of its own; what it implied may be another grant's as well."""
        grant = GrantContent.of_address(address)
        words = [each for each in self.held if each not in grant.implied]
        return [statement(f"REVOKE {', '.join(words)} ON {grant.target} FROM {grant.to}")]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Revoking takes access away."""
        to = GrantContent.of_address(address).to
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, f"what {to} may do by this privilege"
        if any(change.path == "with_grant_option" and not change.after for change in changes):
            return Risk.DESTRUCTIVE, f"the right of {to} to pass the privilege on"
        return Risk.SAFE, ""

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """Which of the wanted privileges are held, by one statement per grantee.

        A live stage under ALL has a body even where nothing is held, since only it tells what ALL means.
        """
        grants = [GrantContent.of_address(each.address) for each in wanted]
        external = external_stages(reader, grants)
        held_by = holdings(reader, (grant.to for grant in grants))
        found: dict[Address, Resource] = {}
        for grant in grants:
            outside = external.get(grant.path) if (grant.on.name, grant.privilege) == ("STAGE", "ALL") else None
            on_it = held_by[grant.to].get(key_of(grant), {})
            held = {word: on_it[word] for word in wanted_words(grant, external=bool(outside)) if word in on_it}
            own = [option for word, option in held.items() if word not in grant.implied]
            if own or outside is not None:
                found[grant.address] = cls(with_grant_option=bool(own) and all(own), held=held, external=bool(outside))
        return found


def wanted_words(grant: GrantContent, *, external: bool) -> tuple[str, ...]:
    """The single privileges that are meant: ALL is never compared as such, and a stage has one set or the other."""
    if grant.privilege != "ALL":
        return (*grant.implied, grant.privilege)
    words = grant.on.all_privileges
    if grant.on.name == "STAGE":
        return tuple(each for each in words if (each == "USAGE") is external)
    return words


def _declared_external(grant: GrantContent, context: Context) -> bool:
    """Whether the object is declared as an external stage: one with a URL."""
    for address in context.names.at(grant.path, ("stage",) if grant.on.name == "STAGE" else ()):
        item = context.declared.get(address)
        if address.kind == "stage" and item is not None:
            return isinstance(getattr(item.body, "url", None), str)
    return False
