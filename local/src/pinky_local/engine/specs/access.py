"""Network rule, external access integration, event table.

https://docs.snowflake.com/en/sql-reference/sql/create-network-rule, create-external-access-integration,
create-event-table and the pages for ALTER, SHOW and DESCRIBE beside them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.lexer import WORD
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT, parameter_properties

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"
TYPES_OF_RULE = (
    "IPV4", "IPV6", "AWSVPCEID", "AZURELINKID", "GCPPSCID", "HOST_PORT", "PRIVATE_HOST_PORT", "COMPUTE_POOL",
)  # fmt: skip
MODES = ("INGRESS", "INTERNAL_STAGE", "SNOWFLAKE_MANAGED_STORAGE_VOLUME", "EGRESS")


def _count(_: Statement, item: CatalogObject) -> int:
    return len(item.properties.get("VALUE_LIST") or ())


NETWORK_RULE = ObjectType(
    kind="network_rule",
    words="NETWORK RULE",
    plural="NETWORK RULES",
    container="schema",
    properties=(
        Property("TYPE", values.keyword(*TYPES_OF_RULE), required=True, create_only=True),
        Property("VALUE_LIST", values.text_list(), required=True),
        Property("MODE", values.keyword(*MODES), default="INGRESS", create_only=True),
        COMMENT,
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("type", columns.declared("TYPE")),
        ShowColumn("mode", columns.declared("MODE")),
        ShowColumn("entries_in_valuelist", _count, "fixed"),
        columns.OWNER_ROLE_TYPE,
    ),
    describe=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("type", columns.declared("TYPE")),
        ShowColumn("mode", columns.declared("MODE")),
        ShowColumn("value_list", lambda _, item: ",".join(item.properties.get("VALUE_LIST") or ())),
    ),
    if_not_exists=False,
    rename=False,
    silent_ceiling=True,
    citation=_DOCS + "create-network-rule",
)


def _names(kind: str, *words: str) -> Any:
    """(a, db.s.b) of existing objects as full names, or one of some words."""

    def read(statement: Statement, name: str) -> list[str]:
        tokens = statement.tokens
        if tokens.token.kind == WORD and tokens.token.value in words:
            return [tokens.any_word().lower()]
        found = values.name_list()(statement, name)
        full = []
        for text in found:
            parts = identifiers.parse_dotted(text)
            statement.deferred_checks.append(partial(statement.find, kind, parts))
            full.append(identifiers.dotted(statement.qualified(kind, parts)))
        return full

    return read


def _no_integrations(statement: Statement, name: str) -> list[str]:
    if statement.tokens.accept("NONE"):
        return ["none"]
    return list(values.missing("Integration")(statement, name))


EXTERNAL_ACCESS_INTEGRATION = ObjectType(
    kind="external_access_integration",
    words="EXTERNAL ACCESS INTEGRATION",
    plural="EXTERNAL ACCESS INTEGRATIONS",
    container="account",
    space="integration",
    create_privilege="CREATE INTEGRATION",
    properties=(
        Property("ALLOWED_NETWORK_RULES", _names("network_rule"), required=True),
        Property("ALLOWED_API_AUTHENTICATION_INTEGRATIONS", _no_integrations),
        Property("ALLOWED_AUTHENTICATION_SECRETS", _names("secret", "ALL", "NONE")),
        Property("ENABLED", values.boolean(), required=True, unsettable=False),
        COMMENT,
    ),
    show=(
        columns.NAME,
        ShowColumn("type", columns.fixed("EXTERNAL_ACCESS")),
        ShowColumn("category", columns.fixed("EXTERNAL_ACCESS")),
        ShowColumn("enabled", lambda _, item: "true" if item.properties.get("ENABLED") else "false"),
        columns.COMMENT,
        columns.CREATED_ON,
    ),
    privileges=("USAGE", "USE_ANY_ROLE"),
    or_alter=False,
    if_not_exists=False,
    rename=False,
    show_limit=False,
    title="Integration",
    citation=_DOCS + "create-external-access-integration",
    guesses=("the types and defaults in DESCRIBE", "the category in SHOW"),
)

EVENT_TABLE = ObjectType(
    kind="event_table",
    words="EVENT TABLE",
    plural="EVENT TABLES",
    container="schema",
    space="relation",
    properties=(
        Property("CHANGE_TRACKING", values.boolean(), default=False),
        Property("COMMENT", values.text()),
        *parameter_properties("table"),
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        columns.OWNER_ROLE_TYPE,
    ),
    terse=("created_on", "name", "database_name", "schema_name"),
    privileges=("APPLYBUDGET", "DELETE", "REFERENCES", "SELECT", "TRUNCATE"),
    or_alter=False,
    citation=_DOCS + "create-event-table",
    guesses=("an event table has no rows here, and cannot be queried",),
)


def check_rule(_: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise for a mode that does not go with the type."""
    del given
    kind, mode = str(item.properties["TYPE"]), str(item.properties.get("MODE", "INGRESS"))
    wanted = {"HOST_PORT": "EGRESS", "PRIVATE_HOST_PORT": "EGRESS", "COMPUTE_POOL": "INGRESS", "IPV6": "INGRESS"}
    if wanted.get(kind, mode) != mode:
        raise errors.invalid_value(mode, f"MODE of a network rule of type {kind}")


TYPES = (NETWORK_RULE, EXTERNAL_ACCESS_INTEGRATION, EVENT_TABLE)
