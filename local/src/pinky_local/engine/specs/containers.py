"""Containers and what sits directly in a database: database, schema, database role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_local.engine import show_columns as columns
from pinky_local.engine import values
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT, parameter_properties

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"


def _options(_: Statement, item: CatalogObject) -> str:
    """TRANSIENT and MANAGED ACCESS, separated by a comma."""
    found = [word for word, key in (("TRANSIENT", "TRANSIENT"), ("MANAGED ACCESS", "MANAGED")) if item.state.get(key)]
    return ", ".join(found)


_CHILD_COLUMNS = (
    ShowColumn("created_on", lambda _, item: item.created_on, "timestamp_ltz"),
    ShowColumn("name", lambda _, item: item.name),
    ShowColumn("kind", lambda s, item: s.spec(item).words),
)

_SHARED = (
    Property("OBJECT_VISIBILITY", values.keyword("PRIVILEGED")),
    Property("OAUTH_AUTHORIZATION_SERVER", values.missing("Integration")),
    Property("OAUTH_SCOPES_SUPPORTED", values.text()),
    Property("REPLICABLE_WITH_FAILOVER_GROUPS", values.keyword("YES", "NO"), alter_only=True),
    Property("BASE_LOCATION_PREFIX", values.text(), alter_only=True),
)

DATABASE = ObjectType(
    kind="database",
    words="DATABASE",
    plural="DATABASES",
    container="account",
    modifiers=("TRANSIENT",),
    properties=(
        COMMENT,
        *_SHARED,
        Property("CATALOG_SYNC_NAMESPACE_MODE", values.keyword("NEST", "FLATTEN"), create_only=True),
        Property("CATALOG_SYNC_NAMESPACE_FLATTEN_DELIMITER", values.text(), create_only=True),
        Property("EVENT_TABLE", values.missing("Table")),
        Property("CLASSIFICATION_PROFILE", values.text(), alter_only=True),
        *parameter_properties("database"),
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.IS_DEFAULT,
        columns.IS_CURRENT,
        ShowColumn("origin", columns.fixed("")),
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("options", _options),
        ShowColumn("retention_time", columns.retention_time),
        ShowColumn("kind", columns.fixed("STANDARD")),
        columns.OWNER_ROLE_TYPE,
        ShowColumn("object_visibility", columns.declared("OBJECT_VISIBILITY")),
        ShowColumn("data_quality_monitoring_settings", columns.fixed(None)),
    ),
    terse=("created_on", "name", "kind", "database_name", "schema_name"),
    describe=_CHILD_COLUMNS,
    privileges=("APPLYBUDGET", "CREATE DATABASE ROLE", "CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE"),
    undrop=True,
    swap=True,
    clone=True,
    citation=_DOCS + "create-database",
)

_CREATABLE = (
    "AGENT", "AGGREGATION POLICY", "ALERT", "APPLICATION SERVICE", "ARTIFACT REPOSITORY", "AUTHENTICATION POLICY",
    "CONTACT", "CORTEX SEARCH SERVICE", "DATA METRIC FUNCTION", "DATASET", "DBT PROJECT", "DYNAMIC TABLE",
    "EVENT TABLE", "EXPERIMENT", "EXTERNAL TABLE", "FILE FORMAT", "FUNCTION", "GATEWAY", "GIT REPOSITORY",
    "HYBRID TABLE", "ICEBERG TABLE", "IMAGE REPOSITORY", "INTERACTIVE TABLE", "MASKING POLICY", "MATERIALIZED VIEW",
    "MCP SERVER", "MODEL", "NETWORK RULE", "NOTEBOOK", "ONLINE FEATURE TABLE", "PACKAGES POLICY", "PASSWORD POLICY",
    "PIPE", "PRIVACY POLICY", "PROCEDURE", "PROJECTION POLICY", "ROW ACCESS POLICY", "SECRET", "SEMANTIC VIEW",
    "SEQUENCE", "SERVICE", "SESSION POLICY", "SNAPSHOT", "SNAPSHOT POLICY", "SNAPSHOT SET", "STAGE",
    "STORAGE LIFECYCLE POLICY", "STREAM", "STREAMLIT", "TABLE", "TAG", "TASK", "TYPE", "VIEW", "WORKSPACE",
)  # fmt: skip

SCHEMA = ObjectType(
    kind="schema",
    words="SCHEMA",
    plural="SCHEMAS",
    container="database",
    modifiers=("TRANSIENT",),
    properties=(
        Property("CLASSIFICATION_PROFILE", values.text()),
        COMMENT,
        *_SHARED,
        *parameter_properties("schema"),
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.IS_DEFAULT,
        columns.IS_CURRENT,
        columns.DATABASE_NAME,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("options", _options),
        ShowColumn("retention_time", columns.retention_time),
        columns.OWNER_ROLE_TYPE,
        ShowColumn("classification_profile_database", columns.fixed(None)),
        ShowColumn("classification_profile_schema", columns.fixed(None)),
        ShowColumn("classification_profile", columns.declared("CLASSIFICATION_PROFILE")),
        ShowColumn("object_visibility", columns.declared("OBJECT_VISIBILITY")),
        ShowColumn("is_nested", columns.fixed("N")),
    ),
    terse=("created_on", "name", "kind", "database_name", "schema_name"),
    describe=_CHILD_COLUMNS,
    privileges=(
        "ADD SEARCH OPTIMIZATION",
        "APPLYBUDGET",
        *(f"CREATE {words}" for words in _CREATABLE),
        "MODIFY",
        "MONITOR",
        "USAGE",
    ),
    undrop=True,
    swap=True,
    clone=True,
    citation=_DOCS + "create-schema",
)


def _granted_to(kind: str) -> ShowColumn:
    def count(statement: Statement, item: CatalogObject) -> int:
        held = statement.catalog.members.get(item.number, {})
        return sum(1 for to in held if statement.catalog.objects[to].kind == kind)

    return ShowColumn("granted_to_roles" if kind == "role" else "granted_to_database_roles", count, "fixed")


DATABASE_ROLE = ObjectType(
    kind="database_role",
    words="DATABASE ROLE",
    plural="DATABASE ROLES",
    container="database",
    properties=(COMMENT,),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        ShowColumn("is_default", columns.fixed("N")),
        ShowColumn("is_current", columns.fixed("N")),
        ShowColumn("is_inherited", lambda s, item: columns.yes(item.number in s.roles)),
        _granted_to("role"),
        _granted_to("database_role"),
        ShowColumn("granted_database_roles", lambda s, item: len(s.catalog.memberships.get(item.number, {})), "fixed"),
        columns.OWNER,
        columns.COMMENT,
        columns.OWNER_ROLE_TYPE,
    ),
    privileges=("USAGE",),
    title="Database role",
    citation=_DOCS + "create-database-role",
)

TYPES = (DATABASE, SCHEMA, DATABASE_ROLE)
