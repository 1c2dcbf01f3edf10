"""The manifest section ``notifications``: a client's notification centre and the procedure NOTIFY.

https://docs.snowflake.com/en/user-guide/notifications/email-notifications and
https://docs.snowflake.com/en/sql-reference/functions/get_contacts; what NOTIFY does: `pinky_schema.runtime.notify`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pinky_core import Expanded, Section, SectionContext, SectionError, SectionWord, parse_path, sql_path
from pinky_schema.notification_events import EVENTS, PURPOSES, SEVERITIES

__all__ = ["NOTIFICATIONS", "PROCEDURE", "notify"]

ORIGIN = "notifications"
PROCEDURE = "NOTIFY"
_TEXT = {"type": "string", "minLength": 1}
_SCHEMA: Mapping[str, Any] = {
    "type": ["object", "null"],
    "description": "The notification centre of the schema: the table NOTIFICATIONS and the procedure NOTIFY.",
    "additionalProperties": False,
    "properties": {
        "email_integration": {
            **_TEXT,
            "description": "Notification integration of TYPE = EMAIL for the three events that send a mail.",
        },
        "retention_days": {
            "type": "integer",
            "minimum": 1,
            "maximum": 3650,
            "description": "Days after which a notification is deleted. Default: 365.",
        },
        "events": {
            "type": "object",
            "description": "Events of your own by name; they go to the notification centre.",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["title"],
                "properties": {
                    "title": {**_TEXT, "description": "What a person reads."},
                    "purpose": {"enum": list(PURPOSES), "description": "Whose contact is shown. Default: SUPPORT."},
                    "severity": {"enum": list(SEVERITIES), "description": "How grave it is. Default: INFO."},
                },
            },
        },
    },
}
#: Name, type and meaning of the columns of the notification centre.
_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("NOTIFICATION_ID", "VARCHAR", "Id of the notification"),
    ("EVENT", "VARCHAR", "What happened, by the catalogue"),
    ("EVENT_KEY", "VARCHAR", "Each event and key is told once"),
    ("SEVERITY", "VARCHAR", "INFO, WARNING, ERROR or CRITICAL"),
    ("TITLE", "VARCHAR", "One line"),
    ("BODY", "VARCHAR", "The text"),
    ("URL", "VARCHAR", "Where to go: that of the contact for the purpose, unless the event brought one"),
    ("PURPOSE", "VARCHAR", "Whose affair it is: a purpose of contacts"),
    ("CHANNEL", "VARCHAR", "CENTRE, or EMAIL where a mail is sent besides"),
    ("STATUS", "VARCHAR", "NEW; for mails SENDING, SENT or NOT_SENT"),
    ("REASON", "VARCHAR", "Why no mail was sent, and what to do"),
    ("RECIPIENTS", "VARCHAR", "Where the mail went"),
    ("PAYLOAD", "VARIANT", "What the event brought"),
    ("CREATED_AT", "TIMESTAMP_LTZ(9)", "When it was written"),
    ("SENT_AT", "TIMESTAMP_LTZ(9)", "When the mail was handed to Snowflake"),
    ("READ_AT", "TIMESTAMP_LTZ(9)", "When somebody read it; the portal sets it"),
    ("READ_BY", "VARCHAR", "Who read it; the portal sets it"),
    ("EXPIRES_AT", "TIMESTAMP_LTZ(9)", "After this the next notification deletes it"),
)


def expand(value: Any, context: SectionContext) -> Iterator[Expanded]:
    """Two tables and a procedure; raises `SectionError`."""
    from pinky_schema.runtime_objects import python_of
    from pinky_schema.runtime_source import bundled
    from pinky_schema.stage_facts import facts_of

    options: Mapping[str, Any] = value or {}
    mistakes = list(_mistakes(options, context))
    if mistakes:
        raise SectionError(mistakes)
    for name, columns, comment in (
        ("NOTIFICATIONS", _COLUMNS, "The notification centre: what a portal shows"),
        ("NOTIFICATION_LOCK", _LOCK, "Held by a call of NOTIFY while it writes"),
    ):
        documents = [{"name": column, "type": kind, "comment": text} for column, kind, text in columns]
        yield Expanded("table", {"name": name, "columns": documents, "comment": comment}, ORIGIN)
    facts, _ = facts_of(context.variables, context.env)
    settings = json.dumps(_settings(options, context), sort_keys=True, ensure_ascii=True)
    body = bundled("notify") + _HANDLER.format(settings=settings)
    yield Expanded(
        "procedure",
        {
            "name": PROCEDURE,
            "arguments": [
                {"name": "EVENT", "type": "VARCHAR"},
                {"name": "PAYLOAD", "type": "VARIANT"},
                {"name": "EVENT_KEY", "type": "VARCHAR"},
            ],
            "returns": "VARIANT",
            "execute_as": "OWNER",
            "comment": "Tells of an event once: in the notification centre, and by e-mail where the catalogue says so",
            **python_of(body, "main", ["snowflake-snowpark-python"], facts),
        },
        ORIGIN,
    )


_LOCK = (("ID", "NUMBER(38,0)", "1"), ("HELD_AT", "TIMESTAMP_LTZ(9)", "When it was last taken"))
_HANDLER = """

SETTINGS = json.loads({settings!r})


def main(session, event, payload, event_key):
    return notify(session, SETTINGS, event, payload, event_key)
"""


def _mistakes(options: Mapping[str, Any], context: SectionContext) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if len(context.place.target) != 2:
        yield (), "notifications are those of one schema: give the manifest `scope: schema` and a target DB.SCHEMA"
    seen: set[str] = set()
    for name in options.get("events", {}):
        if name.upper() in seen:
            yield ("events", name), f"{name!r} is there already; case counts for nothing"
        seen.add(name.upper())
        if name.upper() in EVENTS:
            yield ("events", name), f"{name!r} is an event of the catalogue; choose another name"
        elif not name.replace("_", "").isalnum() or not name.isascii():
            yield ("events", name), f"{name!r} is no name of an event: letters, digits and _"
    integration = options.get("email_integration")
    if integration is not None:
        try:
            parts = parse_path(integration)
        except ValueError as error:
            yield ("email_integration",), str(error)
            return
        if len(parts) != 1:
            yield ("email_integration",), f"{integration!r} has {len(parts)} parts; an integration has one"


def _settings(options: Mapping[str, Any], context: SectionContext) -> dict[str, Any]:
    own = {
        name.upper(): {
            "channel": "CENTRE",
            "purpose": event.get("purpose", "SUPPORT"),
            "severity": event.get("severity", "INFO"),
            "title": event["title"],
        }
        for name, event in options.get("events", {}).items()
    }
    integration = options.get("email_integration")
    return {
        "schema": sql_path(context.place.target),
        "events": {name: dict(event) for name, event in EVENTS.items()} | own,
        "retention_days": options.get("retention_days", 365),
        "email_integration": None if integration is None else sql_path(parse_path(integration)),
    }


def notify(
    session: Any, event: str, *, schema: str, payload: Mapping[str, Any] | None = None, key: str | None = None
) -> dict[str, Any]:
    """Call NOTIFY of a schema, ``DB.SCHEMA``, with a Snowpark session. Values are bound, never written into the text.

    Returns what the procedure tells: ``id``, ``event``, ``key``, ``channel``, ``status``, ``reason``, ``duplicate``.
    Raises ValueError for a name that is none, and what Snowpark raises.
    """
    path = parse_path(schema)
    if len(path) != 2:
        raise ValueError(f"{schema!r}: expected DB.SCHEMA")
    values = [event, json.dumps(payload or {}, default=str), key]
    rows = session.sql(f"CALL {sql_path(path)}.{PROCEDURE}(?, PARSE_JSON(?), ?)", params=values).collect()
    found: dict[str, Any] = json.loads(rows[0][0])
    return found


def _words(_: Any) -> Iterator[SectionWord]:
    for name, event in EVENTS.items():
        where = "notification centre and e-mail" if event["channel"] == "EMAIL" else "notification centre"
        yield SectionWord(name, f"{event['title']} ({event['severity']}, {event['purpose']}): {where}", "pinky_schema")


NOTIFICATIONS = Section(
    key="notifications",
    schema=_SCHEMA,
    expand=expand,
    doc="The notification centre of a client: a table that a portal reads, and NOTIFY, which writes to it once for "
    "each event and key, and sends e-mail for three events.",
    words=_words,
)
