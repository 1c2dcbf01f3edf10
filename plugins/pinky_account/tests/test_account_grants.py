from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pinky_account.grants import PRIVILEGES, privilege_of, unknown

from pinky_core import DiagnosticsError, Identifier, NotVisibleError, Provider, Registry, Risk
from pinky_core.testing import FakeSession, Laboratory

COLUMNS = ("privilege", "granted_on", "name", "grant_option")


VISIBLE: dict[str, Any] = {
    "SHOW WAREHOUSES": [
        {"name": name} for name in ("W", "my wh", "a TO ROLE b", *(f"W{number}" for number in range(50)))
    ],
    "SHOW DATABASES": [{"name": "D"}, {"name": "SHARED"}],
}


def rows(*values: tuple[str, str, str, str]) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, each, strict=True)) for each in values]


def plan(registry: Registry, resources: dict[str, Any], **answers: Any) -> list[str]:
    laboratory = Laboratory(Provider(FakeSession({**VISIBLE, **answers}), registry=registry))
    return [each.text for each in laboratory.plan(resources).statements()]


def grant(privilege: str, role: str = "r", **on: Any) -> dict[str, Any]:
    return {"privilege": privilege, "on": on, "to_role": role}


def test_grants_read_as_snowflake_prints_them(registry: Registry) -> None:
    held = rows(
        ("CREATE DATABASE", "ACCOUNT", "ORG_ACC", "false"),
        ("USAGE", "WAREHOUSE", '"my wh"', "false"),
        ("MONITOR", "RESOURCE_MONITOR", "M", "false"),
        ("USAGE", "API_INTEGRATION", "I", "false"),
        ("USAGE", "DATABASE", "SHARED", "false"),
    )
    resources = {
        "account_grant": [
            grant("create database", account=True),
            grant("usage", warehouse='"my wh"'),
            grant("monitor", resource_monitor="m"),
            grant("usage", integration="i"),
            grant("imported privileges", database="shared"),
        ]
    }
    assert plan(registry, resources, **{"SHOW GRANTS TO ROLE R": held}) == []


def test_all_is_spelled_out_and_only_what_is_missing_is_granted(registry: Registry) -> None:
    held = rows(("USAGE", "WAREHOUSE", "W", "false"), ("OPERATE", "WAREHOUSE", "W", "false"))
    resources = {"account_grant": [grant("all privileges", warehouse="w")]}
    assert plan(registry, resources, **{"SHOW GRANTS TO ROLE R": held}) == [
        "GRANT APPLYBUDGET, MODIFY, MONITOR ON WAREHOUSE W TO ROLE R"
    ]


def test_imported_privileges_are_no_part_of_all(registry: Registry) -> None:
    (statement,) = plan(registry, {"account_grant": [grant("ALL", database="d")]})
    assert statement == (
        "GRANT APPLYBUDGET, CREATE DATABASE ROLE, CREATE SCHEMA, MODIFY, MONITOR, USAGE ON DATABASE D TO ROLE R"
    )


def test_the_right_to_pass_on_is_given_and_taken(registry: Registry) -> None:
    wanted = {**grant("usage", warehouse="w"), "with_grant_option": True}
    without = {"SHOW GRANTS TO ROLE R": rows(("USAGE", "WAREHOUSE", "W", "false"))}
    having = {"SHOW GRANTS TO ROLE R": rows(("USAGE", "WAREHOUSE", "W", "true"))}
    given = plan(registry, {"account_grant": [wanted]}, **without)
    assert given == ["GRANT USAGE ON WAREHOUSE W TO ROLE R WITH GRANT OPTION"]
    assert plan(registry, {"account_grant": [wanted]}, **having) == []
    assert plan(registry, {"account_grant": [grant("usage", warehouse="w")]}, **having) == []
    provider = Provider(FakeSession(having), registry=registry)
    taken = Laboratory(provider).plan({"account_grant": [{**wanted, "with_grant_option": False}]})
    assert [each.text for each in taken.statements()] == ["REVOKE GRANT OPTION FOR USAGE ON WAREHOUSE W FROM ROLE R"]
    assert [change.risk for change in taken.changes] == [Risk.DESTRUCTIVE]


def test_one_statement_per_role_however_many_grants(registry: Registry) -> None:
    session = FakeSession({**VISIBLE, "SHOW GRANTS TO ROLE R": []})
    resources = {"account_grant": [grant("usage", warehouse=f"w{number}") for number in range(50)]}
    Laboratory(Provider(session, registry=registry)).plan(resources)
    assert [each for each in session.statements if each.startswith("SHOW")] == [
        "SHOW GRANTS TO ROLE R",
        "SHOW WAREHOUSES",
    ]


def test_role_grants_are_read_from_the_side_with_fewer_names(registry: Registry) -> None:
    usage = rows(*(("USAGE", "ROLE", f"R{number}", "false") for number in range(20)))
    one_grantee = FakeSession({"SHOW GRANTS TO ROLE SYSADMIN": usage})
    many = {"role_grant": [{"role": f"r{number}", "to_role": "sysadmin"} for number in range(20)]}
    assert Laboratory(Provider(one_grantee, registry=registry)).plan(many).empty
    assert [each for each in one_grantee.statements if "GRANTS" in each] == ["SHOW GRANTS TO ROLE SYSADMIN"]
    members = [{"granted_to": "USER", "grantee_name": f"U{number}"} for number in range(20)]
    one_role = FakeSession({"SHOW GRANTS OF ROLE R": members})
    many = {"role_grant": [{"role": "r", "to_user": f"u{number}"} for number in range(20)]}
    assert Laboratory(Provider(one_role, registry=registry)).plan(many).empty
    assert [each for each in one_role.statements if "GRANTS" in each] == ["SHOW GRANTS OF ROLE R"]


def test_a_role_that_is_about_to_be_created_has_nothing(registry: Registry) -> None:
    missing = {"SHOW GRANTS (TO|OF) ROLE R": 2003}
    resources = {
        "role": [{"name": "r"}],
        "account_grant": [grant("usage", warehouse="w")],
        "role_grant": [{"role": "r", "to_role": "sysadmin"}],
    }
    assert plan(registry, resources, **missing) == [
        "CREATE ROLE R",
        "GRANT USAGE ON WAREHOUSE W TO ROLE R",
        "GRANT ROLE R TO ROLE SYSADMIN",
    ]


def test_a_role_that_is_neither_there_nor_declared_is_named(registry: Registry) -> None:
    missing = {"SHOW GRANTS TO ROLE NOBODY": 2003, "SHOW GRANTS OF ROLE NOBODY": 2003}
    with pytest.raises(DiagnosticsError, match="role NOBODY does not exist or may not be seen"):
        plan(registry, {"account_grant": [grant("usage", "nobody", warehouse="w")]}, **missing)
    with pytest.raises(DiagnosticsError, match="role NOBODY does not exist or may not be seen"):
        plan(registry, {"role_grant": [{"role": "nobody", "to_role": "sysadmin"}]}, **missing)


def test_an_object_that_is_neither_there_nor_declared_is_named(registry: Registry) -> None:
    with pytest.raises(DiagnosticsError, match="warehouse NOWHERE does not exist or may not be seen"):
        plan(registry, {"account_grant": [grant("usage", warehouse="nowhere")]})
    with pytest.raises(DiagnosticsError, match="database NOWHERE does not exist or may not be seen"):
        plan(registry, {"account_grant": [grant("usage", database="nowhere")]})
    declared = {"warehouse": [{"name": "nowhere"}], "account_grant": [grant("usage", warehouse="nowhere")]}
    assert plan(registry, declared) == ["CREATE WAREHOUSE NOWHERE", "GRANT USAGE ON WAREHOUSE NOWHERE TO ROLE R"]


@pytest.mark.parametrize(
    ("kind", "document", "found"),
    [
        ("account_grant", grant("usgae", warehouse="w"), "did you mean USAGE"),
        ("account_grant", grant("create databse", account=True), "did you mean CREATE DATABASE"),
        ("account_grant", grant("ownership", warehouse="w"), "OWNERSHIP is not a privilege to add"),
        ("account_grant", grant("all", account=True), "ALL on the account depends on who grants it"),
        ("account_grant", grant("usage", warehouse="w", database="d"), "maxProperties|too many|exactly one|at most"),
        ("account_grant", grant("usage", warehouse="a.b"), "not an identifier"),
        ("role_grant", {"role": "r"}, "exactly one of `to_role` and `to_user`"),
        ("role_grant", {"role": "r", "to_role": "a", "to_user": "b"}, "exactly one of `to_role` and `to_user`"),
        ("role_grant", {"role": "r", "to_role": "R"}, "cannot be granted to itself"),
        ("role_grant", {"role": "r", "to_role": "s", "renamed_from": "q"}, "cannot be renamed"),
    ],
)
def test_wrong_grants_are_told_before_anything_is_sent(
    registry: Registry, kind: str, document: dict[str, Any], found: str
) -> None:
    session = FakeSession()
    with pytest.raises(DiagnosticsError, match=found):
        Laboratory(Provider(session, registry=registry)).plan({kind: [document]})
    assert session.statements == []


def test_every_documented_privilege_is_known_in_any_spelling() -> None:
    for kind, privileges in PRIVILEGES.items():
        for privilege in privileges:
            assert privilege_of(f" {privilege.lower().replace(' ', '  ')} ", kind) == privilege
    assert privilege_of("use ai function ai_complete", "ACCOUNT") == "USE AI FUNCTION AI_COMPLETE"


def test_addresses_hold_the_whole_content(registry: Registry) -> None:
    laboratory = Laboratory(Provider(FakeSession(), registry=registry))
    resources = {
        "account_grant": [grant("usage", '"to role"', warehouse='"a TO ROLE b"')],
        "role_grant": [{"role": '"to role"', "to_user": "u"}],
    }
    assert sorted(str(each) for each in laboratory.addresses(resources)) == [
        'account_grant USAGE ON WAREHOUSE "a TO ROLE b" TO ROLE "to role"',
        'role_grant ROLE "to role" TO USER U',
    ]
    assert plan(registry, resources) == [
        'GRANT USAGE ON WAREHOUSE "a TO ROLE b" TO ROLE "to role"',
        'GRANT ROLE "to role" TO USER U',
    ]


def test_the_error_for_an_unknown_keeps_its_number() -> None:

    error = unknown(Identifier("U"), NotVisibleError("x", errno=2003, statement="SHOW"), "user")
    assert (str(error).split(" does")[0], error.errno, error.statement) == ("user U", 2003, "SHOW")


def test_importing_the_package_brings_no_terminal_and_no_connector() -> None:
    code = (
        "import sys, pinky_account; found = {name.split('.')[0] for name in sys.modules};"
        "print(sorted(found & {'typer', 'rich', 'click', 'snowflake', 'pinky_schema', 'pinky_database', 'pinky_cli'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
