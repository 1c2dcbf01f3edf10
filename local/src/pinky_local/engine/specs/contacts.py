"""Contact: who can be reached about an object, by users, one e-mail address or a URL.

https://docs.snowflake.com/en/sql-reference/sql/create-contact, alter-contact, show-contacts; there is no DESCRIBE.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.spec import ObjectType, Property, ShowColumn

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

METHODS = ("USERS", "EMAIL_DISTRIBUTION_LIST", "URL")
"""The ways to reach a contact; it has one of them, or none."""


def _users(statement: Statement, name: str) -> list[str]:
    """('user', '"case-sensitive user"'): canonical names of users that exist (that they must is a guess)."""
    if not statement.tokens.is_symbol("("):
        raise statement.tokens.unexpected()
    found = []
    for text in values.text_list()(statement, name):
        (user,) = identifiers.parse_dotted(text)
        statement.deferred_checks.append(partial(_check_user, statement, user))
        found.append(user)
    return found


def _check_user(statement: Statement, user: str) -> None:
    if statement.catalog.get(ACCOUNT, "user", user) is None:
        raise errors.not_found("User", identifiers.printed(user))


def _email(statement: Statement, name: str) -> str:
    text = str(values.text()(statement, name) or "")
    local, at, domain = text.partition("@")
    if not (local and at and "." in domain) or any(letter.isspace() for letter in text):
        raise errors.invalid_value(text, name)
    return text


def _user_list(_: Statement, item: CatalogObject) -> str | None:
    users: Any = item.properties.get("USERS")
    return None if not users else json.dumps(users, separators=(",", ":"))


CONTACT = ObjectType(
    kind="contact",
    words="CONTACT",
    plural="CONTACTS",
    container="schema",
    properties=(
        Property("USERS", _users, unsettable=False),
        Property("EMAIL_DISTRIBUTION_LIST", _email, unsettable=False),
        Property("URL", values.text(), unsettable=False),
        Property("COMMENT", values.text(), unsettable=False),
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        columns.OWNER_ROLE_TYPE,
        ShowColumn("email_distribution_list", columns.declared("EMAIL_DISTRIBUTION_LIST")),
        ShowColumn("url", columns.declared("URL")),
        ShowColumn("entries_in_users", lambda _, item: len(item.properties.get("USERS") or ()), "fixed"),
        ShowColumn("users", _user_list),
    ),
    privileges=("APPLY", "MODIFY"),
    or_alter=False,
    tags=False,
    silent_ceiling=True,
    citation="https://docs.snowflake.com/en/sql-reference/sql/create-contact",
    guesses=(
        "users of a contact must exist",
        "an e-mail address without a domain is refused",
        "GET_CONTACTS says ACCOUNT for contacts of the account",
    ),
)

TYPES = (CONTACT,)
