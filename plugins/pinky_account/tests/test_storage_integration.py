"""Storage integrations: statements beside what Snowflake tells, and life on the local account."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_account.storage_integration import StorageIntegration

from pinky_core import (
    Action,
    BlockedPlanError,
    DiagnosticsError,
    Plan,
    Provider,
    Registry,
    Risk,
    Source,
    hookimpl,
    make_registry,
    prop,
    resource,
)
from pinky_core.testing import FakeSession, Laboratory, check_resource_type

ARN = "arn:aws:iam::001234567890:role/r"
S3: dict[str, Any] = {
    "storage_provider": "S3",
    "storage_aws_role_arn": ARN,
    "storage_allowed_locations": ["s3://b/in/", "s3://b/out/"],
}
GCS: dict[str, Any] = {"storage_provider": "gcs", "storage_allowed_locations": ["gcs://b/"]}
AZURE: dict[str, Any] = {
    "storage_provider": "azure",
    "azure_tenant_id": "a123b4c5",
    "storage_allowed_locations": ["azure://a.blob.core.windows.net/c/"],
}
# What DESCRIBE tells of an integration for S3, as Snowflake's Terraform provider reads it.
TOLD = {
    "ENABLED": "true",
    "STORAGE_PROVIDER": "S3",
    "STORAGE_ALLOWED_LOCATIONS": "s3://b/out/,s3://b/in/",
    "STORAGE_BLOCKED_LOCATIONS": "",
    "STORAGE_AWS_IAM_USER_ARN": "arn:aws:iam::1:user/u",
    "STORAGE_AWS_ROLE_ARN": ARN,
    "STORAGE_AWS_EXTERNAL_ID": "MADE_BY_SNOWFLAKE",
    "STORAGE_AWS_OBJECT_ACL": "",
    "USE_PRIVATELINK_ENDPOINT": "false",
    "COMMENT": "",
}


def planned(registry: Registry, document: dict[str, Any], told: dict[str, str] | None = None, **row: Any) -> Plan:
    """The plan beside one live integration; without ``told`` there is none."""
    shown = {"name": "I", "type": "EXTERNAL_STAGE", "category": "STORAGE", "enabled": "true", "comment": None, **row}
    described = [
        {"property": name, "property_type": "String", "property_value": value, "property_default": ""}
        for name, value in (told or {}).items()
    ]
    session = FakeSession(
        {
            "SHOW STORAGE INTEGRATIONS": [shown] if told else [],
            "DESCRIBE STORAGE INTEGRATION I": described,
        }
    )
    laboratory = Laboratory(Provider(session, registry=registry))
    return laboratory.plan({"storage_integration": [{"name": "i", **document}]})


def texts(plan: Plan) -> list[str]:
    return [each.text for each in plan.statements()]


# -- statements --------------------------------------------------------------------------------------------------------


def test_each_provider_is_created_with_its_own_properties(registry: Registry) -> None:
    more = {
        "storage_aws_external_id": "x",
        "storage_aws_object_acl": "bucket-owner-full-control",
        "use_privatelink_endpoint": True,
        "storage_blocked_locations": ["s3://b/in/no/"],
        "comment": "it's",
    }
    assert texts(planned(registry, {**S3, **more, "enabled": False})) == [
        "CREATE STORAGE INTEGRATION I TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' "
        f"STORAGE_AWS_ROLE_ARN = '{ARN}' STORAGE_AWS_EXTERNAL_ID = 'x' "
        "STORAGE_AWS_OBJECT_ACL = 'bucket-owner-full-control' USE_PRIVATELINK_ENDPOINT = TRUE ENABLED = FALSE "
        "STORAGE_ALLOWED_LOCATIONS = ('s3://b/in/', 's3://b/out/') STORAGE_BLOCKED_LOCATIONS = ('s3://b/in/no/') "
        "COMMENT = 'it''s'"
    ]
    assert texts(planned(registry, GCS)) == [
        "CREATE STORAGE INTEGRATION I TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'GCS' ENABLED = TRUE "
        "STORAGE_ALLOWED_LOCATIONS = ('gcs://b/')"
    ]
    assert texts(planned(registry, {**AZURE, "storage_blocked_locations": [], "enabled": None})) == [
        "CREATE STORAGE INTEGRATION I TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'AZURE' AZURE_TENANT_ID = 'a123b4c5' "
        "ENABLED = TRUE STORAGE_ALLOWED_LOCATIONS = ('azure://a.blob.core.windows.net/c/')"
    ]


def test_what_snowflake_tells_is_what_was_declared(registry: Registry) -> None:
    nulls = dict.fromkeys(
        (
            "type", "storage_aws_external_id", "storage_aws_object_acl", "use_privatelink_endpoint", "enabled",
            "storage_blocked_locations", "comment", "azure_tenant_id",
        )
    )  # fmt: skip
    assert planned(registry, {**S3, **nulls}, TOLD).empty
    assert planned(registry, {**S3, "storage_blocked_locations": [], "comment": ""}, TOLD).empty


def test_changes_are_one_set_and_one_unset(registry: Registry) -> None:
    told = {**TOLD, "STORAGE_BLOCKED_LOCATIONS": "s3://b/no/", "STORAGE_AWS_OBJECT_ACL": "bucket-owner-full-control"}
    document = {
        **S3,
        "storage_aws_role_arn": "other",
        "storage_allowed_locations": ["*"],
        "storage_blocked_locations": [],
        "storage_aws_object_acl": None,
        "use_privatelink_endpoint": True,
        "enabled": None,
        "comment": None,
    }
    plan = planned(registry, document, told, enabled="false", comment="c")
    assert texts(plan) == [
        "ALTER STORAGE INTEGRATION I SET STORAGE_AWS_ROLE_ARN = 'other', USE_PRIVATELINK_ENDPOINT = TRUE, "
        "ENABLED = TRUE, STORAGE_ALLOWED_LOCATIONS = ('*')",
        "ALTER STORAGE INTEGRATION I UNSET STORAGE_AWS_OBJECT_ACL, STORAGE_BLOCKED_LOCATIONS, COMMENT",
    ]
    (change,) = plan.changes
    assert change.risk is Risk.SAFE
    notes = {field.path: field.note for field in change.fields}
    assert notes["storage_aws_role_arn"] == "the cloud's own settings must follow"
    back = planned(registry, {**S3, "use_privatelink_endpoint": None}, {**TOLD, "USE_PRIVATELINK_ENDPOINT": "true"})
    assert texts(back) == ["ALTER STORAGE INTEGRATION I SET USE_PRIVATELINK_ENDPOINT = FALSE"]


@pytest.mark.parametrize(
    ("document", "row"),
    [(GCS, {}), ({**S3, "storage_provider": "S3GOV"}, {}), (S3, {"type": "POSTGRES_EXTERNAL_STORAGE"})],
)
def test_provider_and_type_cost_the_trust_of_the_cloud(
    registry: Registry, document: dict[str, Any], row: dict[str, str]
) -> None:
    told = {**TOLD, "STORAGE_BLOCKED_LOCATIONS": "s3://b/no/"}
    plan = planned(registry, {**document, "type": "external_stage"}, told, comment="kept", enabled="false", **row)
    (change,) = plan.changes
    assert (change.action, change.risk) == (Action.REPLACE, Risk.DESTRUCTIVE)
    assert "the identity that the cloud provider trusts" in change.loses
    assert "ALTER STAGE" in change.loses
    (text,) = texts(plan)
    assert text.startswith("CREATE OR REPLACE STORAGE INTEGRATION I TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = ")
    assert " ENABLED = FALSE " in text
    assert text.endswith(" COMMENT = 'kept'")
    assert ("s3://b/no/" in text) is bool(row)  # what is blocked in one cloud means nothing in another


# -- mistakes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({**S3, "storage_aws_role_arn": None}, "S3 needs 'storage_aws_role_arn'"),
        ({**AZURE, "azure_tenant_id": None}, "AZURE needs 'azure_tenant_id'"),
        ({**GCS, "storage_aws_role_arn": ARN}, "'storage_aws_role_arn' does not exist for GCS"),
        ({**GCS, "use_privatelink_endpoint": True}, "'use_privatelink_endpoint' does not exist for GCS"),
        ({**S3, "azure_tenant_id": "t"}, "'azure_tenant_id' does not exist for S3"),
        ({**S3, "storage_allowed_locations": []}, "name at least one location"),
        ({**S3, "storage_allowed_locations": ["gcs://b/"]}, "'gcs://b/' is no location of S3"),
        ({**AZURE, "storage_blocked_locations": ["s3://b/"]}, "'s3://b/' is no location of AZURE"),
        ({**S3, "storage_allowed_locations": ["s3://a/,s3://b/"]}, "holds a comma"),
        ({**S3, "type": "POSTGRES_EXTERNAL_STORAGE"}, "has exactly one location"),
        ({**GCS, "type": "POSTGRES_EXTERNAL_STORAGE"}, "is for S3 only"),
        ({**S3, "storage_aws_object_acl": "private"}, "storage_aws_object_acl"),
        ({"storage_provider": "S3"}, "storage_allowed_locations"),
        ({**S3, "renamed_from": "h"}, "cannot rename a storage integration"),
    ],
)
def test_mistakes_are_told(registry: Registry, document: dict[str, Any], text: str) -> None:
    with pytest.raises(DiagnosticsError, match=text):
        planned(registry, document)


# -- on the local account ----------------------------------------------------------------------------------------------


def test_a_role_gets_usage_of_an_integration_once_it_is_there(laboratory: Laboratory) -> None:
    resources = {
        "account_grant": [
            {"privilege": "usage", "on": {"integration": "i"}, "to_role": "loader"},
            {"privilege": "create integration", "on": {"account": True}, "to_role": "loader"},
        ],
        "role": [{"name": "loader"}],
        "storage_integration": [{"name": "i", **S3}],
    }
    statements = texts(laboratory.plan(resources))
    assert "GRANT USAGE ON INTEGRATION I TO ROLE LOADER" in statements
    assert statements.index("CREATE ROLE LOADER") < statements.index("GRANT USAGE ON INTEGRATION I TO ROLE LOADER")
    assert laboratory.converge(resources).empty


def test_another_provider_is_refused_and_then_allowed(laboratory: Laboratory) -> None:
    assert laboratory.converge({"storage_integration": [{"name": "i", **S3}]}).empty
    other = {"storage_integration": [{"name": "i", **GCS}]}
    with pytest.raises(BlockedPlanError, match="the cloud provider trusts"):
        laboratory.provider.apply(laboratory.plan(other))
    assert laboratory.converge(other).empty


def test_the_external_id_that_snowflake_makes_is_no_difference(laboratory: Laboratory) -> None:
    assert laboratory.converge({"storage_integration": [{"name": "i", **S3}]}).empty
    document = {**S3, "storage_aws_external_id": None}
    assert laboratory.plan({"storage_integration": [{"name": "i", **document}]}).empty
    document = {**S3, "storage_aws_external_id": "mine"}
    assert texts(laboratory.plan({"storage_integration": [{"name": "i", **document}]})) == [
        "ALTER STORAGE INTEGRATION I SET STORAGE_AWS_EXTERNAL_ID = 'mine'"
    ]
    assert laboratory.converge({"storage_integration": [{"name": "i", **document}]}).empty


@resource("storage_integration", scope="account")
class OnS3(StorageIntegration):
    """An integration that always has a role, as one for S3 must: the laws set every other field to null."""

    storage_aws_role_arn: str = prop(source=Source.DESCRIBE)


@resource("storage_integration", scope="account")
class OnAzure(StorageIntegration):
    """The same for Azure and its tenant."""

    azure_tenant_id: str = prop(source=Source.DESCRIBE)


class Only:
    """A plugin with one kind."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [self._kind]


COMMON = {"enabled", "comment", "storage_allowed_locations", "storage_blocked_locations"}
OF_S3 = {"storage_aws_external_id", "storage_aws_object_acl", "use_privatelink_endpoint"}


@pytest.mark.parametrize(
    ("kind", "fixed", "own", "bucket"),
    [
        (OnS3, {"storage_provider": "S3", "storage_aws_role_arn": ARN}, OF_S3, "s3://"),
        (StorageIntegration, {"storage_provider": "GCS"}, set(), "gcs://"),
        (OnAzure, {"storage_provider": "AZURE", "azure_tenant_id": "t"}, {"use_privatelink_endpoint"}, "azure://"),
    ],
    ids=["s3", "gcs", "azure"],
)
def test_laws(laboratory: Laboratory, kind: Any, fixed: dict[str, Any], own: set[str], bucket: str) -> None:
    paths = [f"{bucket}{path}" for path in ("a/", "b/c d/", "it's/ß/")]
    locations = st.lists(st.sampled_from(paths), min_size=1, unique=True)
    provider = Provider(laboratory.provider.session, registry=make_registry({"integrations": Only(kind)}))
    check_resource_type(
        kind,
        Laboratory(provider),
        values={
            "storage_allowed_locations": locations,
            "storage_blocked_locations": locations,
            "storage_aws_external_id": st.sampled_from(("one", "it's two")),
        },
        fixed=fixed,
        skip=set(StorageIntegration.spec.by_name) - COMMON - own - set(fixed),
        renames=False,
        max_examples=6,
    )
