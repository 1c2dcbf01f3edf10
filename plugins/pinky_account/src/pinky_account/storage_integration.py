"""Storage integrations: who may reach which buckets and containers, without credentials in stages.

https://docs.snowflake.com/en/sql-reference/sql/create-storage-integration,
https://docs.snowflake.com/en/sql-reference/sql/alter-storage-integration,
https://docs.snowflake.com/en/sql-reference/sql/show-integrations,
https://docs.snowflake.com/en/sql-reference/sql/desc-integration
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_account.integrations import created, only_listed, risk_of
from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    FieldChange,
    Keyword,
    OnChange,
    QuotedKeyword,
    Resource,
    Risk,
    Rows,
    Source,
    Statement,
    is_given,
    prop,
    resource,
)

__all__ = ["IntegrationType", "Provider", "StorageIntegration"]

_LOST = (
    "the identity that the cloud provider trusts, grants on the integration, and its tie to stages, each of which needs"
    " ALTER STAGE … SET STORAGE_INTEGRATION again"
)


class IntegrationType(Keyword):
    """What the integration is for."""

    EXTERNAL_STAGE = ("EXTERNAL_STAGE",)
    POSTGRES_EXTERNAL_STORAGE = ("POSTGRES_EXTERNAL_STORAGE",)


class Provider(QuotedKeyword):
    """Where the files are: S3 (also in China, also for governments), Google Cloud Storage, Azure or OneLake."""

    S3 = ("S3",)
    S3CHINA = ("S3CHINA",)
    S3GOV = ("S3GOV",)
    GCS = ("GCS",)
    AZURE = ("AZURE",)


class ObjectAcl(QuotedKeyword):
    """The access control list that unloaded files get in S3."""

    BUCKET_OWNER_FULL_CONTROL = ("bucket-owner-full-control",)


_S3 = (Provider.S3, Provider.S3CHINA, Provider.S3GOV)
#: What locations begin with.
_PROTOCOLS: Mapping[Provider, tuple[str, ...]] = {
    **dict.fromkeys(_S3, ("s3://", "s3china://", "s3gov://")),
    Provider.GCS: ("gcs://",),
    Provider.AZURE: ("azure://",),
}
#: Properties that only some providers have, and those of them that must be given.
_OF_PROVIDER: Mapping[str, tuple[Provider, ...]] = {
    "storage_aws_role_arn": _S3,
    "storage_aws_external_id": _S3,
    "storage_aws_object_acl": _S3,
    "use_privatelink_endpoint": (*_S3, Provider.AZURE),
    "azure_tenant_id": (Provider.AZURE,),
}
_REQUIRED = ("storage_aws_role_arn", "azure_tenant_id")
#: Changing these means that the cloud's own settings must follow.
_TRUST = frozenset({"storage_aws_role_arn", "storage_aws_external_id", "azure_tenant_id"})


@resource("storage_integration", scope="account")
class StorageIntegration(Resource):
    """Access to cloud storage under an identity that Snowflake generates and a cloud administrator trusts.

    That identity (the IAM user and external id, the service account, or the Azure application) is shown by DESCRIBE
    INTEGRATION. Provider and type cannot be altered, and an integration cannot be renamed. ``storage_aws_external_id:
    null`` leaves the id to Snowflake. The storage inside a Postgres instance and integrations with several locations
    are not covered.
    """

    show_pages = False
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE INTEGRATION or CREATE STORAGE INTEGRATION", "the account"),
        ("OWNERSHIP", "the storage integration"),
    )

    type: IntegrationType = prop(
        default=IntegrationType.EXTERNAL_STAGE, on_change=OnChange.REFUSE, loses=_LOST, doc="What it is for."
    )
    storage_provider: Provider = prop(
        on_change=OnChange.REFUSE, source=Source.DESCRIBE, loses=_LOST, doc="Whose cloud storage it reaches."
    )
    storage_aws_role_arn: str | None = prop(
        default=None, source=Source.DESCRIBE, doc="IAM role that has privileges on the bucket (S3; required there)."
    )
    storage_aws_external_id: str | None = prop(
        default=None,
        source=Source.DESCRIBE,
        doc="External id in the role's trust policy (S3); else Snowflake makes one.",
    )
    storage_aws_object_acl: ObjectAcl | None = prop(
        default=None, source=Source.DESCRIBE, doc="Whether the bucket's owner fully controls unloaded files (S3)."
    )
    azure_tenant_id: str | None = prop(
        default=None, source=Source.DESCRIBE, doc="Tenant of the storage accounts (Azure; required there)."
    )
    use_privatelink_endpoint: bool = prop(
        default=False, source=Source.DESCRIBE, unset=False, doc="Whether private connectivity is used (S3, Azure)."
    )
    # UNSET ENABLED is documented, but leaves it off where Snowflake's Terraform provider tries it: null sets TRUE.
    enabled: bool = prop(default=True, unset=False, doc="Whether stages can use it.")
    storage_allowed_locations: tuple[str, ...] = prop(
        source=Source.DESCRIBE, doc="URLs of buckets, containers and paths that stages may use, or *; in any order."
    )
    storage_blocked_locations: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, doc="URLs that stages may not use, in any order."
    )
    comment: str | None = prop(default=None, doc="Free text.")

    # -- declaration -------------------------------------------------------------------------------------------------

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Refused: Snowflake cannot rename an integration."""
        raise ValueError(
            "Snowflake cannot rename a storage integration: declare the new one, and drop the old one later"
        )

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What the provider needs and does not have, and locations of other clouds."""
        provider = self.storage_provider
        for name, providers in _OF_PROVIDER.items():
            given = getattr(self, name) not in (ABSENT, None, False)
            if given and provider not in providers:
                yield name, f"{name!r} does not exist for {provider}; it is for {', '.join(providers)}"
            if not given and name in _REQUIRED and provider in providers:
                yield "storage_provider", f"{provider} needs {name!r}"
        if not self.storage_allowed_locations:
            yield "storage_allowed_locations", "name at least one location, or '*' for all of them"
        if self.type is IntegrationType.POSTGRES_EXTERNAL_STORAGE:
            if provider not in _S3:
                yield "storage_provider", f"{self.type} is for S3 only"
            if len(self.storage_allowed_locations) > 1:
                yield "storage_allowed_locations", f"{self.type} has exactly one location"
        yield from self._location_mistakes()

    def _location_mistakes(self) -> Iterator[tuple[str, str]]:
        protocols = _PROTOCOLS[self.storage_provider]
        for name in ("storage_allowed_locations", "storage_blocked_locations"):
            for location in getattr(self, name) or ():
                if location != "*" and not location.startswith(protocols):
                    known = " or ".join(protocols)
                    yield name, f"{location!r} is no location of {self.storage_provider}: it begins with {known}"
                elif "," in location:
                    yield name, f"{location!r} holds a comma, which separates locations where Snowflake tells them"

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE STORAGE INTEGRATION, with the type and ENABLED, which its syntax demands."""
        return [self._create("CREATE", address)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE STORAGE INTEGRATION; of what is not declared, only what every provider has is kept."""
        kept = {
            name: value
            for name in ("enabled", "storage_blocked_locations", "comment")
            if getattr(self, name) is ABSENT
            and is_given(value := getattr(live, name))
            and (name != "storage_blocked_locations" or self.storage_provider == live.storage_provider)
        }
        whole: Any = self
        return [attrs.evolve(whole, **kept)._create("CREATE OR REPLACE", address)]

    def _create(self, words: str, address: Address) -> Statement:
        return created(words, self, address, instead={"type": self.type or IntegrationType.EXTERNAL_STAGE})

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs. Locations are compared without their order; an empty list of blocked ones unsets it."""
        found = []
        for change in super().changes(address, live, context):
            if change.path == "storage_aws_external_id" and change.after is None:
                continue  # Snowflake has made one
            if change.path.endswith("_locations") and sorted(change.before or ()) == sorted(change.after or ()):
                continue
            if change.after == ():
                change = attrs.evolve(change, after=None)
            if change.path in _TRUST:
                change = attrs.evolve(change, note="the cloud's own settings must follow")
            found.append(change)
        return found

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Whatever makes another integration of it loses the trust of the cloud."""
        return risk_of(action, changes, _LOST)

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE STORAGE INTEGRATION; what the provider does not have is not among them."""
        told = {str(name).lower(): value for name, value in rows.pick("property", "property_value")}
        return {f.name: told[f.name] for f in cls.spec.fields if f.source is Source.DESCRIBE and f.name in told}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A body that may be only listed, not described."""
        return super().from_raw(only_listed(cls.spec, raw))
