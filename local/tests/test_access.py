"""Network rules, external access integrations, event tables, SHOW INTEGRATIONS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local import LocalAccount

connector = pytest.importorskip("snowflake.connector", reason="no Snowflake client is installed here")


@pytest.fixture
def run() -> Iterator[Any]:
    with LocalAccount() as account, account.connect() as connection:

        def run(text: str) -> list[Any]:
            return list(connection.cursor().execute(text).fetchall())

        run("CREATE DATABASE D")
        run("CREATE SCHEMA D.S")
        yield run
        assert not account.internal_errors


def refused(run: Any, errno: int, text: str) -> None:
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        run(text)
    assert caught.value.errno == errno, caught.value


def test_a_network_rule_lives_in_a_schema(run: Any) -> None:
    run("CREATE NETWORK RULE D.S.N TYPE = HOST_PORT MODE = EGRESS VALUE_LIST = ('a.example', 'b.example:443')")
    assert [row[6:9] for row in run("SHOW NETWORK RULES IN SCHEMA D.S")] == [("HOST_PORT", "EGRESS", 2)]
    assert run("DESCRIBE NETWORK RULE D.S.N")[0][8] == "a.example,b.example:443"
    run("ALTER NETWORK RULE D.S.N SET VALUE_LIST = ('c.example') COMMENT = 'x'")
    run("ALTER NETWORK RULE D.S.N UNSET COMMENT")
    assert run("DESCRIBE NETWORK RULE D.S.N")[0][8] == "c.example"
    refused(run, 1420, "ALTER NETWORK RULE D.S.N SET MODE = INGRESS")
    refused(run, 1422, "CREATE NETWORK RULE D.S.M TYPE = HOST_PORT MODE = INGRESS VALUE_LIST = ('a.example')")
    run("DROP NETWORK RULE D.S.N")


def test_an_external_access_integration_names_egress_rules_and_secrets(run: Any) -> None:
    run("CREATE NETWORK RULE D.S.N TYPE = HOST_PORT MODE = EGRESS VALUE_LIST = ('a.example')")
    run("CREATE NETWORK RULE D.S.IN_ TYPE = IPV4 VALUE_LIST = ('10.0.0.0/8')")
    run("CREATE SECRET D.S.K TYPE = GENERIC_STRING SECRET_STRING = 'x'")
    head = "CREATE EXTERNAL ACCESS INTEGRATION E ALLOWED_NETWORK_RULES ="
    refused(run, 1422, f"{head} (D.S.IN_) ENABLED = TRUE")
    refused(run, 2003, f"{head} (D.S.NONE) ENABLED = TRUE")
    run(f"{head} (D.S.N) ALLOWED_AUTHENTICATION_SECRETS = (D.S.K) ENABLED = TRUE")
    described = {row[0]: row[2] for row in run("DESCRIBE EXTERNAL ACCESS INTEGRATION E")}
    assert described["ALLOWED_NETWORK_RULES"] == "[D.S.N]"
    assert described["ALLOWED_AUTHENTICATION_SECRETS"] == "[D.S.K]"
    run("ALTER EXTERNAL ACCESS INTEGRATION E SET ENABLED = FALSE COMMENT = 'off'")
    run("CREATE NOTIFICATION INTEGRATION MAIL TYPE = EMAIL ENABLED = TRUE")
    assert [row[:4] for row in run("SHOW INTEGRATIONS")] == [
        ("E", "EXTERNAL_ACCESS", "EXTERNAL_ACCESS", "false"),
        ("MAIL", "EMAIL", "NOTIFICATION", "true"),
    ]


def test_an_event_table_is_listed_and_shares_the_names_of_tables(run: Any) -> None:
    run("CREATE EVENT TABLE D.S.EVENTS DATA_RETENTION_TIME_IN_DAYS = 1 COMMENT = 'telemetry'")
    assert [row[1:6] for row in run("SHOW EVENT TABLES IN SCHEMA D.S")] == [
        ("EVENTS", "D", "S", "ACCOUNTADMIN", "telemetry")
    ]
    refused(run, 1998, "CREATE TABLE D.S.EVENTS (A INT)")
    run("ALTER TABLE D.S.EVENTS SET COMMENT = 'x' CHANGE_TRACKING = TRUE")
    assert run("SHOW TABLES IN SCHEMA D.S") == []
    run("DROP TABLE D.S.EVENTS")
