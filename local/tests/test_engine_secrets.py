"""Secrets of the catalog engine, against create-secret, alter-secret, desc-secret and show-secrets."""

from __future__ import annotations

import pytest
from engine_account import Speaker, in_schema, speaker

VALUE = "planted-9c1f"


@pytest.fixture
def account() -> Speaker:
    return in_schema()


def everything_said(account: Speaker) -> str:
    return repr([account.run(sql) for sql in ("SHOW SECRETS", "DESC SECRET k", "SHOW GRANTS ON SECRET k")])


def test_a_generic_string_is_taken_and_never_shown(account: Speaker) -> None:
    account.run(f"CREATE SECRET k TYPE = GENERIC_STRING SECRET_STRING = '{VALUE}' COMMENT = 'token'")
    shown = account.one("SHOW SECRETS IN SCHEMA d.s")
    assert list(shown) == [
        "created_on", "name", "schema_name", "database_name", "owner", "comment", "secret_type", "oauth_scopes",
        "owner_role_type",
    ]  # fmt: skip
    assert (shown["name"], shown["secret_type"], shown["comment"]) == ("K", "GENERIC_STRING", "token")
    assert shown["oauth_scopes"] is None
    account.run(f"ALTER SECRET k SET SECRET_STRING = '{VALUE}2' COMMENT = 'rotated'")
    assert account.one("SHOW SECRETS")["comment"] == "rotated"
    assert VALUE not in everything_said(account)


def test_a_password_shows_its_user_name(account: Speaker) -> None:
    account.run(f"CREATE SECRET k TYPE = PASSWORD USERNAME = 'jsmith1' PASSWORD = '{VALUE}'")
    described = account.one("DESC SECRET k")
    assert (described["secret_type"], described["username"]) == ("PASSWORD", "jsmith1")
    account.run(f"ALTER SECRET k SET USERNAME = 'other', PASSWORD = '{VALUE}2'")
    assert account.one("DESC SECRET k")["username"] == "other"
    assert VALUE not in everything_said(account)


def test_a_symmetric_key_shows_its_algorithm_and_length(account: Speaker) -> None:
    account.run("CREATE SECRET k TYPE = SYMMETRIC_KEY ALGORITHM = GENERIC")
    described = account.one("DESC SECRET k")
    assert described["secret_type"] == "SYMMETRIC_KEY"
    assert (described["algorithm"], described["key_length"]) == ("GENERIC", 256)


def test_workload_identity_federation_shows_issuer_and_subject(account: Speaker) -> None:
    account.run("CREATE SECRET k TYPE = WORKLOAD_IDENTITY_FEDERATION")
    described = account.one("DESC SECRET k")
    assert described["workload_identity_federation_issuer"]
    assert described["workload_identity_federation_subject"]


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("CREATE SECRET k SECRET_STRING = 'x'", 2029),
        ("CREATE SECRET k TYPE = GENERIC_STRING", 2029),
        ("CREATE SECRET k TYPE = PASSWORD USERNAME = 'x'", 2029),
        ("CREATE SECRET k TYPE = KEYRING", 1422),
        ("CREATE SECRET k TYPE = SYMMETRIC_KEY ALGORITHM = ROT13", 1422),
        ("CREATE SECRET k TYPE = GENERIC_STRING SECRET_STRING = 'x' USERNAME = 'y'", 1420),
        ("CREATE SECRET k TYPE = GENERIC_STRING SECRET_STRING = 'x' SIZE = 3", 1420),
        ("CREATE SECRET k TYPE = OAUTH2 API_AUTHENTICATION = nothing OAUTH_SCOPES = ('a')", 2003),
        ("CREATE OR ALTER SECRET k TYPE = GENERIC_STRING SECRET_STRING = 'x'", 2),
    ],
)
def test_what_is_wrong_is_refused_without_repeating_a_value(account: Speaker, sql: str, errno: int) -> None:
    assert account.refused(sql.replace("'x'", f"'{VALUE}'")).errno == errno
    assert VALUE not in account.refused(sql.replace("'x'", f"'{VALUE}'")).message
    assert account.run("SHOW SECRETS") == []


def test_the_type_stays_and_nothing_can_be_unset(account: Speaker) -> None:
    account.run("CREATE SECRET k TYPE = GENERIC_STRING SECRET_STRING = 'x' COMMENT = 'c'")
    assert account.refused("ALTER SECRET k SET TYPE = PASSWORD").errno == 1420
    assert account.refused("ALTER SECRET k SET USERNAME = 'y'").errno == 1420
    assert account.refused("ALTER SECRET k UNSET COMMENT").errno == 1003
    assert account.refused("ALTER SECRET k RENAME TO l").errno == 1003
    account.run("ALTER SECRET k SET COMMENT = ''")
    assert account.one("SHOW SECRETS")["comment"] in ("", None)
    account.run("ALTER SECRET IF EXISTS nothing SET COMMENT = 'x'", "DROP SECRET k", "DROP SECRET IF EXISTS k")
    assert account.run("SHOW SECRETS") == []


def test_privileges_on_secrets(account: Speaker) -> None:
    account.run(
        "CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r",
        "GRANT USAGE ON SCHEMA d.s TO ROLE r", "CREATE SECRET k TYPE = GENERIC_STRING SECRET_STRING = 'x'",
    )  # fmt: skip
    reader = speaker(account.engine, "R")
    assert reader.run("SHOW SECRETS IN SCHEMA d.s") == []
    account.run("GRANT USAGE ON SECRET k TO ROLE r", "GRANT READ ON SECRET k TO ROLE r")
    assert reader.one("DESC SECRET d.s.k")["name"] == "K"
    assert reader.refused("ALTER SECRET d.s.k SET SECRET_STRING = 'y'").errno == 3001
    assert account.refused("GRANT SELECT ON SECRET k TO ROLE r").errno != 0
