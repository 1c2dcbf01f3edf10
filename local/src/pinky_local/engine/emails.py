"""SYSTEM$SEND_EMAIL: only to verified users of this account, through an integration; what is sent lies in the outbox.

https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_email and
https://docs.snowflake.com/en/user-guide/notifications/email-notifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pinky_local.engine import context, errors, identifiers
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.runs.execute import scheduler_of
from pinky_local.engine.runs.functions import check_arity
from pinky_local.engine.statement import Statement
from pinky_local.types import SqlError

MIME_TYPES = ("text/plain", "text/html")


def verified(statement: Statement) -> frozenset[str]:
    """The verified addresses of users, in lower case; a changed address has to be verified again."""
    users = statement.catalog.of_kind(ACCOUNT, "user")
    addresses = ((user.properties.get("EMAIL"), user.state.get("verified_email")) for user in users)
    return frozenset(str(email).lower() for email, known in addresses if email and email == known)


def check_verified(statement: Statement, addresses: Iterable[str]) -> None:
    """Raise 394209 naming the places of addresses that no verified user of this account has."""
    known = verified(statement)
    foreign = [place for place, address in enumerate(addresses, 1) if address.strip().lower() not in known]
    if foreign:
        text = f"Email recipients in the given list at indexes {foreign} are not allowed. Either these email addresses "
        text += "are not yet validated or do not belong to any user in the current account."
        raise SqlError(394209, "22023", text)


def send_email(statement: Statement, arguments: Sequence[Any]) -> bool:
    """SYSTEM$SEND_EMAIL('integration', 'a@x, b@x', 'subject', 'content'[, 'mime type'])."""
    check_arity("SYSTEM$SEND_EMAIL", arguments, 4, 5)
    integration, recipients, subject, content = (str(each or "") for each in arguments[:4])
    mime_type = str(arguments[4]) if len(arguments) == 5 else "text/plain"
    found = statement.find("notification_integration", identifiers.parse_dotted(integration))
    statement.require(found, "USAGE")
    if found.properties["TYPE"] != "EMAIL" or not found.properties.get("ENABLED"):
        raise SqlError(394208, "22023", f"Integration {found.name} is no enabled integration of TYPE = EMAIL.")
    if not subject or not content:
        raise SqlError(394207, "22023", "Subject and content of an e-mail cannot be empty.")
    if mime_type not in MIME_TYPES:
        raise errors.invalid_value(mime_type, "mime type")
    addresses = [address.strip() for address in recipients.split(",") if address.strip()]
    if not addresses:
        raise SqlError(394206, "22023", "No recipient is given.")
    allowed = found.properties.get("ALLOWED_RECIPIENTS")
    if allowed is not None and not {each.lower() for each in addresses} <= {each.lower() for each in allowed}:
        raise SqlError(394209, "22023", f"Integration {found.name} does not allow all of these recipients.")
    check_verified(statement, addresses)
    message = {"channel": "email", "to": addresses, "subject": subject, "body": content, "mime_type": mime_type}
    scheduler_of(statement).outbox.put(found.name, message)
    return True


def start_verification(statement: Statement, arguments: Sequence[Any]) -> str:
    """SYSTEM$START_USER_EMAIL_VERIFICATION('user'): sends a mail with a link, which nobody follows here by itself."""
    check_arity("SYSTEM$START_USER_EMAIL_VERIFICATION", arguments, 1, 1)
    user = statement.find("user", identifiers.parse_dotted(str(arguments[0])))
    if not user.properties.get("EMAIL"):
        raise errors.invalid_value(user.name, "user without EMAIL")
    return "Email verification has been sent to the user's email address."


context.NEEDS_STATEMENT["SYSTEM$SEND_EMAIL"] = send_email
context.NEEDS_STATEMENT["SYSTEM$START_USER_EMAIL_VERIFICATION"] = start_verification
