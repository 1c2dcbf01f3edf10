"""Contacts: who can be reached about an object.

https://docs.snowflake.com/en/sql-reference/sql/create-contact,
https://docs.snowflake.com/en/sql-reference/sql/alter-contact,
https://docs.snowflake.com/en/sql-reference/sql/show-contacts; there is no DESCRIBE CONTACT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    FieldChange,
    Identifier,
    Resource,
    Risk,
    Statement,
    changed_fields,
    is_given,
    literal,
    prop,
    resource,
    statement,
    string_literal,
)
from pinky_core.contact_reading import users_of

__all__ = ["METHODS", "Contact"]

METHODS = ("users", "email_distribution_list", "url")
"""The ways to reach a contact; one of them."""

_URL = re.compile(r"https?://[^\s/?#]+\S*\Z", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+\Z")


@resource("contact", scope="schema", stateful=False)
class Contact(Resource):
    """Somebody to reach: users, one e-mail address (of a distribution list, say), or a URL.

    What for is not said here but where it is attached to an object: `contact_reference`. Changing the way to reach it
    keeps the associations, replacing the contact would lose them; so it is never replaced.
    """

    show_pages = False
    privileges = (
        ("USAGE", "the database and schema"), ("CREATE CONTACT", "the schema"),
        ("OWNERSHIP or MODIFY", "the contact"),
    )  # fmt: skip

    users: tuple[Identifier, ...] = prop(default=None, unset=False, doc="Users who can be reached, by name.")
    email_distribution_list: str = prop(default=None, unset=False, doc="An e-mail address.")
    url: str = prop(default=None, unset=False, doc="A page with http or https.")
    email: str = prop(
        default=None,
        sql="EMAIL_DISTRIBUTION_LIST",
        column="email",
        unset=False,
        doc="Another spelling of `email_distribution_list`, which is the name of Snowflake's property.",
    )
    comment: str | None = prop(default="", unset=False, doc="Free text.")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """One way to reach it, in a sound spelling."""
        given = [name for name in (*METHODS, "email") if is_given(getattr(self, name))]
        if len(given) > 1:
            yield given[1], f"a contact is reached in one way; found {' and '.join(given)}"
        for name in (*METHODS, "email"):
            if getattr(self, name) is None:
                yield name, f"Snowflake cannot take {name!r} from a contact; give another way to reach it instead"
        if is_given(self.users) and not self.users:
            yield "users", "the list of users is empty"
        if is_given(self.url) and not _URL.match(self.url):
            yield "url", f"{self.url!r} is no URL that a person can open: http:// or https:// and a host"
        for name in ("email", "email_distribution_list"):
            value = getattr(self, name)
            if is_given(value) and not _EMAIL.match(value):
                yield name, f"{value!r} is no e-mail address; one address, which can be a distribution list's"

    def _settled(self) -> Contact:
        """The same with the e-mail address under Snowflake's name for it."""
        if not is_given(self.email):
            return self
        return Contact(
            users=self.users, email_distribution_list=self.email, url=self.url, email=ABSENT, comment=self.comment
        )

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE CONTACT."""
        settled = self._settled()
        values = {name: getattr(settled, name) for name in (*METHODS, "comment")}
        pieces = [clause(name, value) for name, value in values.items() if is_given(value)]
        return [statement(" ".join([f"CREATE CONTACT {address.sql}", *pieces]))]

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs, whichever spelling of the e-mail address was used."""
        return changed_fields(self._settled(), live)

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """ALTER CONTACT … SET: a way to reach it takes the place of the former; an empty comment is none."""
        pieces = [clause(change.path, "" if change.after is None else change.after) for change in changes]
        return [statement(f"ALTER CONTACT {address.sql} SET {' '.join(pieces)}")]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Dropping a contact takes it from everything it is attached to."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, "the contact, and its place on every object it is attached to"
        return super().risk(address, action, live, changes)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW CONTACTS; users are a JSON array of canonical names."""
        raw = super().from_row(row)
        raw.pop("email", None)
        return {**raw, "users": users_of(row)}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A live body; users are canonical already."""
        body = super().from_raw({name: value for name, value in raw.items() if name != "users"})
        return cls(
            users=raw.get("users") or ABSENT,
            email_distribution_list=body.email_distribution_list,
            url=body.url,
            comment=body.comment,
        )


def clause(name: str, value: Any) -> str:
    """``URL = '…'``; a user whose name needs quotes has them inside of the literal."""
    if name == "users":
        return f"USERS = ({', '.join(string_literal(user.sql) for user in value)})"
    return f"{name.upper()} = {literal(value)}"
