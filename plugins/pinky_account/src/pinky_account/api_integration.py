"""API integrations: which URLs Git repositories, external functions and MCP connectors may reach.

https://docs.snowflake.com/en/sql-reference/sql/create-api-integration,
https://docs.snowflake.com/en/sql-reference/sql/alter-api-integration,
https://docs.snowflake.com/en/sql-reference/sql/desc-integration. DESCRIBE does not tell ALLOWED_AUTHENTICATION_SECRETS:
Snowflake's Terraform provider finds it empty whatever was set, and ignores changes from outside.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_account.api_authentication import ApiUserAuthentication, authentication_of, differences
from pinky_account.integrations import (
    altered,
    created,
    described,
    no_rename,
    only_listed,
    risk_of,
    secret_mistakes,
    secret_names,
    spelled_secrets,
    split_list,
)
from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    Diagnostic,
    FieldChange,
    Keyword,
    OnChange,
    QualifiedName,
    Resource,
    Risk,
    Rows,
    SecretReference,
    Source,
    Statement,
    is_given,
    literal,
    prop,
    resource,
)
from pinky_core.versions import check_version, marked, unmarked

__all__ = ["ApiIntegration", "ApiProvider"]

_LOST = "grants on the integration, and its tie to Git repositories and functions"


class ApiProvider(Keyword):
    """What is reached: a gateway of a cloud, Git by HTTPS, or a server of the Model Context Protocol."""

    AWS_API_GATEWAY = ("AWS_API_GATEWAY",)
    AWS_PRIVATE_API_GATEWAY = ("AWS_PRIVATE_API_GATEWAY",)
    AWS_GOV_API_GATEWAY = ("AWS_GOV_API_GATEWAY",)
    AWS_GOV_PRIVATE_API_GATEWAY = ("AWS_GOV_PRIVATE_API_GATEWAY",)
    AZURE_API_MANAGEMENT = ("AZURE_API_MANAGEMENT",)
    GOOGLE_API_GATEWAY = ("GOOGLE_API_GATEWAY",)
    GIT_HTTPS_API = ("GIT_HTTPS_API",)
    EXTERNAL_MCP = ("EXTERNAL_MCP",)


_AWS = tuple(each for each in ApiProvider if each.name.startswith("AWS"))
_OF_PROVIDER: Mapping[str, tuple[ApiProvider, ...]] = {
    "api_aws_role_arn": _AWS,
    "azure_tenant_id": (ApiProvider.AZURE_API_MANAGEMENT,),
    "azure_ad_application_id": (ApiProvider.AZURE_API_MANAGEMENT,),
    "google_audience": (ApiProvider.GOOGLE_API_GATEWAY,),
    "api_key": (*_AWS, ApiProvider.AZURE_API_MANAGEMENT),
    "allowed_authentication_secrets": (ApiProvider.GIT_HTTPS_API,),
    "use_privatelink_endpoint": (ApiProvider.GIT_HTTPS_API,),
    "tls_trusted_certificates": (ApiProvider.GIT_HTTPS_API,),
    "api_user_authentication": (ApiProvider.GIT_HTTPS_API, ApiProvider.EXTERNAL_MCP),
}
_WITH_TOKENS = ("allowed_authentication_secrets", "use_privatelink_endpoint", "tls_trusted_certificates")
_ALL = ("all",)
_MARKER = re.compile(r"\s?\[pinky secrets ([0-9a-f]{8})\]\Z")
_REQUIRED = ("api_aws_role_arn", "azure_tenant_id", "azure_ad_application_id", "google_audience")


@resource("api_integration", scope="account", stateful=False)
class ApiIntegration(Resource):
    """Access to a gateway, to Git servers or to an MCP server, by prefixes of URLs.

    The provider and how users authenticate cannot be altered. Snowflake never tells the API key and a client's secret:
    raise `version`, and they are set again. It does not tell either which secrets are allowed; so a digest of their
    names stands at the end of the comment, ``[pinky secrets 1a2b3c4d]``, and tells that the declaration changed. Both
    marks are never shown as part of the comment. OAUTH_DISCOVERY_URL is documented and refused by Snowflake, so it is
    left out.
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
        default=_ALL, source=Source.DESCRIBE, refers_to="secret", unset=False,
        doc="Secrets (Git only), in full; or all (Snowflake's default) or none, alone in the list.",
    )  # fmt: skip
    use_privatelink_endpoint: bool = prop(
        default=False, source=Source.DESCRIBE, unset=False, doc="Whether connectivity is private (Git)."
    )
    tls_trusted_certificates: tuple[QualifiedName, ...] | None = prop(
        default=(), source=Source.DESCRIBE, refers_to="secret", doc="Secrets with self-signed certificates (Git)."
    )
    api_user_authentication: ApiUserAuthentication | None = prop(
        default=None, source=Source.DESCRIBE, on_change=OnChange.REFUSE, loses=_LOST,
        doc="How users authenticate (Git with OAuth, MCP).",
    )  # fmt: skip
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
    api_key: SecretReference | None = prop(
        default=None, source=Source.NOWHERE, doc="Key of the gateway (AWS, Azure), as a reference."
    )
    enabled: bool = prop(default=True, unset=False, doc="Whether it can be used.")
    comment: str | None = prop(default=None, doc="Free text.")
    version: int | None = prop(
        default=None, minimum=1, sql="", doc="Raise it when the value behind a reference changed."
    )
    #: Of a live integration: the digest in its comment.
    digest: str | None = attrs.field(default=None, eq=False)

    former_address = classmethod(no_rename)

    # -- declaration -------------------------------------------------------------------------------------------------

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What the provider needs and does not have, and what is another's."""
        for name, providers in _OF_PROVIDER.items():
            given = getattr(self, name) not in (ABSENT, None, (), False)
            if given and self.api_provider not in providers:
                yield name, f"{name!r} is for {', '.join(providers)}, not for {self.api_provider}"
            if not given and name in _REQUIRED and self.api_provider in providers:
                yield "api_provider", f"{self.api_provider} needs {name!r}"
        if not self.api_allowed_prefixes:
            yield "api_allowed_prefixes", "name at least one prefix"
        for prefix in self.api_allowed_prefixes or ():
            if not prefix.lower().startswith("https://") or "," in prefix:
                yield "api_allowed_prefixes", f"{prefix!r} is no prefix: it begins with https:// and has no comma"
        yield from self._authentication_mistakes()
        if is_given(self.comment) and self.comment and _taken_apart(self.comment) != (self.comment, None, None):
            yield "comment", "the comment may not end in a mark of pinky; give `version:`"

    def _authentication_mistakes(self) -> Iterable[tuple[str, str]]:
        how = self.api_user_authentication
        mcp = self.api_provider is ApiProvider.EXTERNAL_MCP
        if isinstance(how, ApiUserAuthentication):
            yield from (("api_user_authentication", text) for text in how.mistakes(mcp=mcp))
            for name in _WITH_TOKENS:
                if getattr(self, name) not in (ABSENT, None, (), False):
                    yield name, f"{name!r} is for tokens in secrets; users authenticate by 'api_user_authentication'"
        elif mcp:
            yield "api_provider", "EXTERNAL_MCP needs 'api_user_authentication'"
        if is_given(self.allowed_authentication_secrets):
            yield from secret_mistakes("allowed_authentication_secrets", self.allowed_authentication_secrets)
        unreadable = is_given(self.api_key) or (isinstance(how, ApiUserAuthentication) and how.has_secret)
        if is_given(self.version) and not unreadable:
            yield "version", "'version' says that a secret value changed; there is none here"

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE API INTEGRATION; ENABLED is demanded."""
        return [self._create("CREATE", address)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE API INTEGRATION; of what is not declared, only what every provider has is kept."""
        kept = {
            name: value
            for name in ("enabled", "api_blocked_prefixes", "comment")
            if getattr(self, name) is ABSENT and is_given(value := getattr(live, name))
        }
        whole: Any = self
        return [attrs.evolve(whole, **kept)._create("CREATE OR REPLACE", address)]

    def _create(self, words: str, address: Address) -> Statement:
        comment = _put_together(self.comment or "", self.version or None, self._digest())
        return created(words, self, address, instead={"comment": comment or None}, spell=_clause)

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET, then UNSET; an empty list is unset. A new version sets the API key again, with its mark."""
        after = {change.path: change.after for change in changes}
        if "version" in after:
            after["api_key"] = self.api_key or None
        if after.keys() & {"comment", "version", "allowed_authentication_secrets"}:
            comment = live.comment if self.comment is ABSENT else self.comment
            version = live.version if self.version is ABSENT else self.version
            digest = live.digest if self.allowed_authentication_secrets is ABSENT else self._digest()
            after["comment"] = _put_together(comment or "", version or None, digest) or None
        return altered(self, address, after, spell=_clause)

    def _digest(self) -> str | None:
        """Eight hexadecimal digits that are others for other allowed secrets; none where Snowflake's default holds."""
        names = self._allowed()
        return None if names == list(_ALL) else hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]

    def _allowed(self) -> list[str]:
        """The allowed secrets; where none are said, Snowflake's default."""
        return secret_names(self.allowed_authentication_secrets, otherwise="all")

    # -- planning ----------------------------------------------------------------------------------------------------

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """A version only goes up."""
        yield from check_version(address, self.version, live.version if live is not None else None)

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; the order in lists counts for nothing, and for secrets what is not told counts by its mark."""
        found = []
        for change in super().changes(address, live, context):
            if change.path == "allowed_authentication_secrets":
                if self._secrets_differ(live):
                    told = bool(live.allowed_authentication_secrets)
                    found.append(change if told else attrs.evolve(change, note="what it was, Snowflake does not tell"))
            elif change.path == "api_user_authentication":
                wanted: Any = change.after
                found += [change] if wanted is None else differences(wanted, live.api_user_authentication or None)
            elif change.path == "version":
                how = self.api_user_authentication
                secret = isinstance(how, ApiUserAuthentication) and how.has_secret
                found.append(attrs.evolve(change, on_change=OnChange.REFUSE) if secret else change)
            elif not _same(change.before, change.after):
                found.append(change)
        return found

    def _secrets_differ(self, live: Self) -> bool:
        if live.allowed_authentication_secrets:  # told after all
            return live._allowed() != self._allowed()
        return live.digest != self._digest()

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Whatever makes another integration of it loses its ties."""
        return risk_of(action, changes, _LOST)

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW API INTEGRATIONS, with the marks taken out of the comment."""
        comment, version, digest = _taken_apart(str(row.get("comment") or ""))
        return {**super().from_row(row), "comment": comment, "version": version, "digest": digest}

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE INTEGRATION; lists are told with commas."""
        told = described(cls.spec, rows)
        lists = ("api_allowed_prefixes", "api_blocked_prefixes", "allowed_authentication_secrets")
        how = authentication_of(told.get("api_user_authentication"))
        return {
            **told,
            **{name: split_list(told[name]) for name in (*lists, "tls_trusted_certificates") if name in told},
            "api_user_authentication": how,
        }

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A body that may be only listed, not described."""
        whole: Any = super().from_raw(only_listed(cls.spec, raw))
        found: Self = attrs.evolve(whole, digest=raw.get("digest"))
        return found


def _clause(name: str, value: Any) -> str | SecretReference | Statement:
    if isinstance(value, SecretReference):
        return value
    if isinstance(value, ApiUserAuthentication):
        return value.statement()
    if name == "allowed_authentication_secrets":
        return spelled_secrets(value)
    return literal(value)


def _put_together(comment: str, version: int | None, digest: str | None) -> str:
    mark = f"[pinky secrets {digest}]" if digest else ""
    return marked(" ".join(each for each in (comment, mark) if each), version)


def _taken_apart(text: str) -> tuple[str, int | None, str | None]:
    rest, version = unmarked(text)
    match = _MARKER.search(rest)
    return (rest[: match.start()], version, match[1]) if match else (rest, version, None)


def _same(before: Any, after: Any) -> bool:
    if not isinstance(before, (tuple, type(None))) or not isinstance(after, (tuple, type(None))):
        return False
    if isinstance(before, tuple) or isinstance(after, tuple):
        return sorted(_folded(each) for each in before or ()) == sorted(_folded(each) for each in after or ())
    return False


def _folded(value: Any) -> str:
    """A URL without its case, a name of a secret as it is."""
    return value.casefold() if type(value) is str else str(value)
