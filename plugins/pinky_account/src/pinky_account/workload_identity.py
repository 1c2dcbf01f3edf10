"""Who a service is to its cloud or its identity provider, so that it logs in without a secret.

https://docs.snowflake.com/en/user-guide/workload-identity-federation,
https://docs.snowflake.com/en/sql-reference/sql/show-user-workload-identity-authentication-methods
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pinky_core import Keyword, Nested, Rows, assignment, is_given, nested, prop

__all__ = ["IdentityProvider", "WorkloadIdentity", "identity_of", "same_identity"]


class IdentityProvider(Keyword):
    """Who attests."""

    AWS = ("AWS",)
    AZURE = ("AZURE",)
    GCP = ("GCP",)
    OIDC = ("OIDC",)


_NEEDED: Mapping[IdentityProvider, tuple[str, ...]] = {
    IdentityProvider.AWS: ("arn",),
    IdentityProvider.AZURE: ("issuer", "subject"),
    IdentityProvider.GCP: ("subject",),
    IdentityProvider.OIDC: ("issuer", "subject"),
}
_ARN = re.compile(
    r"arn:(?P<partition>[^:]+):(?:iam|sts)::(?P<account>\d+):(?P<type>user|role|assumed[-_]role)/(?P<name>.+)\Z"
)


@nested
class WorkloadIdentity(Nested):
    """The identity of a workload; for users of type SERVICE and SERVICE_AGENT."""

    type: IdentityProvider = prop(doc="AWS, AZURE, GCP or OIDC.")
    arn: str | None = prop(default=None, doc="ARN of a user or role (AWS).")
    issuer: str | None = prop(default=None, doc="URL of the authority (AZURE) or of the provider (OIDC).")
    subject: str | None = prop(default=None, doc="Object id (AZURE), unique id (GCP) or identifier (OIDC).")
    oidc_audience_list: tuple[str, ...] | None = prop(
        default=None, doc="Audiences, one of which a token must name (OIDC); none means snowflakecomputing.com."
    )

    @property
    def sql(self) -> str:
        """``(TYPE = OIDC ISSUER = '…' SUBJECT = '…')``."""
        given = [
            assignment(field, value).text
            for field in self.spec.fields
            if is_given(value := getattr(self, field.name)) and value != ()
        ]
        return f"({' '.join(given)})"

    def mistakes(self) -> Iterable[str]:
        """What the provider needs and does not have, and what is another's."""
        needed = _NEEDED[self.type]
        for name in needed:
            if not is_given(getattr(self, name)):
                yield f"{self.type} needs {name!r}"
        optional = ("oidc_audience_list",) if self.type is IdentityProvider.OIDC else ()
        for field in self.spec.fields:
            if is_given(getattr(self, field.name)) and field.name not in ("type", *needed, *optional):
                yield f"{self.type} has no {field.name!r}"
        if self.type is IdentityProvider.AWS and is_given(self.arn) and _ARN.match(self.arn or "") is None:
            yield f"{self.arn!r} is no ARN of a user or role, such as arn:aws:iam::123456789012:role/NAME"


def identity_of(rows: Rows) -> WorkloadIdentity | None:
    """What SHOW USER WORKLOAD IDENTITY AUTHENTICATION METHODS tells; a user has one identity at most."""
    for kind, info in rows.pick("type", "additional_info"):
        told = json.loads(info) if isinstance(info, str) and info else info or {}
        provider: Any = IdentityProvider.read(str(kind))
        if provider is IdentityProvider.AWS:
            return WorkloadIdentity(type=provider, arn=_arn(told))
        return WorkloadIdentity(
            type=provider,
            issuer=told.get("issuer"),
            subject=told.get("subject"),
            oidc_audience_list=tuple(told.get("audienceList") or ()),
        )
    return None


def _arn(told: Mapping[str, Any]) -> str:
    kind = "user" if str(told.get("type")).upper() == "IAM_USER" else "role"
    return f"arn:{told.get('awsPartition')}:iam::{told.get('awsAccount')}:{kind}/{told.get('iamRole')}"


def same_identity(live: WorkloadIdentity | None, wanted: WorkloadIdentity) -> bool:
    """Whether they are one. Of an ARN Snowflake tells the account and the name, not the path and the session."""
    if live is None or live.type != wanted.type:
        return False
    if wanted.type is IdentityProvider.AWS:
        return bool(_of_arn(live.arn) == _of_arn(wanted.arn))
    return all(
        (getattr(live, name) or None) == (getattr(wanted, name) or None) for name in ("issuer", "subject")
    ) and sorted(live.oidc_audience_list or ()) == sorted(wanted.oidc_audience_list or ())


def _of_arn(text: Any) -> Any:
    match = _ARN.match(str(text or ""))
    if match is None:
        return text
    parts = match["name"].split("/")
    name = parts[0] if match["type"].startswith("assumed") else parts[-1]
    return match["partition"], match["account"], match["type"] == "user", name
