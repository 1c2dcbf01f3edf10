"""Types of objects that privileges are granted on inside a database, with the privileges each has.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import attrs

__all__ = [
    "DATABASE",
    "DATABASE_FOR_DATABASE_ROLES",
    "OBJECT_TYPES",
    "SCHEMA",
    "ObjectType",
    "object_type_of",
    "privilege_of",
]


@attrs.frozen
class ObjectType:
    """One type: ``name`` and ``plural`` as in statements.

    ``only_named`` privileges exist but are not part of ALL. ``all``: bulk grants are allowed and the objects can be
    listed. ``future``: future grants exist. ``kinds`` are the kinds of resources that make such objects. ``family``
    is shared by types whose names cannot be equal inside a schema, because Snowflake named some of them TABLE in
    SHOW GRANTS (behaviour change 2371). ``pages``: SHOW has LIMIT … FROM.
    """

    name: str
    plural: str
    privileges: tuple[str, ...]
    only_named: tuple[str, ...] = ()
    all: bool = True
    future: bool = True
    kinds: tuple[str, ...] = ()
    family: str = ""
    pages: bool = True

    @property
    def relation(self) -> str:
        """What tells its names apart from those of other types."""
        return self.family or self.name


_CREATE = (
    "AGENT", "AGGREGATION POLICY", "ALERT", "APPLICATION SERVICE", "ARTIFACT REPOSITORY", "AUTHENTICATION POLICY",
    "CONTACT", "CORTEX SEARCH SERVICE", "DATA METRIC FUNCTION", "DATASET", "DBT PROJECT", "DYNAMIC TABLE",
    "EVENT TABLE", "EXPERIMENT", "EXTERNAL TABLE", "FILE FORMAT", "FUNCTION", "GATEWAY", "GIT REPOSITORY",
    "HYBRID TABLE", "ICEBERG TABLE", "IMAGE REPOSITORY", "INTERACTIVE TABLE", "MASKING POLICY", "MATERIALIZED VIEW",
    "MCP SERVER", "MODEL", "NETWORK RULE", "NOTEBOOK", "ONLINE FEATURE TABLE", "PACKAGES POLICY", "PASSWORD POLICY",
    "PIPE", "PRIVACY POLICY", "PROCEDURE", "PROJECTION POLICY", "ROW ACCESS POLICY", "SECRET", "SEMANTIC VIEW",
    "SEQUENCE", "SERVICE", "SESSION POLICY", "SNAPSHOT", "SNAPSHOT POLICY", "SNAPSHOT SET", "STAGE",
    "STORAGE LIFECYCLE POLICY", "STREAM", "STREAMLIT", "TABLE", "TAG", "TASK", "TYPE", "VIEW", "WORKSPACE",
)  # fmt: skip
# "This keyword does not grant privileges on a class": they are granted by name only.
_CLASSES = (
    "SNOWFLAKE.CORE.BUDGET", "SNOWFLAKE.DATA_PRIVACY.CLASSIFICATION_PROFILE",
    "SNOWFLAKE.DATA_PRIVACY.CUSTOM_CLASSIFIER", "SNOWFLAKE.ML.ANOMALY_DETECTION", "SNOWFLAKE.ML.CLASSIFICATION",
    "SNOWFLAKE.ML.DOCUMENT_INTELLIGENCE", "SNOWFLAKE.ML.FORECAST", "SNOWFLAKE.ML.TOP_INSIGHTS",
)  # fmt: skip
_DELEGATED = ("EXECUTE AUTO CLASSIFICATION", "MANAGE GRANTS")

DATABASE = ObjectType(
    "DATABASE",
    "DATABASES",
    ("APPLYBUDGET", "CREATE DATABASE ROLE", "CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE"),
    ("IMPORTED PRIVILEGES", *_DELEGATED),
    all=False,
    future=False,
    kinds=("database",),
)
#: What a database role can have on its own database.
DATABASE_FOR_DATABASE_ROLES = attrs.evolve(
    DATABASE, privileges=("CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE"), only_named=()
)
SCHEMA = ObjectType(
    "SCHEMA",
    "SCHEMAS",
    ("ADD SEARCH OPTIMIZATION", "APPLYBUDGET", *(f"CREATE {what}" for what in _CREATE), "MODIFY", "MONITOR", "USAGE"),
    (*(f"CREATE {what}" for what in _CLASSES), *_DELEGATED),
    kinds=("schema",),
)

_ROWS = ("APPLYBUDGET", "DELETE", "INSERT", "REFERENCES", "SELECT", "TRUNCATE", "UPDATE")
_RELATION = "TABLE"


def _policy(word: str, *, future: bool = False) -> ObjectType:
    return ObjectType(f"{word} POLICY", f"{word} POLICIES", ("APPLY",), all=False, future=future)


_DECLARED = (
    SCHEMA,
    ObjectType("AGENT", "AGENTS", ("MODIFY", "MONITOR", "USAGE")),
    ObjectType("ALERT", "ALERTS", ("MONITOR", "OPERATE")),
    ObjectType("APPLICATION SERVICE", "APPLICATION SERVICES", ("MONITOR", "OPERATE", "USAGE"), all=False),
    ObjectType("ARTIFACT REPOSITORY", "ARTIFACT REPOSITORIES", ("READ",), all=False),
    ObjectType("CONTACT", "CONTACTS", ("APPLY", "MODIFY"), pages=False),
    ObjectType("CORTEX SEARCH SERVICE", "CORTEX SEARCH SERVICES", ("OPERATE", "USAGE")),
    ObjectType("DATA METRIC FUNCTION", "DATA METRIC FUNCTIONS", ("USAGE",), all=False),
    ObjectType("DATASET", "DATASETS", ("USAGE",)),
    ObjectType("DBT PROJECT", "DBT PROJECTS", ("MONITOR", "USAGE")),
    ObjectType("DYNAMIC TABLE", "DYNAMIC TABLES", ("MONITOR", "OPERATE", "SELECT"), family=_RELATION),
    ObjectType(
        "EVENT TABLE",
        "EVENT TABLES",
        ("APPLYBUDGET", "DELETE", "REFERENCES", "SELECT", "TRUNCATE"),
        ("INGEST TELEMETRY",),
        family=_RELATION,
    ),
    ObjectType("EXTERNAL TABLE", "EXTERNAL TABLES", ("REFERENCES", "SELECT"), family=_RELATION),
    ObjectType("FILE FORMAT", "FILE FORMATS", ("USAGE",), pages=False),
    ObjectType("FUNCTION", "FUNCTIONS", ("USAGE",), kinds=("user_defined_function",), pages=False),
    ObjectType("GIT REPOSITORY", "GIT REPOSITORIES", ("READ", "WRITE")),
    ObjectType("HYBRID TABLE", "HYBRID TABLES", _ROWS, family=_RELATION),
    ObjectType("ICEBERG TABLE", "ICEBERG TABLES", _ROWS, family=_RELATION),
    ObjectType("IMAGE REPOSITORY", "IMAGE REPOSITORIES", ("READ", "WRITE"), future=False),
    ObjectType("INTERACTIVE TABLE", "INTERACTIVE TABLES", ("REFERENCES", "SELECT"), all=False, family=_RELATION),
    ObjectType(
        "MATERIALIZED VIEW", "MATERIALIZED VIEWS", ("APPLYBUDGET", "REFERENCES", "SELECT"), kinds=(), family=_RELATION
    ),
    ObjectType("MCP SERVER", "MCP SERVERS", ("MODIFY", "USAGE"), all=False),
    ObjectType("MODEL", "MODELS", ("USAGE",)),
    ObjectType("NOTEBOOK", "NOTEBOOKS", ("USAGE",)),
    ObjectType("PIPE", "PIPES", ("APPLYBUDGET", "MONITOR", "OPERATE"), all=False),
    ObjectType("PROCEDURE", "PROCEDURES", ("USAGE",), pages=False),
    ObjectType("SECRET", "SECRETS", ("READ", "USAGE"), pages=False),
    ObjectType("SEMANTIC VIEW", "SEMANTIC VIEWS", ("MONITOR", "REFERENCES", "SELECT"), family=_RELATION),
    ObjectType("SEQUENCE", "SEQUENCES", ("USAGE",)),
    ObjectType("SERVICE", "SERVICES", ("MONITOR", "OPERATE")),
    ObjectType("SNAPSHOT", "SNAPSHOTS", ("USAGE",), all=False, future=False),
    ObjectType("STAGE", "STAGES", ("READ", "WRITE", "USAGE"), pages=False),
    ObjectType("STREAM", "STREAMS", ("SELECT",)),
    ObjectType("STREAMLIT", "STREAMLITS", ("USAGE",)),
    ObjectType(
        "TABLE",
        "TABLES",
        (
            "APPLYBUDGET", "DELETE", "EVOLVE SCHEMA", "INSERT", "REFERENCES", "SELECT", "SELECT ERROR TABLE",
            "TRUNCATE", "UPDATE",
        ),
        family=_RELATION,
    ),
    ObjectType("TAG", "TAGS", ("APPLY", "READ"), all=False, future=False),
    ObjectType("TASK", "TASKS", ("APPLYBUDGET", "MONITOR", "OPERATE")),
    ObjectType("VIEW", "VIEWS", ("REFERENCES", "SELECT"), family=_RELATION),
    ObjectType("WORKSPACE", "WORKSPACES", ("READ", "WRITE"), all=False),
    *(
        _policy(word)
        for word in (
            "AGGREGATION", "JOIN", "MASKING", "PACKAGES", "PROJECTION", "ROW ACCESS", "SESSION", "STORAGE LIFECYCLE",
        )
    ),
    *(_policy(word, future=True) for word in ("AUTHENTICATION", "PASSWORD", "PRIVACY")),
)  # fmt: skip

#: By the plural, as it stands after ALL and FUTURE.
OBJECT_TYPES: Mapping[str, ObjectType] = {
    each.plural: attrs.evolve(each, kinds=each.kinds or (each.name.lower().replace(" ", "_"),)) for each in _DECLARED
}


def object_type_of(text: object, form: str) -> ObjectType:
    """The type a plural such as ``TABLES`` means after ALL or FUTURE; raises ValueError with the nearest."""
    word = " ".join(str(text).upper().replace("_", " ").split())
    found = OBJECT_TYPES.get(word)
    allowed = [each.plural for each in OBJECT_TYPES.values() if (each.all if form == "ALL" else each.future)]
    if found is None:
        near = difflib.get_close_matches(word, allowed, n=1)
        hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(allowed)}"
        raise ValueError(f"{text!r} is not a type of objects in the plural; {hint}")
    if found.plural not in allowed:
        raise ValueError(f"there are no grants on {form} {found.plural}; allowed: {', '.join(allowed)}")
    return found


def privilege_of(text: object, on: ObjectType) -> str:
    """A privilege on a type in its documented spelling, or ``ALL``; raises ValueError with the nearest."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError("`privilege` is missing")
    word = " ".join(text.upper().split())
    if word in ("ALL", "ALL PRIVILEGES"):
        return "ALL"
    if word == "OWNERSHIP":
        raise ValueError("OWNERSHIP is not a privilege to add: it moves by GRANT OWNERSHIP, which pinky does not do")
    known = (*on.privileges, *on.only_named)
    if word in known:
        return word
    near = difflib.get_close_matches(word, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"allowed: ALL, {', '.join(known)}"
    raise ValueError(f"{text!r} is not a privilege on {on.name}; {hint}")
