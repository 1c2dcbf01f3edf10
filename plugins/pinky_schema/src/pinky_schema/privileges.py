"""Types of objects that privileges are granted on inside a schema, with the privileges each has.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import attrs

__all__ = ["SCHEMA", "SECURABLES", "Securable", "privilege_of", "securable_of"]


@attrs.frozen
class Securable:
    """One type of object, named as after GRANT … ON.

    ``all_privileges`` are what ALL means, ``only_named`` those that ALL leaves out. ``callable``: its name goes with
    the types of its arguments. ``kinds`` are the kinds of resources that make such an object.
    """

    name: str
    all_privileges: tuple[str, ...]
    only_named: tuple[str, ...] = ()
    callable: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The key in a manifest: the name in snake case."""
        return self.name.lower().replace(" ", "_")


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

#: The schema itself.
SCHEMA = Securable(
    "SCHEMA",
    ("ADD SEARCH OPTIMIZATION", "APPLYBUDGET", *(f"CREATE {what}" for what in _CREATE), "MODIFY", "MONITOR", "USAGE"),
    tuple(f"CREATE {what}" for what in _CLASSES),
    kinds=("schema",),
)

_ROWS = ("APPLYBUDGET", "DELETE", "INSERT", "REFERENCES", "SELECT", "TRUNCATE", "UPDATE")
#: Kinds whose names cannot be equal inside a schema; a grant may name one of them by a related type.
_RELATIONS = ("table", "view", "dynamic_table", "iceberg_table", "event_table")


def _relation(name: str, *privileges: str) -> Securable:
    return Securable(name, privileges, kinds=_RELATIONS)


_DECLARED = (
    SCHEMA,
    Securable("AGENT", ("MODIFY", "MONITOR", "USAGE")),
    Securable("ALERT", ("MONITOR", "OPERATE")),
    Securable("APPLICATION SERVICE", ("MONITOR", "OPERATE", "USAGE")),
    Securable("ARTIFACT REPOSITORY", ("READ",)),
    Securable("CONTACT", ("APPLY", "MODIFY")),
    Securable("CORTEX EXTENSION", ("READ", "WRITE")),
    Securable("CORTEX SEARCH SERVICE", ("OPERATE", "USAGE")),
    Securable("DATA METRIC FUNCTION", ("USAGE",), callable=True),
    Securable("DATASET", ("USAGE",)),
    Securable("DBT PROJECT", ("MONITOR", "USAGE")),
    _relation("DYNAMIC TABLE", "MONITOR", "OPERATE", "SELECT"),
    _relation("EVENT TABLE", "APPLYBUDGET", "DELETE", "REFERENCES", "SELECT", "TRUNCATE"),
    Securable("EXPERIMENT", ("CREATE", "MODIFY", "USAGE")),
    _relation("EXTERNAL TABLE", "REFERENCES", "SELECT"),
    Securable("FILE FORMAT", ("USAGE",)),
    Securable("FUNCTION", ("USAGE",), callable=True, kinds=("user_defined_function",)),
    Securable("GATEWAY", ("CREATE", "MODIFY", "USAGE")),
    Securable("GIT REPOSITORY", ("READ", "WRITE")),
    _relation("HYBRID TABLE", *_ROWS),
    _relation("ICEBERG TABLE", *_ROWS),
    Securable("IMAGE REPOSITORY", ("READ", "WRITE")),
    _relation("INTERACTIVE TABLE", "REFERENCES", "SELECT"),
    _relation("MATERIALIZED VIEW", "APPLYBUDGET", "REFERENCES", "SELECT"),
    Securable("MCP SERVER", ("MODIFY", "USAGE")),
    Securable("MODEL", ("USAGE",)),
    Securable("NOTEBOOK", ("USAGE",)),
    _relation("ONLINE FEATURE TABLE", "MONITOR", "SELECT"),
    Securable("PIPE", ("APPLYBUDGET", "MONITOR", "OPERATE")),
    Securable("PROCEDURE", ("USAGE",), callable=True),
    Securable("SECRET", ("READ", "USAGE")),
    _relation("SEMANTIC VIEW", "MONITOR", "REFERENCES", "SELECT"),
    Securable("SEQUENCE", ("USAGE",)),
    Securable("SERVICE", ("MONITOR", "OPERATE")),
    Securable("SNAPSHOT", ("USAGE",)),
    Securable("SNAPSHOT POLICY", ("USAGE",)),
    Securable("SNAPSHOT SET", ("USAGE",)),
    Securable("STAGE", ("READ", "WRITE", "USAGE")),
    Securable("STREAM", ("SELECT",)),
    Securable("STREAMLIT", ("USAGE",)),
    _relation(
        "TABLE",
        *("APPLYBUDGET", "DELETE", "EVOLVE SCHEMA", "INSERT", "REFERENCES", "SELECT", "SELECT ERROR TABLE"),
        *("TRUNCATE", "UPDATE"),
    ),
    Securable("TAG", (), ("APPLY", "READ")),  # "You cannot specify this keyword for tags"
    Securable("TASK", ("APPLYBUDGET", "MONITOR", "OPERATE")),
    Securable("TYPE", ("USAGE",)),
    _relation("VIEW", "REFERENCES", "SELECT"),
    Securable("WORKSPACE", ("READ", "WRITE")),
    *(
        Securable(f"{word} POLICY", ("APPLY",))
        for word in (
            "AGGREGATION", "AUTHENTICATION", "JOIN", "MASKING", "PACKAGES", "PASSWORD", "PRIVACY", "PROJECTION",
            "ROW ACCESS", "SESSION", "STORAGE LIFECYCLE",
        )
    ),
)  # fmt: skip

#: By name. Of types that the grammar lists without privileges (MODEL MONITOR, NETWORK RULE, RESTRICTED SESSION SCOPE)
#: nothing is known to grant but OWNERSHIP, so they are not here.
SECURABLES: Mapping[str, Securable] = {
    each.name: attrs.evolve(each, kinds=each.kinds or (each.word,)) for each in _DECLARED
}


def securable_of(word: object) -> Securable:
    """The type that a key such as ``dynamic_table`` means; raises ValueError with the nearest."""
    name = " ".join(str(word).upper().replace("_", " ").split())
    found = SECURABLES.get(name)
    if found is None:
        near = difflib.get_close_matches(name, SECURABLES, n=1)
        hint = f"did you mean {SECURABLES[near[0]].word}?" if near else "see GRANT <privilege> for the types"
        raise ValueError(f"{word!r} is no type of object in a schema; {hint}")
    return found


def privilege_of(text: object, on: Securable) -> str:
    """A privilege on a type in its documented spelling, or ``ALL``; raises ValueError with the nearest."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError("`privilege` is missing")
    word = " ".join(text.upper().split())
    known = (*on.all_privileges, *on.only_named)
    if word in ("ALL", "ALL PRIVILEGES"):
        if not on.all_privileges:
            raise ValueError(f"Snowflake has no ALL for {on.name}; name each of: {', '.join(known)}")
        return "ALL"
    if word == "OWNERSHIP":
        raise ValueError("OWNERSHIP is not a privilege to add: it moves by GRANT OWNERSHIP, which pinky does not do")
    if word in known:
        return word
    near = difflib.get_close_matches(word, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(known)}"
    raise ValueError(f"{text!r} is not a privilege on {on.name}; {hint}")
