"""PROVISION_CLIENT and OFFBOARD_CLIENT of the example, called through the connector: shows 1, 3, 4 and 5."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("snowflake.snowpark", reason="a Python procedure runs with Snowpark")

from pinky_local.faults import Call, EndProcedure
from snowflake.connector.errors import ProgrammingError

from pinky_core import Provider
from pinky_core.apply import Outcome
from tests.provision_world import DATABASE, EXAMPLE, ProvisionWorld, provision_world

SCHEMA = f"{DATABASE}.ACME"


@pytest.fixture(scope="module")
def deployed() -> Iterator[ProvisionWorld]:
    with provision_world() as made:
        yield made


@pytest.fixture
def world(deployed: ProvisionWorld) -> Iterator[ProvisionWorld]:
    """The account without clients, before and after."""
    yield deployed
    deployed.account.faults.clear()
    deployed.offboard("acme")


def test_a_client_exists_seconds_later_and_the_second_call_changes_nothing(world: ProvisionWorld) -> None:
    before = world.account.dump()
    report = world.provision("acme")
    assert (report["status"], report["failures"], report["skipped"]) == ("ok", [], [])
    assert report["changes"][0] == {
        "address": f"schema {SCHEMA}",
        "action": "create",
        "statements": [f"CREATE SCHEMA IF NOT EXISTS {SCHEMA} COMMENT = '[client of pinky] acme'"],
    }
    kinds = {key.partition(" ")[0] for key in world.client("acme")["objects"]}
    assert kinds >= {"schema", "table", "view", "stage", "task", "secret", "contact", "procedure"}
    assert all(value["owner"] == "role PINKY_PROVISIONER" for value in world.client("acme")["objects"].values())
    reached = "purpose, coalesce(email_distribution_list, url)"
    contacts = f"SELECT {reached} FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS(?, 'SCHEMA'))"
    assert dict(world.sql(contacts, SCHEMA)) == {
        "STEWARD": "ana@acme.example",
        "SUPPORT": "https://pluto.example/support?app=PLUTO",
        "ACCESS_APPROVAL": "https://pluto.example/admin/users?client=ACME",
        "SECURITY_COMPLIANCE": "https://pluto.example/admin/security?client=ACME",
    }
    assert world.sql(f"SHOW TASKS IN SCHEMA {SCHEMA}") != []
    told = f"SELECT EVENT, STATUS, URL FROM {SCHEMA}.NOTIFICATIONS"
    assert world.sql(told) == [("CLIENT_PROVISIONED", "NEW", "https://pluto.example/support?app=PLUTO")]
    again = world.provision("acme")
    assert (again["status"], again["changes"], again["failures"]) == ("unchanged", [], [])
    assert world.sql(told) == [("CLIENT_PROVISIONED", "NEW", "https://pluto.example/support?app=PLUTO")]
    assert "hush" not in str(report)
    gone = world.offboard("acme")
    assert (gone["status"], gone["failures"]) == ("ok", [])
    assert world.account.dump() == before
    assert world.offboard("acme")["status"] == "unchanged"


def test_a_changed_address_of_the_client_is_followed(world: ProvisionWorld) -> None:
    world.provision("acme")
    report = world.provision("acme", "bob@acme.example")
    assert [each["statements"] for each in report["changes"]] == [
        [f"ALTER CONTACT {SCHEMA}.STEWARD SET EMAIL_DISTRIBUTION_LIST = 'bob@acme.example'"]
    ]


def test_a_schema_that_is_no_client_is_neither_filled_nor_dropped(world: ProvisionWorld) -> None:
    world.sql(f"CREATE SCHEMA {DATABASE}.THEIRS")
    world.sql(f"GRANT OWNERSHIP ON SCHEMA {DATABASE}.THEIRS TO ROLE PINKY_PROVISIONER")
    for report in (world.provision("theirs"), world.offboard("theirs")):
        assert report["status"] == "refused"
        assert [each["code"] for each in report["failures"]] == ["not-a-client"]
    world.sql(f"DROP SCHEMA {DATABASE}.THEIRS")


@pytest.mark.parametrize(
    ("value", "found"), [("5", "int"), ("null", "null"), ('""', "an empty text"), ('["x"]', "list"), ("{}", "dict")]
)
def test_a_secret_that_is_no_text_is_refused_before_anything_is_made(
    world: ProvisionWorld, value: str, found: str
) -> None:
    call = "CALL PINKY.BILLING.PROVISION_CLIENT('T1', ?, ?, ?, PARSE_JSON(?)::OBJECT)"
    report = world.call(call, DATABASE, "acme", "a@b.example", f'{{"PARTNER_API_KEY": {value}}}')
    assert report["status"] == "refused"
    assert [each["message"] for each in report["failures"]] == [
        f"the secret PARTNER_API_KEY: expected text, found {found}"
    ]
    assert world.client("acme")["objects"] == {}


def test_ids_that_differ_in_case_alone_are_not_one_client(world: ProvisionWorld) -> None:
    assert world.provision("acme")["status"] == "ok"
    for report in (world.provision("Acme"), world.offboard("ACME")):
        assert (report["status"], report["failures"][0]["code"]) == ("refused", "another-client")
        assert "that of the client acme" in report["failures"][0]["message"]


def test_what_was_given_for_nothing_is_said(world: ProvisionWorld) -> None:
    assert world.provision("acme")["warnings"] == []
    (warning,) = world.provision("acme")["warnings"]
    assert warning.startswith("the secret PARTNER_API_KEY was given, and nothing set it")


def test_a_client_that_is_off_boarded_meanwhile_is_not_made_anew(world: ProvisionWorld) -> None:
    def drop(_: str) -> None:
        world.sql(f"DROP SCHEMA {SCHEMA}")

    world.account.faults.inject(Call(before=drop), match="^CREATE VIEW", times=1)
    report = world.provision("acme")
    assert (report["status"], report["failures"][0]["code"]) == ("failed", "off-boarded")
    assert world.client("acme")["objects"] == {}


def test_off_boarding_what_cannot_be_seen_says_so(world: ProvisionWorld) -> None:
    report = world.offboard("nobody")
    assert (report["status"], report["changes"]) == ("unchanged", [])
    assert "is not there, or this role has no privilege on it" in report["warnings"][0]


# -- privileges ----------------------------------------------------------------------------------------------------

PRIVILEGES = {
    # None: to deploy the procedures, not to run them
    "CREATE PROCEDURE ON SCHEMA PINKY.BILLING": None,
    "CREATE STAGE ON SCHEMA PINKY.BILLING": None,
    "USAGE ON DATABASE PINKY": "USAGE on its database and schema",
    f"CREATE SCHEMA ON DATABASE {DATABASE}": f"CREATE SCHEMA on database {DATABASE}",
    f"USAGE ON SCHEMA {DATABASE}.PUBLIC": "APPLY on each contact",
    f"APPLY ON CONTACT {DATABASE}.PUBLIC.SUPPORT": "APPLY on each contact",
    "USAGE ON WAREHOUSE PINKY_WH": "USAGE on the warehouse",
    "EXECUTE TASK ON ACCOUNT": "EXECUTE TASK on the account",
}


def test_the_owner_of_the_procedures_holds_exactly_the_documented_privileges(world: ProvisionWorld) -> None:
    shown = world.sql("SHOW GRANTS TO ROLE PINKY_PROVISIONER")
    given = [row for row in shown if row[1] != "OWNERSHIP"]
    held = {f"{row[1]} ON {row[2]}" + ("" if row[2] == "ACCOUNT" else f" {row[3]}") for row in given}
    assert held == set(PRIVILEGES)
    owned = {f"{row[2]} {row[3].partition('(')[0]}" for row in shown if row[1] == "OWNERSHIP"}
    assert {each.split(".")[0] for each in owned} == {"PROCEDURE PINKY", "STAGE PINKY"}


def test_the_guide_lists_the_same() -> None:
    page = (EXAMPLE.parent.parent / "docs/how-to/provisioning.md").read_text(encoding="utf-8")
    section = page.partition("## Privileges")[2].partition("## ")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == set(PRIVILEGES)


def test_the_guide_shows_what_the_example_prints() -> None:
    page = (EXAMPLE.parent.parent / "docs/how-to/provisioning.md").read_text(encoding="utf-8")
    # what only tests install is not there for who runs it
    alone = "import runpy, sys; del sys.argv[0]; sys.modules |= {'hypothesis': None, 'pytest': None}; "
    run = f"{alone}runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", run, str(EXAMPLE / "run.py"), "--clients", "2"]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    shown, _, rest = ran.stdout.partition("\n\n  ACCESS_APPROVAL")
    assert re.sub(r"\d+\.\d s", "0.7 s", shown) in page
    assert "3 clients off-boarded; the account is what it was before the first call." in rest


@pytest.mark.parametrize(("grant", "named"), [(each, name) for each, name in PRIVILEGES.items() if name is not None])
def test_without_one_of_them_the_report_names_it(world: ProvisionWorld, grant: str, named: str) -> None:
    world.sql(f"REVOKE {grant} FROM ROLE PINKY_PROVISIONER")
    try:
        report = world.provision("acme")
    finally:
        world.sql(f"GRANT {grant} TO ROLE PINKY_PROVISIONER")
    assert report["status"] in ("failed", "refused"), report
    assert named in str(report["failures"]), report["failures"]
    assert not any(each["message"].startswith("(") for each in report["failures"])  # Snowpark's own number and id
    assert world.provision("acme")["status"] in ("ok", "unchanged")


@pytest.mark.parametrize(
    ("dropped", "grant"),
    [
        ("PROCEDURE PINKY.BILLING.OFFBOARD_CLIENT(VARCHAR, VARCHAR)", "CREATE PROCEDURE"),
        ("STAGE PINKY.BILLING.MANIFESTS", "CREATE STAGE"),
    ],
)
def test_without_one_to_deploy_the_procedures_applying_names_it(
    world: ProvisionWorld, dropped: str, grant: str
) -> None:
    world.sql(f"DROP {dropped}")
    world.sql(f"REVOKE {grant} ON SCHEMA PINKY.BILLING FROM ROLE PINKY_PROVISIONER")
    provider = Provider(world.connection("PINKY_PROVISIONER"))
    (failed,) = provider.apply(EXAMPLE / "procedures").of(Outcome.FAILED)
    assert f"{grant} on the schema" in failed.error
    world.sql(f"GRANT {grant} ON SCHEMA PINKY.BILLING TO ROLE PINKY_PROVISIONER")
    assert provider.apply(EXAMPLE / "procedures").ok
    world.upload(EXAMPLE / "manifest_client")


# -- killed, and at once -------------------------------------------------------------------------------------------


def test_provisioning_that_ends_at_any_statement_is_completed_by_the_next_call(world: ProvisionWorld) -> None:
    start = len(world.account.journal)
    world.provision("acme")
    wanted = world.client("acme")
    sent = [each for each in world.account.journal.entries(start) if each.procedure is not None]
    world.offboard("acme")
    assert len(sent) > 20
    for number in range(1, len(sent) + 1):
        rule = world.account.faults.inject(EndProcedure(), at=number)
        with contextlib.suppress(ProgrammingError):  # where NOTIFY alone ends, the report has a warning
            world.provision("acme")
        assert rule.fired == 1, number
        world.account.faults.clear()
        report = world.provision("acme")
        assert report["status"] in ("ok", "unchanged"), (number, report)
        assert world.client("acme") == wanted, number
        world.offboard("acme")


@pytest.mark.parametrize("round_", range(4))
def test_two_calls_at_once_both_end_well(world: ProvisionWorld, round_: int) -> None:
    reports: list[Any] = []
    calls = 2 + round_ % 2
    threads = [threading.Thread(target=lambda: reports.append(world.provision("acme"))) for _ in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == len(threads)
    assert {each["status"] for each in reports} <= {"ok", "unchanged"}, [each["failures"] for each in reports]
    assert world.provision("acme")["status"] == "unchanged"
