"""Stages through the real connector on a local account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_schema.format_options import same_text
from pinky_schema.stage import EncryptionType, Stage

from pinky_core import BlockedPlanError, DiagnosticsError, Provider, Risk, hookimpl, make_registry
from pinky_core.testing import Laboratory, check_resource_type


class OnlyStages:
    """A plugin with the one kind under test."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [Stage]


INTEGRATION = (
    "CREATE STORAGE INTEGRATION {} TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = S3 ENABLED = TRUE"
    " STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://b/')"
)


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in (
            "CREATE DATABASE D",
            "CREATE SCHEMA D.S",
            INTEGRATION.format("I"),
            INTEGRATION.format("J"),
            "CREATE FILE FORMAT D.S.F TYPE = JSON",
        ):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"stages": OnlyStages()}))
        yield Laboratory(provider, "schema", "D.S")
        assert not account.internal_errors


def apply(laboratory: Laboratory, **fields: Any) -> list[str]:
    """Apply one stage, check that the second plan is empty, and answer the statements."""
    document = {"stage": [{"name": "st", **fields}]}
    plan = laboratory.plan(document)
    laboratory.apply(plan)
    again = laboratory.plan(document)
    assert again.empty, [(change.reason, change.fields) for change in again.changes]
    return [statement.text for statement in plan.statements()]


def test_internal_stage_with_directory_table(laboratory: Laboratory) -> None:
    statements = apply(laboratory, directory={"enable": True}, encryption={"type": "snowflake_full"}, comment="c'")
    assert statements == [
        "CREATE STAGE D.S.ST ENCRYPTION = (TYPE = 'SNOWFLAKE_FULL') DIRECTORY = (ENABLE = TRUE) COMMENT = 'c'''"
    ]
    assert apply(laboratory, directory={"enable": False}) == ["ALTER STAGE D.S.ST SET DIRECTORY = (ENABLE = FALSE)"]
    assert apply(laboratory, comment=None) == ["ALTER STAGE D.S.ST SET COMMENT = ''"]


@pytest.mark.parametrize(
    ("fields", "described"),
    [
        ({"directory": {"enable": True}}, False),
        ({"directory": {"enable": True, "refresh_on_create": False}}, False),
        ({"directory": None}, False),
        ({"directory": {"enable": True, "auto_refresh": False}}, True),
        ({"directory": {"enable": True}, "file_format": {"type": "JSON"}}, True),
    ],
)
def test_what_show_tells_is_not_asked_of_describe(
    laboratory: Laboratory, fields: dict[str, Any], described: bool
) -> None:
    session = laboratory.provider.session
    apply(laboratory, **fields)
    sent: list[str] = []
    run = session.execute
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "execute", lambda text, *values: sent.append(text) or run(text, *values))
        assert laboratory.plan({"stage": [{"name": "st", **fields}]}).empty
    assert any(each.startswith("SHOW STAGES") for each in sent)
    assert any(each.startswith("DESCRIBE STAGE") for each in sent) == described


def test_external_stage_changes_in_place(laboratory: Laboratory) -> None:
    statements = apply(laboratory, url="s3://b/x/", storage_integration="i")
    assert statements == ["CREATE STAGE D.S.ST URL = 's3://b/x/' STORAGE_INTEGRATION = I"]
    statements = apply(laboratory, url="s3://b/y/", storage_integration="j", comment="moved")
    assert statements == ["ALTER STAGE D.S.ST SET URL = 's3://b/y/' STORAGE_INTEGRATION = J COMMENT = 'moved'"]


def test_inline_file_format_compares_only_declared_options(laboratory: Laboratory) -> None:
    format_ = {"type": "CSV", "field_delimiter": "\t", "null_if": ["", "NULL", "\\N"], "skip_header": 1}
    statements = apply(laboratory, file_format=format_)
    assert statements == [
        "CREATE STAGE D.S.ST FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = '\t' SKIP_HEADER = 1"
        " NULL_IF = ('', 'NULL', '\\\\N'))"
    ]
    assert apply(laboratory, file_format={"skip_header": 1}) == []
    assert apply(laboratory, file_format={"type": "JSON", "strip_outer_array": True}) == [
        "ALTER STAGE D.S.ST SET FILE_FORMAT = (TYPE = JSON STRIP_OUTER_ARRAY = TRUE)"
    ]
    assert apply(laboratory, file_format=None) == ["ALTER STAGE D.S.ST SET FILE_FORMAT = (TYPE = CSV)"]


def test_named_file_format_is_completed(laboratory: Laboratory) -> None:
    assert apply(laboratory, file_format={"format_name": "f"}) == [
        "CREATE STAGE D.S.ST FILE_FORMAT = (FORMAT_NAME = 'D.S.F')"
    ]
    assert apply(laboratory, file_format={"format_name": "d.s.F"}) == []


def test_internal_and_external_are_never_turned_into_each_other_unasked(laboratory: Laboratory) -> None:
    apply(laboratory, comment="files")
    document = {"stage": [{"name": "st", "url": "s3://b/"}]}
    plan = laboratory.plan(document)
    (change,) = plan.changes
    assert change.risk is Risk.DESTRUCTIVE
    assert "every file" in change.loses
    with pytest.raises(BlockedPlanError, match="every file"):
        laboratory.provider.apply(plan)
    assert apply(laboratory, url="s3://b/") == ["CREATE OR REPLACE STAGE D.S.ST URL = 's3://b/'"]


def test_auto_refresh_needs_a_new_stage(laboratory: Laboratory) -> None:
    apply(laboratory, url="s3://b/", directory={"enable": True})
    plan = laboratory.plan(
        {"stage": [{"name": "st", "url": "s3://b/", "directory": {"enable": True, "auto_refresh": True}}]}
    )
    (change,) = plan.changes
    assert (change.risk, change.fields[0].path) == (Risk.DESTRUCTIVE, "directory.auto_refresh")
    assert "streams" in change.loses
    assert "every file" not in change.loses


def test_credentials_stay_references(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "key'value")
    monkeypatch.setenv("SECRET", "secret-value")
    fields = {"credentials": {"aws_key_id": "env:KEY", "aws_secret_key": "env:SECRET"}}
    statements = apply(laboratory, url="s3://b/", **fields)
    assert statements == [
        "CREATE STAGE D.S.ST URL = 's3://b/' CREDENTIALS = (AWS_KEY_ID = '<env:KEY>' AWS_SECRET_KEY = '<env:SECRET>')"
    ]
    (row,) = laboratory.provider.session.execute("SHOW STAGES IN SCHEMA D.S")
    assert row["has_credentials"] == "Y"
    # a new place needs its credentials again
    (moved,) = apply(laboratory, url="s3://c/", **fields)
    assert moved.startswith("ALTER STAGE D.S.ST SET URL = 's3://c/' CREDENTIALS = (")


def test_integration_gives_way_to_credentials(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLE", "arn")
    apply(laboratory, url="s3://b/", storage_integration="i")
    credentials = {"aws_role": "env:ROLE"}
    assert apply(laboratory, url="s3://b/", storage_integration=None, credentials=credentials) == [
        "ALTER STAGE D.S.ST SET CREDENTIALS = (AWS_ROLE = '<env:ROLE>')"
    ]


def test_encryption_of_an_internal_stage_is_read_from_its_type() -> None:
    row = {"name": "ST", "type": "INTERNAL NO CSE", "url": "", "directory_enabled": "N", "comment": ""}
    live = Stage.from_raw(Stage.from_row(row))
    assert live.encryption is not None
    assert live.encryption.type is EncryptionType.SNOWFLAKE_SSE


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("\n", "\\n", True), ("\\", "\\\\", True), ("none", "NONE", True), (",", ";", False), ("\\N", "\\\\N", True)],
)
def test_texts_of_options(one: str, other: str, same: bool) -> None:
    assert same_text(one, other) is same


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"url": None, "storage_integration": "i"}, "is for external stages"),
        ({"storage_integration": "i"}, "is for external stages"),
        ({"url": "s3://b/", "storage_integration": "i", "credentials": {}}, "exclude each other"),
        ({"url": "s3://b/", "encryption": {"type": "SNOWFLAKE_SSE"}}, "is for internal stages"),
        ({"file_format": {"type": "JSON", "skip_header": 1}}, "'skip_header' is not an option of JSON"),
        ({"file_format": {"format_name": "f", "type": "CSV"}}, "stands alone"),
        ({"file_format": {"skip_headers": 1}}, "skip_header"),
        ({"directory": {"auto_refresh": True}}, "needs 'enable"),
        ({"credentials": {"aws_key_id": "AKIA"}}, "credentials.aws_key_id"),
    ],
)
def test_mistakes_are_told(laboratory: Laboratory, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(DiagnosticsError, match=text):
        laboratory.plan({"stage": [{"name": "st", **fields}]})


def test_laws(laboratory: Laboratory) -> None:
    from hypothesis import strategies as st

    check_resource_type(
        Stage,
        laboratory,
        values={
            "directory": st.sampled_from(({"enable": True}, {"enable": False})),
            "file_format": st.sampled_from(
                ({"type": "CSV", "skip_header": 2}, {"type": "PARQUET", "trim_space": True}, {"format_name": "f"})
            ),
        },
        fixed={"url": "s3://b/p/"},
        skip={"encryption", "endpoint", "credentials"},
        max_examples=8,
    )
