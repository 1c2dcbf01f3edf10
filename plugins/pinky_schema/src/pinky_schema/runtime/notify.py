"""Notifications of a client: into the notification centre first, by e-mail only for what the catalogue says.

The centre is the table NOTIFICATIONS of the client's schema, which a portal reads. Every event and key is told once:
calls with the same key, repeated or at once, find the row of the first. A transaction lock sees to that, for Snowflake
enforces no unique keys: each call first updates the one row of NOTIFICATION_LOCK and holds it until its row is written
(https://docs.snowflake.com/en/sql-reference/transactions). Whoever dies lets go of it.

Every change is in a transaction of its own, so that a caller's transaction, or AUTOCOMMIT = FALSE, undoes none of it. A
caller that has itself changed these tables in an open transaction waits for itself, which Snowflake ends as a deadlock.

E-mail is sent after the row is committed as SENDING, and the row marked afterwards. A call that dies in between leaves
SENDING; the next call with that key sends again once five minutes have passed, and so it does after NOT_SENT. So a mail
is sent at least once, and twice only where a call died after sending it: a second copy costs less than a failed payment
that nobody hears of.

`SYSTEM$SEND_EMAIL` reaches verified users of this very account and nobody else
(https://docs.snowflake.com/en/user-guide/notifications/email-notifications). Where it cannot be used the notification
stands in the centre as NOT_SENT, with the reason and what to do; that is no error.
"""

from __future__ import annotations

import difflib
import random
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from pinky_schema.runtime.database import as_json, changed_rows, decoded, rows_of, shortened, transaction

WAIT_SECONDS = 300
"""After this a mail that was about to be sent counts as not sent."""

ATTEMPTS = 5
"""How often a change is tried."""

_PASSING = re.compile(r"\b000(603|625)\b")
_COLUMNS = (
    "NOTIFICATION_ID, EVENT, EVENT_KEY, SEVERITY, TITLE, BODY, URL, PURPOSE, CHANNEL, STATUS, REASON, RECIPIENTS, "
    "PAYLOAD, CREATED_AT, EXPIRES_AT"
)


def notify(
    session: Any, settings: dict[str, Any], event: str, payload: dict[str, Any] | None, key: str | None
) -> dict[str, Any]:
    """Tell of an event once for each key; without a key each call is an event of its own.

    ``settings`` are ``schema``, ``events`` (the catalogue), ``retention_days`` and, for e-mail, ``email_integration``.
    ``payload`` may have ``message`` (the text), ``title`` and ``url``, which win over the catalogue and the contact.
    Returns ``id``, ``event``, ``key``, ``channel``, ``status``, ``reason`` and ``duplicate``; raises ValueError for an
    event that the catalogue does not have.
    """
    name = str(event).strip().upper()
    known = settings["events"].get(name)
    if known is None:
        near = difflib.get_close_matches(name, settings["events"], n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(settings['events']))}"
        raise ValueError(f"unknown event {event!r}; {hint}")
    given = _payload(payload)
    contact = _contact(session, settings["schema"], known["purpose"])
    row = _row(name, known, given, key, contact, settings)
    found: dict[str, Any] | None = _patiently(lambda: _written(session, settings, row))
    if found is not None:
        return found
    if row["status"] != "SENDING":
        return _told(row, duplicate=False)
    return _sent(session, settings, row)


def _payload(value: Any) -> dict[str, Any]:
    """What came with an event, whatever it is; all but an object is the message."""
    try:
        found = decoded(value)
    except ValueError:
        found = str(value)
    if found is None:
        return {}
    return dict(found) if isinstance(found, dict) else {"message": found if isinstance(found, str) else as_json(found)}


def _patiently(run: Callable[[], Any]) -> Any:
    """Again after a moment where more calls wait for the lock than Snowflake lets wait (625), or one was cut (603)."""
    for attempt in range(1, ATTEMPTS):
        try:
            return run()
        except Exception as error:
            if not _PASSING.search(str(error)):
                raise
            time.sleep(random.uniform(0.1, 0.5) * attempt)
    return run()


def _contact(session: Any, schema: str, purpose: str) -> dict[str, Any]:
    """Who is responsible, as it is at this moment, inherited contacts included; empty where nobody is.

    Where it cannot be read ``trouble`` says why: the notification is worth more than its address.
    """
    try:
        rows = rows_of(
            session,
            'SELECT EMAIL_DISTRIBUTION_LIST, URL, "USER" FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS('
            f"{_quoted_text(schema)}, 'SCHEMA')) WHERE PURPOSE = {_quoted_text(purpose)}",
        )
    except Exception as error:  # noqa: BLE001 - it is told in the row
        return {"trouble": f"the contact for {purpose} cannot be read: {shortened(error)[:1000]}"}
    if not rows:
        return {}
    return {"email": rows[0][0], "url": rows[0][1], "users": [row[2] for row in rows if row[2]]}


def _quoted_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _row(
    name: str,
    known: dict[str, Any],
    given: dict[str, Any],
    key: str | None,
    contact: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """The row to write: where it goes, and why not by e-mail where it should."""
    status, reason = "NEW", contact.get("trouble")
    if known["channel"] == "EMAIL":
        reason = _why_no_email(contact, known["purpose"], settings)
        status = "SENDING" if reason is None else "NOT_SENT"
    return {
        "id": str(uuid.uuid4()),
        "event": name,
        "key": key if key else str(uuid.uuid4()),
        "severity": known["severity"],
        "title": _text(given.get("title")) or known["title"],
        "body": _text(given.get("message")) or known["title"],
        "url": _link(given.get("url")) or contact.get("url"),
        "purpose": known["purpose"],
        "channel": known["channel"],
        "status": status,
        "reason": reason,
        "recipients": contact.get("email") if known["channel"] == "EMAIL" else None,
        "payload": given,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else as_json(value)


def _link(value: Any) -> str | None:
    """A page that a portal can link to; anything else stays in the payload alone."""
    return value if isinstance(value, str) and value.lower().startswith(("https://", "http://")) else None


def _why_no_email(contact: dict[str, Any], purpose: str, settings: dict[str, Any]) -> str | None:
    if not settings.get("email_integration"):
        return "no e-mail integration is set: give `email_integration` in the section notifications"
    if contact.get("trouble"):
        return str(contact["trouble"])
    if not contact:
        return f"the schema has no contact for {purpose}: add it to the section contacts"
    if contact.get("users"):
        return f"the contact for {purpose} is users, whose addresses a procedure cannot see: give its e-mail address"
    if not contact.get("email"):
        return f"the contact for {purpose} is reached by a URL: give it an e-mail address of a verified user"
    return None


def _written(session: Any, settings: dict[str, Any], row: dict[str, Any]) -> dict[str, Any] | None:
    """Write the row unless there is one of this event and key; None where it was written, or is to be sent again."""
    schema = settings["schema"]
    table, lock = f"{schema}.NOTIFICATIONS", f"{schema}.NOTIFICATION_LOCK"
    with transaction(session):
        changed_rows(
            session,
            f"MERGE INTO {lock} L USING (SELECT 1 AS ID) S ON L.ID = S.ID "
            "WHEN NOT MATCHED THEN INSERT (ID) VALUES (S.ID)",
        )
    with transaction(session):
        changed_rows(session, f"UPDATE {lock} SET HELD_AT = CURRENT_TIMESTAMP() WHERE ID = 1")
        changed_rows(session, f"DELETE FROM {table} WHERE EXPIRES_AT < CURRENT_TIMESTAMP()")
        there = rows_of(
            session,
            "SELECT NOTIFICATION_ID, CHANNEL, STATUS, REASON, "
            f"DATEDIFF(SECOND, CREATED_AT, CURRENT_TIMESTAMP()) FROM {table} WHERE EVENT = ? AND EVENT_KEY = ?",
            row["event"],
            row["key"],
        )
        if there:
            number, channel, status, reason, age = there[0]
            if number == row["id"]:
                return None  # it was committed after all
            row["id"] = number
            if status not in ("SENDING", "NOT_SENT") or int(age) < WAIT_SECONDS:
                return _told({**row, "channel": channel, "status": status, "reason": reason}, duplicate=True)
            changed_rows(
                session,
                f"UPDATE {table} SET CREATED_AT = CURRENT_TIMESTAMP(), STATUS = ?, REASON = ?, RECIPIENTS = ? "
                "WHERE NOTIFICATION_ID = ?",
                row["status"],
                row["reason"],
                row["recipients"],
                number,
            )
            return None
        changed_rows(
            session,
            f"INSERT INTO {table} ({_COLUMNS}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, PARSE_JSON(?), "
            "CURRENT_TIMESTAMP(), DATEADD(DAY, ?, CURRENT_TIMESTAMP())",
            *(row[name] for name in ("id", "event", "key", "severity", "title", "body", "url", "purpose", "channel")),
            *(row[name] for name in ("status", "reason", "recipients")),
            as_json(row["payload"]),
            int(settings["retention_days"]),
        )
    return None


def _sent(session: Any, settings: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Send the mail, and mark the row with what came of it."""
    try:
        rows_of(
            session,
            "CALL SYSTEM$SEND_EMAIL(?, ?, ?, ?)",
            settings["email_integration"],
            row["recipients"],
            " ".join(row["title"].split())[:256] or row["event"],  # a subject is one line
            row["body"],
        )
        status, reason = "SENT", None
    except Exception as error:  # noqa: BLE001 - whatever keeps the mail from going out, the centre has the notification
        remedy = (
            "The address must be a verified one of a user of this account, the integration enabled, and the owner must "
            "have USAGE on it. A call with the same key tries again after five minutes."
        )
        status, reason = "NOT_SENT", f"{shortened(error)[:1500]}. {remedy}"

    def mark() -> None:
        with transaction(session):
            changed_rows(
                session,
                f"UPDATE {settings['schema']}.NOTIFICATIONS SET STATUS = ?, REASON = ?, "
                "SENT_AT = IFF(? = 'SENT', CURRENT_TIMESTAMP(), NULL) WHERE NOTIFICATION_ID = ?",
                status,
                reason,
                status,
                row["id"],
            )

    _patiently(mark)
    return _told({**row, "status": status, "reason": reason}, duplicate=False)


def _told(row: dict[str, Any], *, duplicate: bool) -> dict[str, Any]:
    names = ("id", "event", "key", "channel", "status", "reason")
    return {**{name: row[name] for name in names}, "duplicate": duplicate}
