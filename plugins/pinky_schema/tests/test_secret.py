"""Secrets: statements of plain values, the version's marker, and the whole life on a local account."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_local.account import LocalAccount
from pinky_schema.secret import Algorithm, Secret, SecretType

from pinky_core import (
    ABSENT,
    Action,
    Address,
    BlockedPlanError,
    Context,
    DiagnosticsError,
    Identifier,
    Names,
    Outcome,
    PinkyError,
    Provider,
    Risk,
    Rows,
    SecretError,
    SecretReference,
    Session,
    make_registry,
    plan_to_json,
)
from pinky_core.testing import FakeSession, Laboratory, check_resource_type
from pinky_core.versions import marked

ADDRESS = Address("secret", (Identifier("D"), Identifier("S"), Identifier("KEY")))
CONTEXT = Context(Names(()), {})
KEY = SecretReference("env", "PINKY_TEST_KEY")
PLANTED = "planted-9f3'c\\1e"


class OnlySecrets:
    """A plugin with the one kind under test."""

    from pinky_core import hookimpl

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [Secret]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAccount]:
    monkeypatch.setenv("PINKY_TEST_KEY", PLANTED)
    with LocalAccount(data=False) as account:
        yield account
        assert not account.internal_errors


@pytest.fixture
def laboratory(account: LocalAccount) -> Iterator[Laboratory]:
    with account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"secrets": OnlySecrets()}))
        yield Laboratory(provider, "schema", "D.S")


def statements(desired: Secret, live: Secret) -> list[str]:
    changes = desired.changes(ADDRESS, live, CONTEXT)
    return [str(each) for each in desired.alter(ADDRESS, live, changes, CONTEXT)]


def string(name: str = "key", **fields: Any) -> dict[str, Any]:
    return {"name": name, "type": "GENERIC_STRING", "secret_string": "env:PINKY_TEST_KEY", **fields}


# -- laws ------------------------------------------------------------------------------------------------------------

_COMMENTS = st.sampled_from(("", "it's", "two\nlines", "ends in ]", "a [pinky version x]", "back\\slash "))
_OF_NO_STRING = {
    "username", "password", "api_authentication", "oauth_scopes", "oauth_refresh_token",
    "oauth_refresh_token_expiry_time", "enabled", "algorithm",
}  # fmt: skip


def test_laws_of_a_string(laboratory: Laboratory) -> None:
    fixed = {"type": "generic_string", "secret_string": "env:PINKY_TEST_KEY", "version": 4}
    values = {"comment": _COMMENTS}
    check_resource_type(Secret, laboratory, values=values, fixed=fixed, skip=_OF_NO_STRING, renames=False)


def test_another_user_name_is_set(laboratory: Laboratory) -> None:
    document = {"name": "key", "type": "PASSWORD", "password": "env:PINKY_TEST_KEY", "username": "ann"}
    assert laboratory.converge({"secret": [document]}).empty
    plan = laboratory.plan({"secret": [{**document, "username": "o'neil"}]})
    assert [str(each) for each in plan.statements()] == ["ALTER SECRET D.S.KEY SET USERNAME = 'o''neil'"]
    laboratory.apply(plan)
    assert laboratory.plan({"secret": [{**document, "username": "o'neil"}]}).empty


# -- statements ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        (
            Secret(type=SecretType.GENERIC_STRING, secret_string=KEY, comment="it's", version=3),
            "TYPE = GENERIC_STRING SECRET_STRING = '<env:PINKY_TEST_KEY>' COMMENT = 'it''s [pinky version 3]'",
        ),
        (
            Secret(type=SecretType.PASSWORD, username="o'neil", password=KEY),
            "TYPE = PASSWORD USERNAME = 'o''neil' PASSWORD = '<env:PINKY_TEST_KEY>'",
        ),
        (
            Secret(type=SecretType.OAUTH2, api_authentication=Identifier("my int"), oauth_scopes=("a", "b c")),
            "TYPE = OAUTH2 API_AUTHENTICATION = \"my int\" OAUTH_SCOPES = ('a', 'b c')",
        ),
        (
            Secret(
                type=SecretType.OAUTH2,
                api_authentication=Identifier("I"),
                oauth_refresh_token=KEY,
                oauth_refresh_token_expiry_time="2030-01-06 20:00:00",
                version=1,
            ),
            "TYPE = OAUTH2 API_AUTHENTICATION = I OAUTH_REFRESH_TOKEN = '<env:PINKY_TEST_KEY>'"
            " OAUTH_REFRESH_TOKEN_EXPIRY_TIME = '2030-01-06 20:00:00' COMMENT = '[pinky version 1]'",
        ),
        (
            Secret(type=SecretType.CLOUD_PROVIDER_TOKEN, api_authentication=Identifier("AWS"), enabled=True),
            "TYPE = CLOUD_PROVIDER_TOKEN API_AUTHENTICATION = AWS ENABLED = TRUE",
        ),
        (
            Secret(type=SecretType.SYMMETRIC_KEY, algorithm=Algorithm.GENERIC),
            "TYPE = SYMMETRIC_KEY ALGORITHM = GENERIC",
        ),
        (Secret(type=SecretType.WORKLOAD_IDENTITY_FEDERATION), "TYPE = WORKLOAD_IDENTITY_FEDERATION"),
    ],
)
def test_create_of_every_type(secret: Secret, text: str) -> None:
    assert list(secret.contradictions()) == []
    assert [str(each) for each in secret.create(ADDRESS, CONTEXT)] == [f"CREATE SECRET D.S.KEY {text}"]


def test_a_raised_version_sets_the_value_again_and_its_marker() -> None:
    live = Secret(type=SecretType.GENERIC_STRING, comment="c", version=1)
    wanted = Secret(type=SecretType.GENERIC_STRING, secret_string=KEY, version=2)
    assert statements(wanted, live) == [
        "ALTER SECRET D.S.KEY SET SECRET_STRING = '<env:PINKY_TEST_KEY>' COMMENT = 'c [pinky version 2]'"
    ]


def test_a_new_comment_keeps_the_marker_of_a_version_that_is_not_declared() -> None:
    live = Secret(type=SecretType.GENERIC_STRING, comment="c", version=7)
    wanted = Secret(type=SecretType.GENERIC_STRING, secret_string=KEY, comment="d")
    assert statements(wanted, live) == ["ALTER SECRET D.S.KEY SET COMMENT = 'd [pinky version 7]'"]


def test_a_version_that_is_given_up_takes_its_marker_and_no_value() -> None:
    live = Secret(type=SecretType.GENERIC_STRING, comment="c", version=7)
    wanted = Secret(type=SecretType.GENERIC_STRING, secret_string=KEY, version=None)
    assert statements(wanted, live) == ["ALTER SECRET D.S.KEY SET COMMENT = 'c'"]


def test_the_reference_alone_is_no_difference() -> None:
    live = Secret(type=SecretType.GENERIC_STRING, comment=None, version=1)
    wanted = Secret(type=SecretType.GENERIC_STRING, secret_string=SecretReference("file", "/other"), version=1)
    assert wanted.changes(ADDRESS, live, CONTEXT) == []


def test_the_integration_of_a_cloud_token_is_altered_that_of_oauth_is_not() -> None:
    for kind, expected in ((SecretType.CLOUD_PROVIDER_TOKEN, "alter"), (SecretType.OAUTH2, "refuse")):
        live = Secret(type=kind, api_authentication=Identifier("A"), comment=None, version=None)
        wanted = Secret(type=kind, api_authentication=Identifier("B"))
        (change,) = wanted.changes(ADDRESS, live, CONTEXT)
        assert change.on_change.value == expected
    assert statements(
        Secret(type=SecretType.CLOUD_PROVIDER_TOKEN, api_authentication=Identifier("B")),
        Secret(type=SecretType.CLOUD_PROVIDER_TOKEN, api_authentication=Identifier("A")),
    ) == ["ALTER SECRET D.S.KEY SET API_AUTHENTICATION = B"]


def test_replacing_is_one_atomic_statement() -> None:
    live = Secret(type=SecretType.PASSWORD, username="u")
    wanted = Secret(type=SecretType.GENERIC_STRING, secret_string=KEY, version=1)
    changes = wanted.changes(ADDRESS, live, CONTEXT)
    assert [str(each) for each in wanted.replace(ADDRESS, live, changes, CONTEXT)] == [
        "CREATE OR REPLACE SECRET D.S.KEY TYPE = GENERIC_STRING SECRET_STRING = '<env:PINKY_TEST_KEY>'"
        " COMMENT = '[pinky version 1]'"
    ]


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comment", ["", "plain", "two\nlines", "ends in space ", "x [pinky version 1] y"])
@pytest.mark.parametrize("version", [None, 1, 12])
def test_comment_and_version_come_back_as_they_were_written(comment: str, version: int | None) -> None:
    row = {"name": "KEY", "comment": marked(comment, version), "secret_type": "GENERIC_STRING"}
    live = Secret.from_raw(Secret.from_row(row))
    assert (live.comment or "", live.version) == (comment, version)


def test_a_type_printed_the_short_way_is_no_difference() -> None:
    live = Secret.from_raw(Secret.from_row({"name": "KEY", "comment": None, "secret_type": "GENERIC"}))
    assert live.type is SecretType.GENERIC_STRING


def test_description_has_one_row() -> None:
    rows = Rows(("name", "username", "integration_name"), [("KEY", None, "my int")])
    live = Secret.from_raw({"type": "OAUTH2", **Secret.from_description(rows)})
    assert (live.api_authentication, live.username) == (Identifier("my int"), None)


def test_only_secrets_that_declare_a_described_field_are_described() -> None:
    session = FakeSession(
        {
            "SHOW DATABASES": [{"name": "D"}],
            "SHOW SCHEMAS IN DATABASE D": [{"name": "S"}],
            "SHOW SECRETS IN SCHEMA D.S": [
                {"name": name, "secret_type": kind, "comment": ""}
                for name, kind in (("A", "PASSWORD"), ("B", "GENERIC_STRING"), ("C", "PASSWORD"))
            ],
            "DESCRIBE SECRET D.S.A": [{"name": "A", "username": "ann", "integration_name": None}],
        }
    )
    provider = Provider(session, registry=make_registry({"secrets": OnlySecrets()}))
    password = {"name": "a", "type": "PASSWORD", "username": "ann", "password": "env:X"}
    plan = Laboratory(provider, "schema", "D.S").plan({"secret": [password, string("b")]})
    assert plan.empty
    assert [each for each in session.statements if each.startswith("DESC")] == ["DESCRIBE SECRET D.S.A"]


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "GENERIC_STRING"}, "needs 'secret_string'"),
        ({"type": "PASSWORD", "username": "u"}, "needs 'password'"),
        ({"type": "OAUTH2", "oauth_scopes": ["a"]}, "needs 'api_authentication'"),
        ({**string(), "username": "u"}, "'username' belongs to PASSWORD, not to GENERIC_STRING"),
        ({"type": "SYMMETRIC_KEY", "algorithm": "GENERIC", "comment": "c"}, "'comment' belongs to"),
        ({"type": "WORKLOAD_IDENTITY_FEDERATION", "version": 1}, "'version' belongs to"),
        ({"type": "OAUTH2", "api_authentication": "i", "oauth_refresh_token": "env:X"}, "need each other"),
        ({"type": "OAUTH2", "api_authentication": "i", "version": 1}, "client credentials have none"),
        (
            {
                "type": "OAUTH2",
                "api_authentication": "i",
                "oauth_refresh_token": "env:X",
                "oauth_refresh_token_expiry_time": "t",
                "oauth_scopes": ["a"],
            },
            "not both",
        ),
        (string(comment="mine [pinky version 3]"), "may not end in"),
        (string(renamed_from="old"), "cannot rename a secret"),
    ],
)
def test_contradictions_are_refused_before_anything_is_sent(fields: dict[str, Any], message: str) -> None:
    session = FakeSession()
    provider = Provider(session, registry=make_registry({"secrets": OnlySecrets()}))
    with pytest.raises(DiagnosticsError, match=message):
        Laboratory(provider, "schema", "D.S").plan({"secret": [{"name": "key", **fields}]})
    assert session.statements == []


def test_a_lower_version_is_refused(laboratory: Laboratory) -> None:
    assert laboratory.converge({"secret": [string(version=3)]}).empty
    with pytest.raises(DiagnosticsError, match="version 2 is lower than version 3"):
        laboratory.plan({"secret": [string(version=2)]})


def test_another_type_needs_a_permission(laboratory: Laboratory) -> None:
    laboratory.apply(laboratory.plan({"secret": [string()]}))
    document = {"name": "key", "type": "PASSWORD", "username": "u", "password": "env:PINKY_TEST_KEY"}
    plan = laboratory.plan({"secret": [document]})
    (change,) = plan.changes
    assert (change.action, change.risk, change.loses) == (
        Action.REPLACE,
        Risk.DESTRUCTIVE,
        "the secret's value and its grants",
    )
    with pytest.raises(BlockedPlanError):
        laboratory.provider.apply(plan)
    laboratory.apply(plan)
    assert laboratory.plan({"secret": [document]}).empty


# -- the version and the value on an account --------------------------------------------------------------------------


def values_sent(account: LocalAccount) -> list[str]:
    return [each for each in account.journal.statements(raw=True) if "SECRET_STRING" in each]


def test_the_version_survives_without_a_state_file(account: LocalAccount, laboratory: Laboratory) -> None:
    laboratory.apply(laboratory.plan({"secret": [string(version=1, comment="c")]}))
    assert laboratory.plan({"secret": [string(version=1)]}).empty
    raised = laboratory.plan({"secret": [string(version=2)]})
    assert [change.path for change in raised.changes[0].fields] == ["version"]
    laboratory.apply(raised)
    rows = laboratory.provider.session.execute("SHOW SECRETS IN SCHEMA D.S")
    assert [row["comment"] for row in rows] == ["c [pinky version 2]"]
    assert laboratory.plan({"secret": [string(version=2, comment="c")]}).empty
    spelled = "SECRET_STRING = 'planted-9f3''c\\\\1e'"
    assert [spelled in each for each in values_sent(account)] == [True, True]


def everything_of(value: object) -> str:
    """What a person could come to see of an exception: text, repr, and those behind it."""
    shown = []
    while isinstance(value, BaseException):
        shown += [str(value), repr(value)]
        value = value.__cause__ or value.__context__
    return "\n".join(shown)


def test_a_planted_value_is_in_nothing_that_is_written(
    account: LocalAccount,
    laboratory: Laboratory,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "key").write_text(PLANTED + "\n")
    resources = {
        "secret": [
            string("a", version=1),
            {"name": "b", "type": "PASSWORD", "username": "u", "password": f"file:{tmp_path / 'key'}"},
        ]
    }
    plan = laboratory.plan(resources)
    report = laboratory.apply(plan)
    laboratory.execute("DROP SECRET D.S.A")
    laboratory.execute("CREATE TABLE D.S.A (X INT)")
    again = laboratory.plan(resources)
    laboratory.execute("DROP SCHEMA D.S")
    with pytest.raises(PinkyError) as raised:
        laboratory.provider.apply(again)
    written = {
        "plan": repr(plan) + "\n".join(map(str, plan.statements())),
        "plan file": plan_to_json(plan) + plan_to_json(again),
        "report": repr(report),
        "error": everything_of(raised.value),
        "log": caplog.text + "".join(repr(each.__dict__) for each in caplog.records),
        "output": "".join(capfd.readouterr()),
        "journal": "\n".join([*account.journal.statements(), *map(repr, account.journal.entries())]),
    }
    for where, text in written.items():
        for spelled in (PLANTED, PLANTED.replace("'", "''").replace("\\", "\\\\"), "planted-9f3"):
            assert spelled not in text, f"the {where} holds the value"
    assert "env:PINKY_TEST_KEY" in written["plan"]


class Talkative:
    """A session whose driver logs the beginning of every statement, as the connector did before version 5."""

    concurrency = 1

    def __init__(self, session: Session) -> None:
        self._session = session

    def execute(self, statement: str, parameters: Any = ()) -> Rows:
        logging.getLogger("snowflake.connector.cursor").debug("running query [%s]", statement[:74])
        return self._session.execute(statement, parameters)


def test_a_driver_that_logs_statements_logs_no_secret(laboratory: Laboratory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider = Provider(Talkative(laboratory.provider.session), registry=laboratory.provider.registry)
    assert Laboratory(provider, "schema", "D.S").converge({"secret": [string(version=1)]}).empty
    assert "running query [SHOW SECRETS IN SCHEMA D.S]" in caplog.text
    assert "(not shown: a statement with a secret is being sent)" in caplog.text
    assert "CREATE SECRET" not in "".join(line for line in caplog.text.splitlines() if "running query" in line)
    assert "planted" not in caplog.text


def test_a_refused_statement_is_reported_without_the_value(laboratory: Laboratory) -> None:
    plan = laboratory.plan({"secret": [string()]})
    laboratory.execute("CREATE SECRET D.S.OTHER TYPE = GENERIC_STRING SECRET_STRING = 'x'")

    class Refusing:
        """An account that repeats the statement in its error, as Snowflake does for a syntax error."""

        concurrency = 1

        def execute(self, statement: str, parameters: Any = ()) -> Rows:
            if statement.startswith("CREATE SECRET"):
                raise RuntimeError(f"cannot run {statement}")
            return laboratory.provider.session.execute(statement, parameters)

    provider = Provider(Refusing(), registry=laboratory.provider.registry)
    report = provider.apply(plan)
    (event,) = report.of(Outcome.FAILED)
    assert "planted" not in repr(report)
    assert event.statement.endswith("SECRET_STRING = '<env:PINKY_TEST_KEY>'")


def test_a_missing_value_names_the_reference_only(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = laboratory.plan({"secret": [string()]})
    monkeypatch.delenv("PINKY_TEST_KEY")
    with pytest.raises(SecretError, match=r"nothing was run: the environment variable PINKY_TEST_KEY is not set\Z"):
        laboratory.provider.apply(plan)


def test_a_value_in_the_manifest_is_refused_without_repeating_it(laboratory: Laboratory) -> None:
    with pytest.raises(DiagnosticsError) as raised:
        laboratory.plan({"secret": [{"name": "key", "type": "GENERIC_STRING", "secret_string": PLANTED}]})
    assert "planted" not in everything_of(raised.value)


def test_an_absent_version_is_not_compared() -> None:
    live = Secret(type=SecretType.GENERIC_STRING, comment=None, version=9)
    wanted = Secret(type=SecretType.GENERIC_STRING, secret_string=KEY)
    assert wanted.version is ABSENT
    assert wanted.changes(ADDRESS, live, CONTEXT) == []
