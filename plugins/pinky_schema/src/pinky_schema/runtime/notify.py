"""Notifications of a client: into the notification centre first, by e-mail only for what the catalogue says.

The centre is the table NOTIFICATIONS of the client's schema, which a portal reads. Every event and key is told once:
calls with the same key, repeated or at once, find the row of the first. A transaction lock sees to that, for Snowflake
enforces no unique keys: each call first updates the one row of NOTIFICATION_LOCK and holds it until its row is written
(https://docs.snowflake.com/en/sql-reference/transactions). Whoever dies lets go of it.

E-mail is sent after the row is committed as SENDING, and the row marked afterwards. A call that dies in between leaves
SENDING; the next call with that key sends again once five minutes have passed. So a mail is sent at least once, and
twice only where a call died after sending it: a second copy costs less than a failed payment that nobody hears of.

`SYSTEM$SEND_EMAIL` reaches verified users of this very account and nobody else
(https://docs.snowflake.com/en/user-guide/notifications/email-notifications). Where it cannot be used the notification
stands in the centre as NOT_SENT, with the reason and what to do; that is no error.
"""

from __future__ import annotations

import difflib
import uuid
from typing import Any

from pinky_schema.runtime.database import as_json, changed_rows, decoded, rows_of, shortened, transaction

WAIT_SECONDS = 300
"""After this a mail that was about to be sent counts as not sent."""

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
    given = dict(decoded(payload) or {})
    contact = _contact(session, settings["schema"], known["purpose"])
    row = _row(name, known, given, key, contact, settings)
    found = _written(session, settings, row)
    if found is not None:
        return found
    if row["status"] != "SENDING":
        return _told(row, duplicate=False)
    return _sent(session, settings, row)


def _contact(session: Any, schema: str, purpose: str) -> dict[str, Any]:
    """Who is responsible, as it is at this moment, inherited contacts included; empty where nobody is."""
    rows = rows_of(
        session,
        'SELECT EMAIL_DISTRIBUTION_LIST, URL, "USER" FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS('
        f"{_quoted_text(schema)}, 'SCHEMA')) WHERE PURPOSE = {_quoted_text(purpose)}",
    )
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
    status, reason = "NEW", None
    if known["channel"] == "EMAIL":
        reason = _why_no_email(contact, known["purpose"], settings)
        status = "SENDING" if reason is None else "NOT_SENT"
    return {
        "id": str(uuid.uuid4()),
        "event": name,
        "key": key if key else str(uuid.uuid4()),
        "severity": known["severity"],
        "title": str(given.get("title") or known["title"]),
        "body": str(given.get("message") or known["title"]),
        "url": given.get("url") or contact.get("url"),
        "purpose": known["purpose"],
        "channel": known["channel"],
        "status": status,
        "reason": reason,
        "recipients": contact.get("email") if known["channel"] == "EMAIL" else None,
        "payload": given,
    }


def _why_no_email(contact: dict[str, Any], purpose: str, settings: dict[str, Any]) -> str | None:
    if not settings.get("email_integration"):
        return "no e-mail integration is set: give `email_integration` in the section notifications"
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
    changed_rows(
        session,
        f"MERGE INTO {lock} L USING (SELECT 1 AS ID) S ON L.ID = S.ID WHEN NOT MATCHED THEN INSERT (ID) VALUES (S.ID)",
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
            row["id"] = number
            if status != "SENDING" or int(age) < WAIT_SECONDS:
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
        remedy = "the address must be a verified one of a user of this account, and the owner needs USAGE"
        status, reason = "NOT_SENT", f"{shortened(error)[:1500]} ({remedy} on the integration)"
    changed_rows(
        session,
        f"UPDATE {settings['schema']}.NOTIFICATIONS SET STATUS = ?, REASON = ?, "
        "SENT_AT = IFF(? = 'SENT', CURRENT_TIMESTAMP(), NULL) WHERE NOTIFICATION_ID = ?",
        status,
        reason,
        status,
        row["id"],
    )
    return _told({**row, "status": status, "reason": reason}, duplicate=False)


def _told(row: dict[str, Any], *, duplicate: bool) -> dict[str, Any]:
    names = ("id", "event", "key", "channel", "status", "reason")
    return {**{name: row[name] for name in names}, "duplicate": duplicate}
