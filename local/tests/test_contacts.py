from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector
from pinky_local import LocalAccount

COLUMNS = 'purpose, email_distribution_list, url, "USER", level'
GET = f"SELECT {COLUMNS} FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS({{}})) ORDER BY 1, 4"


class World:
    """An account with database D, schema S, and one connection for each role."""

    def __init__(self, account: LocalAccount) -> None:
        self.account = account
        self._connections: dict[str, Any] = {}

    def sql(self, text: str, role: str = "ACCOUNTADMIN") -> list[Any]:
        if role not in self._connections:
            parameters = self.account.connection_parameters(role=role)
            self._connections[role] = snowflake.connector.connect(**parameters)
            self._connections[role].cursor().execute("USE SECONDARY ROLES NONE")
        return list(self._connections[role].cursor().execute(text).fetchall())

    def contacts(self, arguments: str, role: str = "ACCOUNTADMIN") -> list[Any]:
        return self.sql(GET.format(arguments), role)

    def refused(self, errno: int, text: str, role: str = "ACCOUNTADMIN") -> str:
        with pytest.raises(snowflake.connector.errors.ProgrammingError) as caught:
            self.sql(text, role)
        assert caught.value.errno == errno, caught.value
        return str(caught.value)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


@pytest.fixture
def world() -> Iterator[World]:
    with LocalAccount() as account:
        found = World(account)
        for text in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE TABLE D.S.T (A INT)", "CREATE ROLE R",
            "GRANT ROLE R TO USER PINKY", "GRANT USAGE ON WAREHOUSE COMPUTE_WH TO ROLE R",
            "GRANT USAGE ON DATABASE D TO ROLE R", "GRANT USAGE ON SCHEMA D.S TO ROLE R",
        ):  # fmt: skip
            found.sql(text)
        yield found
        found.close()


def test_a_contact_has_one_method_and_changes_to_another(world: World) -> None:
    world.sql("CREATE CONTACT D.S.C EMAIL_DISTRIBUTION_LIST = 'a@example.com' COMMENT = 'who'")
    shown = [row[1:] for row in world.sql("SHOW CONTACTS IN SCHEMA D.S")]
    assert shown == [("C", "D", "S", "ACCOUNTADMIN", "who", "ROLE", "a@example.com", None, 0, None)]
    world.sql("ALTER CONTACT D.S.C SET URL = 'https://example.com/x'")
    assert world.sql("SHOW CONTACTS IN SCHEMA D.S")[0][7:] == (None, "https://example.com/x", 0, None)
    world.sql("ALTER CONTACT D.S.C SET USERS = ('pinky')")
    assert world.sql("SHOW CONTACTS IN SCHEMA D.S")[0][7:] == (None, None, 1, '["PINKY"]')
    assert world.sql("CREATE CONTACT IF NOT EXISTS D.S.C URL = 'x'")[0][0] == "C already exists, statement succeeded."
    world.refused(1003, "DESCRIBE CONTACT D.S.C")
    world.sql("DROP CONTACT D.S.C")
    assert world.sql("SHOW CONTACTS IN DATABASE D") == []


@pytest.mark.parametrize(
    ("errno", "text"),
    [
        (1420, "CREATE CONTACT D.S.C EMAIL = 'a@example.com'"),
        (1003, "CREATE CONTACT D.S.C EMAIL_DISTRIBUTION_LIST = 'a@example.com' URL = 'https://example.com'"),
        (1422, "CREATE CONTACT D.S.C EMAIL_DISTRIBUTION_LIST = 'nobody'"),
        (2003, "CREATE CONTACT D.S.C USERS = ('NOBODY')"),
        (1422, "ALTER SCHEMA D.S SET CONTACT APPROVER = D.S.C"),
        (2003, "ALTER SCHEMA D.S SET CONTACT STEWARD = D.S.NONE"),
        (1003, "ALTER SCHEMA D.S SET CONTACT STEWARD = D.S.NONE COMMENT = 'x'"),
    ],
)
def test_what_snowflake_does_not_take(world: World, errno: int, text: str) -> None:
    world.refused(errno, text)
    assert world.sql("SHOW CONTACTS IN DATABASE D") == []


def test_contacts_are_inherited_and_overridden(world: World) -> None:
    world.sql("CREATE CONTACT D.PUBLIC.HELP URL = 'https://example.com/help'")
    world.sql("CREATE CONTACT D.S.OWN EMAIL_DISTRIBUTION_LIST = 'own@example.com'")
    world.sql("ALTER DATABASE D SET CONTACT SUPPORT = D.PUBLIC.HELP, STEWARD = D.PUBLIC.HELP")
    world.sql("ALTER SCHEMA D.S SET CONTACT STEWARD = D.S.OWN")
    help_ = (None, "https://example.com/help", None, "DATABASE")
    own = ("own@example.com", None, None, "SCHEMA")
    assert world.contacts("'D', 'DATABASE'") == [("STEWARD", *help_), ("SUPPORT", *help_)]
    assert world.contacts("'D.S', 'SCHEMA'") == [("STEWARD", *own), ("SUPPORT", *help_)]
    assert world.contacts("'d.s.t', 'table'") == [("STEWARD", *own), ("SUPPORT", *help_)]
    assert world.contacts("'D.S', 'SCHEMA', 'D.PUBLIC.HELP'") == [("SUPPORT", *help_)]
    world.sql("ALTER SCHEMA D.S UNSET CONTACT STEWARD")
    assert world.contacts("'D.S', 'SCHEMA'") == [("STEWARD", *help_), ("SUPPORT", *help_)]


def test_many_schemas_are_asked_in_one_statement_and_users_are_rows(world: World) -> None:
    world.sql("CREATE USER U2")
    world.sql("CREATE CONTACT D.S.C USERS = ('PINKY', 'U2')")
    for name in ("S", "PUBLIC"):
        world.sql(f"ALTER SCHEMA D.{name} SET CONTACT SUPPORT = D.S.C")
    one = "SELECT '{0}' AS s, purpose, \"USER\" FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS('D.{0}', 'SCHEMA'))"
    both = " UNION ALL ".join(one.format(name) for name in ("S", "PUBLIC"))
    assert sorted(world.sql(both)) == sorted((s, "SUPPORT", u) for s in ("S", "PUBLIC") for u in ("PINKY", "U2"))


def test_new_objects_can_come_with_contacts(world: World) -> None:
    world.sql("CREATE CONTACT D.S.C URL = 'https://example.com'")
    world.sql("CREATE SCHEMA D.N WITH CONTACT (STEWARD = D.S.C, ACCESS_APPROVAL = D.S.C)")
    world.sql("CREATE TABLE D.N.T (A INT) WITH CONTACT (SUPPORT = D.S.C)")
    world.sql("CREATE VIEW D.N.V WITH CONTACT (SUPPORT = D.S.C) AS SELECT A FROM D.N.T")
    world.sql("CREATE TASK D.N.K WITH CONTACT (SUPPORT = D.S.C) AS SELECT 1")
    for name in ("T", "V"):
        found = [(row[0], row[4]) for row in world.contacts(f"'D.N.{name}', 'TABLE'")]
        assert found == [("ACCESS_APPROVAL", "SCHEMA"), ("STEWARD", "SCHEMA"), ("SUPPORT", "TABLE")]
    world.sql("ALTER TASK D.N.K SET CONTACT STEWARD = D.S.C")
    world.sql("ALTER TASK D.N.K UNSET CONTACT STEWARD")


def test_who_may_associate(world: World) -> None:
    world.sql("CREATE CONTACT D.S.C URL = 'https://example.com'")
    world.sql("GRANT CREATE SCHEMA ON DATABASE D TO ROLE R")
    world.sql("CREATE SCHEMA D.MINE", "R")
    set_ = "ALTER SCHEMA D.MINE SET CONTACT SUPPORT = D.S.C"
    world.refused(2003, set_, "R")
    world.sql("GRANT MODIFY ON CONTACT D.S.C TO ROLE R")
    world.refused(3001, set_, "R")
    world.sql("GRANT APPLY ON CONTACT D.S.C TO ROLE R")
    world.sql(set_, "R")
    assert world.contacts("'D.MINE', 'SCHEMA'", "R")[0][0] == "SUPPORT"
    world.refused(3001, "ALTER SCHEMA D.S SET CONTACT SUPPORT = D.S.C", "R")
    world.sql("GRANT APPLY CONTACT ON ACCOUNT TO ROLE R")
    world.sql("ALTER SCHEMA D.S SET CONTACT SUPPORT = D.S.C", "R")
    world.refused(3001, "CREATE CONTACT D.S.OTHER", "R")
    world.sql("GRANT CREATE CONTACT ON SCHEMA D.S TO ROLE R")
    world.sql("CREATE CONTACT D.S.OTHER", "R")


def test_a_dropped_contact_is_on_nothing_and_a_dropped_schema_comes_back_with_its_own(world: World) -> None:
    world.sql("CREATE CONTACT D.S.C URL = 'https://example.com'")
    world.sql("ALTER SCHEMA D.S SET CONTACT SUPPORT = D.S.C")
    world.sql("DROP SCHEMA D.S")
    assert world.sql("SHOW CONTACTS IN DATABASE D") == []
    world.sql("UNDROP SCHEMA D.S")
    assert len(world.contacts("'D.S', 'SCHEMA'")) == 1
    world.sql("CREATE OR REPLACE CONTACT D.S.C URL = 'https://example.com'")
    assert world.contacts("'D.S', 'SCHEMA'") == []


def test_a_dump_shows_what_stayed_and_nothing_that_went(world: World) -> None:
    before = world.account.dump()
    world.sql("CREATE SCHEMA D.N")
    world.sql("CREATE CONTACT D.N.C URL = 'https://example.com'")
    world.sql("CREATE SECRET D.N.K TYPE = GENERIC_STRING SECRET_STRING = 'hush'")
    world.sql("ALTER SCHEMA D.N SET CONTACT SUPPORT = D.N.C")
    world.sql("GRANT USAGE ON SCHEMA D.N TO ROLE R")
    world.sql("ALTER SCHEMA D.S SET CONTACT SUPPORT = D.N.C")
    during = world.account.dump()
    assert during["objects"]["schema D.N"]["state"]["contacts"] == {"SUPPORT": "contact D.N.C"}
    assert during != before
    world.sql("ALTER SCHEMA D.S UNSET CONTACT SUPPORT")
    world.sql("DROP SCHEMA D.N")
    after = world.account.dump()
    after["objects"]["schema D.S"]["state"].pop("contacts")
    assert after == before


def test_contacts_of_the_account_reach_everything_that_has_none_of_its_own(world: World) -> None:
    world.sql("CREATE CONTACT D.S.A URL = 'https://example.com/a'")
    world.sql("CREATE CONTACT D.S.B URL = 'https://example.com/b'")
    world.sql("ALTER ACCOUNT SET CONTACT SUPPORT = D.S.A, STEWARD = D.S.A")
    world.sql("ALTER DATABASE D SET CONTACT SUPPORT = D.S.B")
    a, b = "https://example.com/a", "https://example.com/b"
    assert world.contacts("'D', 'DATABASE'") == [
        ("STEWARD", None, a, None, "ACCOUNT"), ("SUPPORT", None, b, None, "DATABASE"),
    ]  # fmt: skip
    references = (
        "SELECT OBJECT_DOMAIN, OBJECT_NAME, CONTACT_PURPOSE, CONTACT_NAME "
        "FROM SNOWFLAKE.ACCOUNT_USAGE.CONTACT_REFERENCES ORDER BY 1, 3"
    )
    assert world.sql(references) == [
        ("ACCOUNT", "PINKY_LOCAL", "STEWARD", "A"), ("ACCOUNT", "PINKY_LOCAL", "SUPPORT", "A"),
        ("DATABASE", "D", "SUPPORT", "B"),
    ]  # fmt: skip
    world.sql("ALTER ACCOUNT UNSET CONTACT STEWARD")
    assert world.contacts("'D', 'DATABASE'") == [("SUPPORT", None, b, None, "DATABASE")]
    world.sql("GRANT APPLY ON CONTACT D.S.A TO ROLE R")
    world.refused(3001, "ALTER ACCOUNT SET CONTACT SUPPORT = D.S.A", "R")
    world.refused(2003, references, "R")
    world.refused(1422, "ALTER ACCOUNT SET CONTACT APPROVER = D.S.A")


def test_contacts_of_tasks_are_told_by_account_usage_alone(world: World) -> None:
    world.sql("CREATE CONTACT D.S.A URL = 'https://example.com/a'")
    world.sql("CREATE TASK D.S.J AS SELECT 1")
    world.sql("ALTER TASK D.S.J SET CONTACT SUPPORT = D.S.A")
    world.refused(1422, GET.format("'D.S.J', 'TASK'"))
    assert world.sql(
        "SELECT OBJECT_DATABASE, OBJECT_SCHEMA, OBJECT_NAME, CONTACT_DATABASE, CONTACT_SCHEMA, CONTACT_NAME "
        "FROM SNOWFLAKE.ACCOUNT_USAGE.CONTACT_REFERENCES WHERE OBJECT_DOMAIN = 'TASK' AND OBJECT_DELETED IS NULL"
    ) == [("D", "S", "J", "D", "S", "A")]
