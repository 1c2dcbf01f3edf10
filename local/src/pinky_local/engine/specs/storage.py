"""Stage, file format, sequence, secret, tag, and the storage integration that a stage may name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT
from pinky_local.engine.specs.file_formats import OPTIONS, default_of, read_format

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"
_TERSE = ("created_on", "name", "kind", "database_name", "schema_name")

# stage -----------------------------------------------------------------------------------------------------------

_CREDENTIALS = ("AWS_KEY_ID", "AWS_SECRET_KEY", "AWS_TOKEN", "AWS_ROLE", "AZURE_SAS_TOKEN")
_ENCRYPTION = (
    "SNOWFLAKE_FULL", "SNOWFLAKE_SSE", "AWS_CSE", "AWS_SSE_S3", "AWS_SSE_KMS", "GCS_SSE_KMS", "AZURE_CSE", "NONE",
)  # fmt: skip
_CLOUDS = {"s3": "AWS", "s3china": "AWS", "s3gov": "AWS", "s3compat": "AWS", "gcs": "GCP", "azure": "AZURE"}


def is_external(item: CatalogObject) -> bool:
    """Whether a stage has a URL."""
    return bool(item.properties.get("URL"))


def stage_type(_: Statement, item: CatalogObject) -> str:
    """The column ``type``: NO CSE says that an internal stage has server-side encryption only."""
    words = ["EXTERNAL" if is_external(item) else "INTERNAL"]
    if not is_external(item) and (item.properties.get("ENCRYPTION") or {}).get("TYPE") == "SNOWFLAKE_SSE":
        words.append("NO CSE")
    return " ".join(words)


def stage_cloud(_: Statement, item: CatalogObject) -> str | None:
    """AWS, GCP or AZURE by the scheme of the URL; nothing for an internal stage."""
    return _CLOUDS.get(str(item.properties["URL"]).partition(":")[0]) if is_external(item) else None


def _flag(name: str) -> Any:
    return lambda _, item: columns.yes(item.properties.get(name))


STAGE = ObjectType(
    kind="stage",
    words="STAGE",
    plural="STAGES",
    container="schema",
    modifiers=("TEMPORARY",),
    properties=(
        Property("URL", values.text(), unsettable=False),
        Property("STORAGE_INTEGRATION", values.reference("storage_integration"), unsettable=False),
        Property("CREDENTIALS", values.group(*(Property(n, values.text()) for n in _CREDENTIALS)), unsettable=False),
        Property(
            "ENCRYPTION",
            values.group(
                Property("TYPE", values.keyword(*_ENCRYPTION)),
                Property("MASTER_KEY", values.text()),
                Property("KMS_KEY_ID", values.text()),
            ),
            unsettable=False,
        ),
        Property("ENDPOINT", values.text(), create_only=True),
        Property("AWS_ACCESS_POINT_ARN", values.text(), unsettable=False),
        Property("USE_PRIVATELINK_ENDPOINT", values.boolean(), unsettable=False),
        Property(
            "DIRECTORY",
            values.group(
                Property("ENABLE", values.boolean()),
                Property("AUTO_REFRESH", values.boolean()),
                Property("REFRESH_ON_CREATE", values.boolean()),
                Property("NOTIFICATION_INTEGRATION", values.identifier()),
                Property("AWS_SNS_TOPIC", values.text()),
            ),
            unsettable=False,
        ),
        Property("FILE_FORMAT", read_format, unsettable=False),
        Property("COMMENT", values.text(), unsettable=False),
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        ShowColumn("url", columns.declared("URL", empty="")),
        ShowColumn("has_credentials", _flag("CREDENTIALS")),
        ShowColumn(
            "has_encryption_key", lambda _, i: columns.yes((i.properties.get("ENCRYPTION") or {}).get("MASTER_KEY"))
        ),
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("region", columns.fixed(None)),
        ShowColumn("type", stage_type),
        ShowColumn("cloud", stage_cloud),
        ShowColumn("notification_channel", columns.fixed(None)),
        ShowColumn("storage_integration", columns.declared("STORAGE_INTEGRATION")),
        ShowColumn("endpoint", columns.declared("ENDPOINT")),
        columns.OWNER_ROLE_TYPE,
        ShowColumn("directory_enabled", lambda _, i: columns.yes((i.properties.get("DIRECTORY") or {}).get("ENABLE"))),
    ),
    terse=_TERSE,
    privileges=("READ", "USAGE", "WRITE"),
    show_limit=False,
    silent_ceiling=True,
    citation=_DOCS + "create-stage",
)

# file format -----------------------------------------------------------------------------------------------------


def _format_options(_: Statement, item: CatalogObject) -> str:
    """Every option of the format type, with its default where nothing else was given."""
    kind = str(item.properties.get("TYPE", "CSV"))
    known = [name for name, option in OPTIONS.items() if kind in option.formats]
    return json.dumps({"TYPE": kind, **{name: item.properties.get(name, default_of(name, kind)) for name in known}})


FILE_FORMAT = ObjectType(
    kind="file_format",
    words="FILE FORMAT",
    plural="FILE FORMATS",
    container="schema",
    modifiers=("TEMPORARY",),
    properties=(
        Property("TYPE", values.keyword("CSV", "JSON", "AVRO", "ORC", "PARQUET", "XML"), unsettable=False),
        *(Property(name, option.read, unsettable=False) for name, option in OPTIONS.items()),
        COMMENT,
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        ShowColumn("type", lambda _, item: str(item.properties.get("TYPE", "CSV"))),
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("format_options", _format_options),
        columns.OWNER_ROLE_TYPE,
    ),
    privileges=("USAGE",),
    show_limit=False,
    silent_ceiling=True,
    title="File format",
    citation=_DOCS + "create-file-format",
)

# sequence --------------------------------------------------------------------------------------------------------

SEQUENCE = ObjectType(
    kind="sequence",
    words="SEQUENCE",
    plural="SEQUENCES",
    container="schema",
    properties=(COMMENT,),
    show=(
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        ShowColumn("next_value", lambda _, item: item.state.get("start", 1), "fixed"),
        ShowColumn("interval", lambda _, item: item.state.get("increment", 1), "fixed"),
        columns.CREATED_ON,
        columns.OWNER,
        columns.COMMENT,
        columns.OWNER_ROLE_TYPE,
        ShowColumn("ordered", lambda _, item: columns.yes(item.state.get("ordered"))),
    ),
    privileges=("USAGE",),
    or_alter=False,
    citation=_DOCS + "create-sequence",
)

# secret ----------------------------------------------------------------------------------------------------------

SECRET_TYPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "PASSWORD": (("USERNAME", "PASSWORD"), ()),
    "GENERIC_STRING": (("SECRET_STRING",), ()),
    "OAUTH2": (("API_AUTHENTICATION",), ("OAUTH_SCOPES", "OAUTH_REFRESH_TOKEN", "OAUTH_REFRESH_TOKEN_EXPIRY_TIME")),
    "CLOUD_PROVIDER_TOKEN": (("API_AUTHENTICATION",), ("ENABLED",)),
    "SYMMETRIC_KEY": (("ALGORITHM",), ()),
    "WORKLOAD_IDENTITY_FEDERATION": ((), ()),
}
"""Properties a type requires and those it may have besides COMMENT."""

WRITE_ONLY = ("PASSWORD", "SECRET_STRING", "OAUTH_REFRESH_TOKEN")
"""Values that are taken and never shown."""


def _scopes(_: Statement, item: CatalogObject) -> str | None:
    scopes = item.properties.get("OAUTH_SCOPES")
    return None if scopes is None else "[" + ", ".join(scopes) + "]"


def _issuer(_: Statement, item: CatalogObject) -> str | None:
    """Who vouches for the workload; the address is made up, as this account issues no tokens."""
    return "https://pinky-local.invalid" if item.properties["TYPE"] == "WORKLOAD_IDENTITY_FEDERATION" else None


def _subject(statement: Statement, item: CatalogObject) -> str | None:
    federated = item.properties["TYPE"] == "WORKLOAD_IDENTITY_FEDERATION"
    return f"{statement.account.name}:{item.number}" if federated else None


_SECRET_SHOWN = (
    columns.CREATED_ON,
    columns.NAME,
    columns.SCHEMA_NAME,
    columns.DATABASE_NAME,
    columns.OWNER,
    ShowColumn("comment", columns.declared("COMMENT")),
    ShowColumn("secret_type", lambda _, item: str(item.properties["TYPE"])),
)

SECRET = ObjectType(
    kind="secret",
    words="SECRET",
    plural="SECRETS",
    container="schema",
    properties=(
        Property("TYPE", values.keyword(*SECRET_TYPES), required=True, create_only=True),
        Property("USERNAME", values.text(), unsettable=False),
        Property("PASSWORD", values.text(), unsettable=False),
        Property("SECRET_STRING", values.text(), unsettable=False),
        Property("OAUTH_SCOPES", values.text_list(), unsettable=False),
        Property("OAUTH_REFRESH_TOKEN", values.text(), unsettable=False),
        Property("OAUTH_REFRESH_TOKEN_EXPIRY_TIME", values.text(), unsettable=False),
        Property("API_AUTHENTICATION", values.missing("Integration"), unsettable=False),
        Property("ENABLED", values.boolean(), unsettable=False),
        Property("ALGORITHM", values.keyword("GENERIC"), create_only=True),
        COMMENT,
    ),
    show=(*_SECRET_SHOWN, ShowColumn("oauth_scopes", _scopes), columns.OWNER_ROLE_TYPE),
    describe=(
        *_SECRET_SHOWN,
        ShowColumn("username", columns.declared("USERNAME")),
        ShowColumn("oauth_access_token_expiry_time", columns.fixed(None), "timestamp_ltz"),
        ShowColumn("oauth_refresh_token_expiry_time", columns.declared("OAUTH_REFRESH_TOKEN_EXPIRY_TIME")),
        ShowColumn("oauth_scopes", _scopes),
        ShowColumn("integration_name", columns.declared("API_AUTHENTICATION")),
        ShowColumn("algorithm", columns.declared("ALGORITHM")),
        ShowColumn("key_length", lambda _, item: 256 if item.properties.get("ALGORITHM") else None, "fixed"),
        ShowColumn("workload_identity_federation_issuer", _issuer),
        ShowColumn("workload_identity_federation_subject", _subject),
    ),
    privileges=("READ", "USAGE"),
    or_alter=False,
    rename=False,
    show_limit=False,
    silent_ceiling=True,
    citation=_DOCS + "create-secret",
)

# tag -------------------------------------------------------------------------------------------------------------


def _allowed(_: Statement, item: CatalogObject) -> str | None:
    allowed = item.properties.get("ALLOWED_VALUES")
    return None if allowed is None else json.dumps(allowed, separators=(",", ":"))


def _on_conflict(statement: Statement, name: str) -> str:
    """A value in quotes, or ALLOWED_VALUES_SEQUENCE; MERGE is for tags with several values, which are not here."""
    if statement.tokens.at_string():
        return statement.tokens.string()
    if not statement.tokens.accept("ALLOWED_VALUES_SEQUENCE"):
        raise errors.invalid_value(statement.tokens.token.value, name)
    return "ALLOWED_VALUES_SEQUENCE"


def _multi_value(_: Statement, name: str) -> bool:
    raise errors.unsupported(f"{name} on TAG")


_PROPAGATION = ("ON_DEPENDENCY_AND_DATA_MOVEMENT", "ON_DEPENDENCY", "ON_DATA_MOVEMENT")

TAG = ObjectType(
    kind="tag",
    words="TAG",
    plural="TAGS",
    container="schema",
    properties=(
        Property("ALLOWED_VALUES", values.text_list()),
        Property("PROPAGATE", values.keyword(*_PROPAGATION)),
        Property("ON_CONFLICT", _on_conflict),
        Property("MULTI_VALUE", _multi_value, unsettable=False),
        COMMENT,
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("allowed_values", _allowed),
        columns.OWNER_ROLE_TYPE,
        ShowColumn("propagate", columns.declared("PROPAGATE", empty="NONE")),
        ShowColumn("on_conflict", columns.declared("ON_CONFLICT")),
    ),
    privileges=("APPLY", "READ"),
    tags=False,
    undrop=True,
    citation=_DOCS + "create-tag",
    guesses=("a dropped tag can come back for one day",),
)

# storage integration ---------------------------------------------------------------------------------------------


def _integration_type(statement: Statement, name: str) -> str:
    """EXTERNAL_STAGE; the two for Snowflake Postgres are refused by name."""
    token = statement.tokens.token
    if token.value.upper() in ("POSTGRES_EXTERNAL_STORAGE", "POSTGRES_INTERNAL_STORAGE"):
        raise errors.unsupported(f"STORAGE INTEGRATION with TYPE = {token.value.upper()}")
    return str(values.keyword("EXTERNAL_STAGE")(statement, name))


STORAGE_INTEGRATION = ObjectType(
    kind="storage_integration",
    words="STORAGE INTEGRATION",
    synonyms=("INTEGRATION",),
    plural="STORAGE INTEGRATIONS",
    container="account",
    space="integration",
    create_privilege="CREATE INTEGRATION",
    properties=(
        Property("TYPE", _integration_type, required=True, create_only=True),
        Property(
            "STORAGE_PROVIDER",
            values.keyword("S3", "S3CHINA", "S3GOV", "GCS", "AZURE"),
            required=True,
            create_only=True,
        ),
        Property("ENABLED", values.boolean(), default=True, required=True),
        Property("STORAGE_AWS_ROLE_ARN", values.text(), unsettable=False),
        # The page lists no UNSET for these two; Snowflake's Terraform provider sends it and tests that it works.
        Property("STORAGE_AWS_EXTERNAL_ID", values.text()),
        Property("STORAGE_AWS_OBJECT_ACL", values.keyword("bucket-owner-full-control")),
        Property("AZURE_TENANT_ID", values.text(), unsettable=False),
        Property("USE_PRIVATELINK_ENDPOINT", values.boolean(), unsettable=False),
        Property("STORAGE_ALLOWED_LOCATIONS", values.text_list(), required=True, unsettable=False),
        Property("STORAGE_BLOCKED_LOCATIONS", values.text_list()),
        COMMENT,
    ),
    show=(
        columns.NAME,
        ShowColumn("type", columns.declared("TYPE")),
        ShowColumn("category", columns.fixed("STORAGE")),
        ShowColumn("enabled", lambda _, item: "true" if item.properties.get("ENABLED", True) else "false"),
        columns.COMMENT,
        columns.CREATED_ON,
    ),
    privileges=("USAGE", "USE_ANY_ROLE"),
    or_alter=False,
    rename=False,
    show_limit=False,
    title="Integration",
    citation=_DOCS + "create-storage-integration",
    guesses=("what DESCRIBE says of the cloud's side (users, service accounts, consent) is made up",),
)

TYPES = (STAGE, FILE_FORMAT, SEQUENCE, SECRET, TAG, STORAGE_INTEGRATION)
