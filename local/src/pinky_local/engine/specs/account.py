"""Account level types: role, user, warehouse, resource monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinky_local.engine import show_columns as columns
from pinky_local.engine import values
from pinky_local.engine.parameters import PARAMETERS, applies
from pinky_local.engine.parameters import read as read_parameter
from pinky_local.engine.spec import Getter, ObjectType, Property, ShowColumn

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"


def parameter_properties(level: str, *names: str) -> tuple[Property, ...]:
    """The parameters an object type takes as properties; all that apply to it when no names are given."""
    chosen = names or tuple(name for name, parameter in PARAMETERS.items() if applies(parameter, level))
    return tuple(
        Property(name, lambda statement, key: read_parameter(statement, key, level), parameter=True) for name in chosen
    )


COMMENT = Property("COMMENT", values.text())

# role ------------------------------------------------------------------------------------------------------------


def _members(kind: str, statement: Statement, item: CatalogObject) -> int:
    catalog = statement.catalog
    return sum(1 for to in catalog.members.get(item.number, {}) if catalog.objects[to].kind == kind)


def _is_inherited(statement: Statement, item: CatalogObject) -> str:
    return columns.yes(item.number in statement.roles and item.name != statement.session.role)


ROLE = ObjectType(
    kind="role",
    words="ROLE",
    plural="ROLES",
    container="account",
    properties=(COMMENT,),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.IS_DEFAULT,
        columns.IS_CURRENT,
        ShowColumn("is_inherited", _is_inherited),
        ShowColumn("assigned_to_users", lambda s, item: _members("user", s, item), "fixed"),
        ShowColumn("granted_to_roles", lambda s, item: _members("role", s, item), "fixed"),
        ShowColumn("granted_roles", lambda s, item: len(s.catalog.memberships.get(item.number, {})), "fixed"),
        columns.OWNER,
        columns.COMMENT,
    ),
    terse=("created_on", "name", "kind", "database_name", "schema_name"),
    privileges=("USAGE",),
    citation=_DOCS + "create-role",
    guesses=("every role sees every role",),
)

# user ------------------------------------------------------------------------------------------------------------

_USER_TEXTS = ("DISPLAY_NAME", "FIRST_NAME", "MIDDLE_NAME", "LAST_NAME", "EMAIL")
_USER_TYPES = ("PERSON", "SERVICE", "SERVICE_AGENT", "LEGACY_SERVICE")
_INTERFACES = ("ALL", "SNOWFLAKE_INTELLIGENCE", "STREAMLIT")
NOT_OF_SERVICES = (
    "FIRST_NAME", "MIDDLE_NAME", "LAST_NAME", "PASSWORD", "MUST_CHANGE_PASSWORD", "MINS_TO_BYPASS_MFA",
)  # fmt: skip
"""Properties that users of type SERVICE and SERVICE_AGENT cannot have."""

_IDENTITY = values.group(
    Property("TYPE", values.keyword("AWS", "AZURE", "GCP", "OIDC")),
    *(Property(name, values.text()) for name in ("ARN", "ISSUER", "SUBJECT")),
    Property("OIDC_AUDIENCE_LIST", values.text_list()),
)


def _number(name: str) -> Getter:
    """A property that counts down, as text; here it stands still."""
    return lambda _, item: None if item.properties.get(name) is None else str(item.properties[name])


USER = ObjectType(
    kind="user",
    words="USER",
    plural="USERS",
    container="account",
    properties=(
        Property("PASSWORD", values.text(256)),
        Property("LOGIN_NAME", values.text(), unsettable=False),
        *(Property(name, values.text()) for name in _USER_TEXTS),
        Property("MUST_CHANGE_PASSWORD", values.boolean(), default=False),
        Property("DISABLED", values.boolean(), default=False),
        Property("ALLOWED_INTERFACES", values.words(*_INTERFACES), default=["ALL"]),
        Property("DAYS_TO_EXPIRY", values.integer(0, null=True)),
        Property("MINS_TO_UNLOCK", values.integer(0, null=True)),
        Property("MINS_TO_BYPASS_MFA", values.integer(0, null=True)),
        Property("DEFAULT_WAREHOUSE", values.identifier()),
        Property("DEFAULT_NAMESPACE", values.identifier()),
        Property("DEFAULT_ROLE", values.identifier()),
        Property("DEFAULT_SECONDARY_ROLES", values.text_list(), default=["ALL"]),
        Property("TYPE", values.keyword(*_USER_TYPES, aliases={"NULL": "PERSON"}), default="PERSON"),
        Property("WORKLOAD_IDENTITY", _IDENTITY),
        Property("RSA_PUBLIC_KEY", values.text()),
        Property("RSA_PUBLIC_KEY_2", values.text()),
        COMMENT,
        *parameter_properties("user"),
    ),
    show=(
        columns.NAME,
        columns.CREATED_ON,
        ShowColumn("login_name", lambda _, item: item.properties.get("LOGIN_NAME") or item.name),
        ShowColumn("display_name", lambda _, item: item.properties.get("DISPLAY_NAME") or item.name),
        ShowColumn("first_name", columns.declared("FIRST_NAME")),
        ShowColumn("last_name", columns.declared("LAST_NAME")),
        ShowColumn("email", columns.declared("EMAIL")),
        ShowColumn("mins_to_unlock", _number("MINS_TO_UNLOCK")),
        ShowColumn("days_to_expiry", _number("DAYS_TO_EXPIRY")),
        columns.COMMENT,
        ShowColumn("disabled", lambda _, item: _lower(item.properties.get("DISABLED", False))),
        ShowColumn("must_change_password", lambda _, item: _lower(item.properties.get("MUST_CHANGE_PASSWORD", False))),
        ShowColumn("snowflake_lock", columns.fixed("false")),
        ShowColumn("default_warehouse", columns.declared("DEFAULT_WAREHOUSE")),
        ShowColumn("default_namespace", columns.declared("DEFAULT_NAMESPACE")),
        ShowColumn("default_role", columns.declared("DEFAULT_ROLE")),
        ShowColumn("default_secondary_roles", lambda _, item: _secondary(item)),
        ShowColumn("ext_authn_duo", columns.fixed("false")),
        ShowColumn("ext_authn_uid", columns.fixed("")),
        ShowColumn("mins_to_bypass_mfa", _number("MINS_TO_BYPASS_MFA")),
        columns.OWNER,
        ShowColumn("last_success_login", lambda _, item: None, "timestamp_ltz"),
        ShowColumn("expires_at_time", lambda _, item: None, "timestamp_ltz"),
        ShowColumn("locked_until_time", lambda _, item: None, "timestamp_ltz"),
        ShowColumn("has_password", lambda _, item: _lower(bool(item.properties.get("PASSWORD")))),
        ShowColumn("has_rsa_public_key", lambda _, item: _lower(bool(item.properties.get("RSA_PUBLIC_KEY")))),
        ShowColumn("type", columns.declared("TYPE")),
        ShowColumn("has_mfa", columns.fixed("false")),
        ShowColumn("has_pat", columns.fixed("false")),
        ShowColumn("has_workload_identity", lambda _, item: _lower(bool(item.properties.get("WORKLOAD_IDENTITY")))),
    ),
    terse=("name", "created_on", "display_name", "first_name", "last_name", "email"),
    privileges=("MONITOR", "IMPERSONATE", "MODIFY PROGRAMMATIC AUTHENTICATION METHODS"),
    or_alter=False,
    citation=_DOCS + "create-user",
    guesses=(
        "every role sees every user",
        "the rows of roles in SHOW GRANTS TO USER",
        "days and minutes that run out stand still here",
    ),
)


def _lower(value: object) -> str:
    return "true" if value else "false"


def _secondary(item: CatalogObject) -> str:
    listed = item.properties.get("DEFAULT_SECONDARY_ROLES", ["ALL"])
    return "[" + ",".join(f'"{name}"' for name in listed) + "]"


# warehouse -------------------------------------------------------------------------------------------------------

SIZES = {
    "XSMALL": "X-Small", "SMALL": "Small", "MEDIUM": "Medium", "LARGE": "Large", "XLARGE": "X-Large",
    "XXLARGE": "2X-Large", "XXXLARGE": "3X-Large", "X4LARGE": "4X-Large", "X5LARGE": "5X-Large", "X6LARGE": "6X-Large",
}  # fmt: skip
_SIZE_ALIASES = {
    "X-SMALL": "XSMALL", "X-LARGE": "XLARGE", "X2LARGE": "XXLARGE", "2X-LARGE": "XXLARGE", "X3LARGE": "XXXLARGE",
    "3X-LARGE": "XXXLARGE", "4X-LARGE": "X4LARGE", "5X-LARGE": "X5LARGE", "6X-LARGE": "X6LARGE",
}  # fmt: skip
_LEVELS = tuple(size for size in SIZES if size not in ("X5LARGE", "X6LARGE"))
_LEVEL_ALIASES = {alias: size for alias, size in _SIZE_ALIASES.items() if size in _LEVELS}
_CONSTRAINTS = (
    "STANDARD_GEN_1", "STANDARD_GEN_2", "MEMORY_1X", "MEMORY_1X_x86", "MEMORY_16X", "MEMORY_16X_x86", "MEMORY_64X",
    "MEMORY_64X_x86",
)  # fmt: skip


def _size(_: Statement, item: CatalogObject) -> str:
    return SIZES[item.properties.get("WAREHOUSE_SIZE") or default_size(item)]


def default_size(item: CatalogObject) -> str:
    """MEDIUM for Snowpark-optimized warehouses, XSMALL for others."""
    return "MEDIUM" if item.properties.get("WAREHOUSE_TYPE") == "SNOWPARK-OPTIMIZED" else "XSMALL"


def _auto_suspend(_: Statement, item: CatalogObject) -> int | None:
    value = item.properties.get("AUTO_SUSPEND", 600)
    return None if value is None else int(value)


def _acceleration(_: Statement, item: CatalogObject) -> bool:
    """Enabled by default on generation 2 and multi-cluster warehouses."""
    declared = item.properties.get("ENABLE_QUERY_ACCELERATION")
    if declared is not None:
        return bool(declared)
    return standard(item) and (_generation(_, item) == "2" or item.properties.get("MAX_CLUSTER_COUNT", 1) > 1)


def standard(item: CatalogObject) -> bool:
    """Whether a warehouse is of type STANDARD."""
    return bool(item.properties.get("WAREHOUSE_TYPE", "STANDARD") == "STANDARD")


def _generation(_: Statement, item: CatalogObject) -> str | None:
    if not standard(item):
        return None
    constraint = item.properties.get("RESOURCE_CONSTRAINT", "")
    default = "1" if constraint == "STANDARD_GEN_1" else "2"
    return str(item.properties.get("GENERATION") or default)


def _constraint(_: Statement, item: CatalogObject) -> str | None:
    """The memory of a Snowpark-optimized warehouse; NULL for others, whatever was declared (show-warehouses)."""
    if item.properties.get("WAREHOUSE_TYPE") != "SNOWPARK-OPTIMIZED":
        return None
    return str(item.properties.get("RESOURCE_CONSTRAINT", "MEMORY_16X"))


def is_adaptive(item: CatalogObject) -> bool:
    """Whether a warehouse is of type ADAPTIVE."""
    return bool(item.properties.get("WAREHOUSE_TYPE") == "ADAPTIVE")


def _unless_adaptive(name: str, get: Getter, kind: str = "text") -> ShowColumn:
    """A column that is NULL for adaptive warehouses, which do not have the property."""
    return ShowColumn(name, lambda s, item: None if is_adaptive(item) else get(s, item), kind)


def _only_adaptive(name: str, get: Getter, kind: str = "text") -> ShowColumn:
    """A column that is NULL for all but adaptive warehouses."""
    return ShowColumn(name, lambda s, item: get(s, item) if is_adaptive(item) else None, kind)


def _performance_level(_: Statement, item: CatalogObject) -> str:
    """Spelled as sizes are (a guess: the page says only "expressed as a t-shirt size")."""
    return SIZES[item.properties.get("MAX_QUERY_PERFORMANCE_LEVEL", "XLARGE")]


def _state(_: Statement, item: CatalogObject) -> str:
    if is_adaptive(item):
        return "DISABLED" if item.state.get("disabled") else "ENABLED"
    return str(item.state.get("state", "STARTED"))


def _text(name: str, default: Any) -> ShowColumn:
    return ShowColumn(name, lambda _, item: str(item.properties.get(name.upper(), default)).lower())


WAREHOUSE = ObjectType(
    kind="warehouse",
    words="WAREHOUSE",
    plural="WAREHOUSES",
    container="account",
    properties=(
        Property("WAREHOUSE_TYPE", values.keyword("STANDARD", "SNOWPARK-OPTIMIZED", "ADAPTIVE"), default="STANDARD"),
        Property("WAREHOUSE_SIZE", values.keyword(*SIZES, aliases=_SIZE_ALIASES), default="XSMALL", unsettable=False),
        Property("GENERATION", values.keyword("1", "2")),
        Property("RESOURCE_CONSTRAINT", values.keyword(*_CONSTRAINTS)),
        Property("MAX_CLUSTER_COUNT", values.integer(1, 300), default=1),
        Property("MIN_CLUSTER_COUNT", values.integer(1, 300), default=1),
        Property("SCALING_POLICY", values.keyword("STANDARD", "ECONOMY"), default="STANDARD"),
        Property("AUTO_SUSPEND", values.integer(0, null=True), default=600),
        Property("AUTO_RESUME", values.boolean(), default=True),
        Property("INITIALLY_SUSPENDED", values.boolean(), default=False, create_only=True),
        Property("RESOURCE_MONITOR", values.reference("resource_monitor")),
        COMMENT,
        Property("ENABLE_QUERY_ACCELERATION", values.boolean()),
        Property("QUERY_ACCELERATION_MAX_SCALE_FACTOR", values.integer(0, 100), default=8),
        Property("WAIT_FOR_COMPLETION", values.boolean(), alter_only=True, unsettable=False),
        Property("MAX_QUERY_PERFORMANCE_LEVEL", values.keyword(*_LEVELS, aliases=_LEVEL_ALIASES), default="XLARGE"),
        Property("QUERY_THROUGHPUT_MULTIPLIER", values.integer(0), default=2),
        *parameter_properties("warehouse"),
    ),
    show=(
        columns.NAME,
        ShowColumn("state", _state),
        ShowColumn("type", columns.declared("WAREHOUSE_TYPE")),
        _unless_adaptive("size", _size),
        _unless_adaptive("min_cluster_count", columns.declared("MIN_CLUSTER_COUNT"), "fixed"),
        _unless_adaptive("max_cluster_count", columns.declared("MAX_CLUSTER_COUNT"), "fixed"),
        _unless_adaptive("started_clusters", lambda s, item: int(_state(s, item) == "STARTED"), "fixed"),
        ShowColumn("running", columns.fixed(0), "fixed"),
        ShowColumn("queued", columns.fixed(0), "fixed"),
        columns.IS_DEFAULT,
        columns.IS_CURRENT,
        _unless_adaptive("auto_suspend", _auto_suspend, "fixed"),
        _text("auto_resume", True),
        ShowColumn("available", columns.fixed("")),
        ShowColumn("provisioning", columns.fixed("")),
        ShowColumn("quiescing", columns.fixed("")),
        ShowColumn("other", columns.fixed("")),
        columns.CREATED_ON,
        ShowColumn("resumed_on", lambda _, item: item.created_on, "timestamp_ltz"),
        ShowColumn("updated_on", lambda _, item: item.created_on, "timestamp_ltz"),
        columns.OWNER,
        columns.COMMENT,
        _unless_adaptive("enable_query_acceleration", lambda s, item: _lower(_acceleration(s, item))),
        _unless_adaptive(
            "query_acceleration_max_scale_factor", columns.declared("QUERY_ACCELERATION_MAX_SCALE_FACTOR"), "fixed"
        ),
        ShowColumn("resource_monitor", columns.declared("RESOURCE_MONITOR", empty="null")),
        ShowColumn("actives", columns.fixed(0), "fixed"),
        ShowColumn("pendings", columns.fixed(0), "fixed"),
        ShowColumn("failed", columns.fixed(0), "fixed"),
        ShowColumn("suspended", lambda s, item: int(_state(s, item) == "SUSPENDED"), "fixed"),
        ShowColumn("uuid", lambda _, item: str(item.number)),
        _unless_adaptive("scaling_policy", columns.declared("SCALING_POLICY")),
        columns.OWNER_ROLE_TYPE,
        ShowColumn("resource_constraint", _constraint),
        ShowColumn("generation", _generation),
        _only_adaptive("max_query_performance_level", _performance_level),
        _only_adaptive("query_throughput_multiplier", columns.declared("QUERY_THROUGHPUT_MULTIPLIER"), "fixed"),
        _only_adaptive("disabled_reasons", lambda s, item: "USER" if item.state.get("disabled") else None),
    ),
    modifiers=("ADAPTIVE",),
    silent_ceiling=True,
    terse=("name", "state", "type", "size"),
    privileges=("APPLYBUDGET", "MODIFY", "MONITOR", "OPERATE", "USAGE"),
    citation=_DOCS + "create-warehouse",
    guesses=(
        "the spelling of max_query_performance_level in SHOW",
        "the text of disabled_reasons",
        "what an adaptive warehouse is set to when a standard one becomes it: the defaults",
    ),
)

# resource monitor ------------------------------------------------------------------------------------------------

RESOURCE_MONITOR = ObjectType(
    kind="resource_monitor",
    words="RESOURCE MONITOR",
    plural="RESOURCE MONITORS",
    container="account",
    properties=(
        Property("CREDIT_QUOTA", values.integer(1)),
        Property("FREQUENCY", values.keyword("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER"), default="MONTHLY"),
        Property("START_TIMESTAMP", values.keyword("IMMEDIATELY")),
        Property("NOTIFY_USERS", values.name_list()),
    ),
    show=(
        columns.NAME,
        ShowColumn("credit_quota", lambda _, item: _credits(item)),
        ShowColumn("used_credits", columns.fixed("0.00")),
        ShowColumn("remaining_credits", lambda _, item: _credits(item)),
        ShowColumn("level", columns.fixed(None)),
        ShowColumn("frequency", columns.declared("FREQUENCY")),
        ShowColumn("start_time", lambda _, item: item.created_on, "timestamp_ltz"),
        ShowColumn("end_time", lambda _, item: None, "timestamp_ltz"),
        ShowColumn("notify_at", columns.fixed("")),
        ShowColumn("suspend_at", columns.fixed("")),
        ShowColumn("suspend_immediately_at", columns.fixed("")),
        columns.CREATED_ON,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("notify_users", lambda _, item: ", ".join(item.properties.get("NOTIFY_USERS", []))),
    ),
    privileges=("MODIFY", "MONITOR"),
    rename=False,
    tags=False,
    or_alter=False,
    show_limit=False,
    citation=_DOCS + "create-resource-monitor",
)


def _credits(item: CatalogObject) -> str | None:
    quota = item.properties.get("CREDIT_QUOTA")
    return None if quota is None else f"{quota}.00"


TYPES = (ROLE, USER, WAREHOUSE, RESOURCE_MONITOR)
