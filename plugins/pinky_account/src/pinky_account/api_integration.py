"""API integrations: which URLs Git repositories and external functions may reach.

https://docs.snowflake.com/en/sql-reference/sql/create-api-integration,
https://docs.snowflake.com/en/sql-reference/sql/alter-api-integration,
https://docs.snowflake.com/en/sql-reference/sql/desc-integration
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_account.integrations import altered, created, described, no_rename, only_listed, risk_of, split_list
from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    FieldChange,
    Keyword,
    OnChange,
    Resource,
    Risk,
    Rows,
    Source,
    Statement,
    literal,
    prop,
    resource,
)

__all__ = ["ApiIntegration", "ApiProvider"]

_LOST = "grants on the integration, and its tie to Git repositories and functions"


class ApiProvider(Keyword):
    """What is reached: a gateway of a cloud, or Git by HTTPS."""

    AWS_API_GATEWAY = ("AWS_API_GATEWAY",)
    AWS_PRIVATE_API_GATEWAY = ("AWS_PRIVATE_API_GATEWAY",)
    AWS_GOV_API_GATEWAY = ("AWS_GOV_API_GATEWAY",)
    AWS_GOV_PRIVATE_API_GATEWAY = ("AWS_GOV_PRIVATE_API_GATEWAY",)
    AZURE_API_MANAGEMENT = ("AZURE_API_MANAGEMENT",)
    GOOGLE_API_GATEWAY = ("GOOGLE_API_GATEWAY",)
    GIT_HTTPS_API = ("GIT_HTTPS_API",)


_AWS = tuple(each for each in ApiProvider if each.name.startswith("AWS"))
_OF_PROVIDER: Mapping[str, tuple[ApiProvider, ...]] = {
    "api_aws_role_arn": _AWS,
    "azure_tenant_id": (ApiProvider.AZURE_API_MANAGEMENT,),
    "azure_ad_application_id": (ApiProvider.AZURE_API_MANAGEMENT,),
    "google_audience": (ApiProvider.GOOGLE_API_GATEWAY,),
    "allowed_authentication_secrets": (ApiProvider.GIT_HTTPS_API,),
}
_REQUIRED = ("api_aws_role_arn", "azure_tenant_id", "azure_ad_application_id", "google_audience")


@resource("api_integration", scope="account", stateful=False)
class ApiIntegration(Resource):
    """Access to a gateway or to Git servers, by prefixes of URLs. The provider cannot be altered.

    Not covered: API keys, authentication of users (GitHub app, OAuth), and external MCP servers.
    """

    show_pages = False
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE INTEGRATION or CREATE API INTEGRATION", "the account"),
        ("OWNERSHIP", "the api integration"),
    )

    api_provider: ApiProvider = prop(
        on_change=OnChange.REFUSE, source=Source.DESCRIBE, loses=_LOST, doc="What is reached."
    )
    api_allowed_prefixes: tuple[str, ...] = prop(
        source=Source.DESCRIBE, doc="URLs below which everything is allowed, in any order."
    )
    api_blocked_prefixes: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, doc="URLs that are refused all the same."
    )
    allowed_authentication_secrets: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, doc="Secrets (Git only), in full; or all, or none, alone in the list."
    )
    api_aws_role_arn: str | None = prop(
        default=None, source=Source.DESCRIBE, unset=False, doc="Role of the gateway (AWS)."
    )
    azure_tenant_id: str | None = prop(default=None, source=Source.DESCRIBE, unset=False, doc="Tenant (Azure).")
    azure_ad_application_id: str | None = prop(
        default=None, source=Source.DESCRIBE, unset=False, doc="Application of the function app (Azure)."
    )
    google_audience: str | None = prop(
        default=None, source=Source.DESCRIBE, unset=False, on_change=OnChange.REFUSE, loses=_LOST,
        doc="Audience of the gateway (Google).",
    )  # fmt: skip
    enabled: bool = prop(default=True, unset=False, doc="Whether it can be used.")
    comment: str | None = prop(default=None, doc="Free text.")

    former_address = classmethod(no_rename)

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What the provider needs and does not have, and what is another's."""
        for name, providers in _OF_PROVIDER.items():
            given = getattr(self, name) not in (ABSENT, None, ())
            if given and self.api_provider not in providers:
                yield name, f"{name!r} is for {', '.join(providers)}, not for {self.api_provider}"
            if not given and name in _REQUIRED and self.api_provider in providers:
                yield "api_provider", f"{self.api_provider} needs {name!r}"
        if not self.api_allowed_prefixes:
            yield "api_allowed_prefixes", "name at least one prefix"
        for prefix in self.api_allowed_prefixes or ():
            if not prefix.lower().startswith("https://") or "," in prefix:
                yield "api_allowed_prefixes", f"{prefix!r} is no prefix: it begins with https:// and has no comma"

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE API INTEGRATION; ENABLED is demanded."""
        return [created("CREATE", self, address, spell=_clause)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE API INTEGRATION."""
        return [created("CREATE OR REPLACE", self, address, spell=_clause)]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET, then UNSET; an empty list is unset."""
        return altered(self, address, {change.path: change.after for change in changes}, spell=_clause)

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; the order in lists counts for nothing."""
        found = super().changes(address, live, context)
        return [c for c in found if not _same(c.before, c.after)]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Whatever makes another integration of it loses its ties."""
        return risk_of(action, changes, _LOST)

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE INTEGRATION; lists are told with commas."""
        told = described(cls.spec, rows)
        lists = ("api_allowed_prefixes", "api_blocked_prefixes", "allowed_authentication_secrets")
        return {**told, **{name: split_list(told[name]) for name in lists if name in told}}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A body that may be only listed, not described."""
        return super().from_raw(only_listed(cls.spec, raw))


def _clause(name: str, value: Any) -> str:
    if name == "allowed_authentication_secrets":
        words = [each.upper() for each in value]
        return words[0] if words in (["ALL"], ["NONE"]) else f"({', '.join(value)})"
    return literal(value)


def _same(before: Any, after: Any) -> bool:
    if not isinstance(before, (tuple, type(None))) or not isinstance(after, (tuple, type(None))):
        return False
    if isinstance(before, tuple) or isinstance(after, tuple):
        return sorted(map(str.casefold, before or ())) == sorted(map(str.casefold, after or ()))
    return False
