"""Users: what each type may have, workload identities, and the verbs of ALTER USER.

https://docs.snowflake.com/en/sql-reference/sql/create-user, alter-user,
https://docs.snowflake.com/en/user-guide/admin-user-management and
https://docs.snowflake.com/en/sql-reference/sql/show-user-workload-identity-authentication-methods
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from pinky_local.engine import cancelling, errors, families, policies, show
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs.account import NOT_OF_SERVICES
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

_SERVICES = ("SERVICE", "SERVICE_AGENT")
_NEEDED = {
    "AWS": ("ARN",), "AZURE": ("ISSUER", "SUBJECT"), "GCP": ("SUBJECT",), "OIDC": ("ISSUER", "SUBJECT"),
}  # fmt: skip
_OPTIONAL = {"OIDC": ("OIDC_AUDIENCE_LIST",)}
_ARN = re.compile(r"arn:([^:]+):(iam|sts)::(\d+):(user|role|assumed-role|assumed_role)/(.+)\Z")


def check(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise for what this type of user cannot have, for a bad identity, and for a network policy that is not there."""
    kind = str(item.properties.get("TYPE") or "PERSON")
    if kind in _SERVICES:
        for name in NOT_OF_SERVICES:
            if name in given and item.properties.get(name) not in (None, False):
                raise errors.invalid_property(name, f"USER of type {kind}")
    identity: Any = item.properties.get("WORKLOAD_IDENTITY")
    if identity is not None and "WORKLOAD_IDENTITY" in given:
        if kind not in _SERVICES:
            raise errors.invalid_property("WORKLOAD_IDENTITY", f"USER of type {kind}")
        _check_identity(identity)
    network = item.parameters.get("NETWORK_POLICY")
    if network and statement.catalog.get(ACCOUNT, "network_policy", str(network)) is None:
        raise errors.not_found("Network policy", str(network))


def _check_identity(identity: dict[str, Any]) -> None:
    kind = str(identity.get("TYPE"))
    if kind not in _NEEDED:
        raise errors.missing_option("WORKLOAD_IDENTITY.TYPE")
    missing = [name for name in _NEEDED[kind] if not identity.get(name)]
    if missing:
        raise errors.missing_option(", ".join(f"WORKLOAD_IDENTITY.{name}" for name in missing))
    for name in identity:
        if name not in ("TYPE", *_NEEDED[kind], *_OPTIONAL.get(kind, ())):
            raise errors.invalid_property(f"WORKLOAD_IDENTITY.{name}", f"USER with TYPE = {kind}")
    if kind == "AWS" and _ARN.match(str(identity["ARN"])) is None:
        raise errors.invalid_value(str(identity["ARN"]), "WORKLOAD_IDENTITY.ARN")


def read_alter(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read a verb that only users have: their policies, and ABORT ALL QUERIES."""
    return policies.read_alter_user(statement, item) or cancelling.alter_user(statement, item)


def show_identities(statement: Statement) -> Result:
    """Answer SHOW USER WORKLOAD IDENTITY AUTHENTICATION METHODS [FOR USER name]."""
    tokens = statement.tokens
    tokens.expect("AUTHENTICATION", "METHODS")
    parts = tokens.name() if tokens.accept("FOR", "USER") else (str(statement.session.user),)
    statement.finish_parsing()
    user = statement.find("user", parts)
    if user.name != statement.session.user:
        statement.require(user, "MONITOR")
    identity: Any = user.properties.get("WORKLOAD_IDENTITY")
    values = []
    if identity is not None:
        told = json.dumps(_told(identity), separators=(",", ":"))
        values.append([user.name, identity["TYPE"], None, None, user.created_on, told])
    columns = [
        *(ResultColumn(name, length=16_777_216) for name in ("name", "type", "comment")),
        *(ResultColumn(name, "timestamp_ltz", scale=3) for name in ("last_used", "created_on")),
        ResultColumn("additional_info", length=16_777_216),
    ]
    return rows(columns, values, show.SHOW_TYPE)


def _told(identity: dict[str, Any]) -> dict[str, Any]:
    """What additional_info says of an identity."""
    if identity["TYPE"] == "AWS":
        match = _ARN.match(str(identity["ARN"]))
        partition, _, account, kind, name = match.groups() if match else ("", "", "", "", "")
        shown = name.split("/")[0] if kind.startswith("assumed") else name.split("/")[-1]
        return {
            "awsPartition": partition,
            "awsAccount": account,
            "type": "IAM_USER" if kind == "user" else "IAM_ROLE",
            "iamRole": shown,
        }
    told = {"issuer": identity.get("ISSUER"), "subject": identity.get("SUBJECT")}
    if identity["TYPE"] == "OIDC":
        return {**told, "audienceList": list(identity.get("OIDC_AUDIENCE_LIST") or [])}
    return {name: value for name, value in told.items() if value is not None}


families.VALUE_CHECK["user"] = check
families.ALTER["user"] = read_alter
show.SPECIAL["USER WORKLOAD IDENTITY"] = show_identities
