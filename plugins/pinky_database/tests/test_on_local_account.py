from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_database.database_role import DatabaseRole
from pinky_database.schema import Schema

from pinky_core.testing import Laboratory, check_resource_type

SOME_TEXT = st.text(alphabet="abcXYZ 0123'\"\\;-/*$%@\n\tàß漢", max_size=24).filter(lambda text: bool(text.strip()))
RESOURCES: dict[str, list[dict[str, Any]]] = {
    "schema": [
        {"name": "public", "comment": "everybody's", "managed_access": True},
        {"name": "s", "data_retention_time_in_days": 3, "log_level": "WARN"},
    ],
    "database_role": [{"name": "x", "comment": "reads"}, {"name": '"y y"'}],
    "database_grant": [
        {"privilege": "usage", "on": {"database": "d"}, "to_database_role": "x"},
        {"privilege": "all", "on": {"database": "d"}, "to_role": "r"},
        {"privilege": "create table", "on": {"schema": "s"}, "to_role": "r"},
        {"privilege": "usage", "on": {"all": "schemas", "in_database": "d"}, "to_role": "r"},
        {"privilege": "usage", "on": {"future": "schemas", "in_database": "d"}, "to_role": "r"},
        {
            "privilege": "select",
            "on": {"future": "tables", "in_schema": "s"},
            "to_database_role": "x",
            "with_grant_option": True,
        },
        {"privilege": "all", "on": {"future": "views", "in_schema": "s"}, "to_database_role": '"y y"'},
        {"privilege": "select", "on": {"all": "tables", "in_schema": "s"}, "to_role": "s"},
        {"privilege": "all", "on": {"all": "views", "in_database": "d"}, "to_role": "r"},
        {"privilege": "all", "on": {"all": "stages", "in_schema": "s"}, "to_role": "r"},
        {"database_role": "x", "to_role": "r"},
        {"database_role": "x", "to_database_role": '"y y"'},
    ],
}


def test_the_second_plan_is_empty(laboratory: Laboratory) -> None:
    assert laboratory.converge(RESOURCES).empty


def test_new_objects_get_what_all_means_and_what_others_revoke_comes_back(laboratory: Laboratory) -> None:
    laboratory.converge(RESOURCES)
    for statement in (
        "CREATE TABLE D.S.T (A INT)",
        'CREATE SCHEMA D."My s"',
        'CREATE VIEW D."My s"."v v" AS SELECT 1 AS A',
        "CREATE STAGE D.S.I",
        "CREATE STAGE D.S.E URL = 's3://bucket/'",
        "REVOKE SELECT ON FUTURE TABLES IN SCHEMA D.S FROM DATABASE ROLE D.X",
        "REVOKE MODIFY ON DATABASE D FROM ROLE R",
        "REVOKE DATABASE ROLE D.X FROM ROLE R",
        "GRANT CREATE VIEW ON SCHEMA D.S TO ROLE R",
    ):
        laboratory.execute(statement)
    assert sorted(each.text for each in laboratory.plan(RESOURCES).statements()) == [
        "GRANT DATABASE ROLE D.X TO ROLE R",
        "GRANT MODIFY ON DATABASE D TO ROLE R",
        "GRANT READ, WRITE ON STAGE D.S.I TO ROLE R",
        'GRANT REFERENCES, SELECT ON VIEW D."My s"."v v" TO ROLE R',
        "GRANT SELECT ON FUTURE TABLES IN SCHEMA D.S TO DATABASE ROLE D.X WITH GRANT OPTION",
        "GRANT SELECT ON TABLE D.S.T TO ROLE S",
        "GRANT USAGE ON STAGE D.S.E TO ROLE R",
    ]
    assert laboratory.converge(RESOURCES).empty


def test_functions_are_granted_on_each_by_its_argument_types(laboratory: Laboratory) -> None:
    wanted = {
        "schema": [{"name": "s"}],
        "database_grant": [
            {"privilege": "usage", "on": {"all": "functions", "in_schema": "s"}, "to_role": "r"},
            {"privilege": "usage", "on": {"future": "functions", "in_database": "d"}, "to_database_role": "x"},
        ],
        "database_role": [{"name": "x"}],
    }
    assert laboratory.converge(wanted).empty
    for arguments in ("A INT", "A VARCHAR(3), B FLOAT"):
        laboratory.execute(f"CREATE FUNCTION D.S.F({arguments}) RETURNS INT AS '1'")
    assert [each.text for each in laboratory.plan(wanted).statements()] == [
        "GRANT USAGE ON FUNCTION D.S.F(NUMBER) TO ROLE R",
        "GRANT USAGE ON FUNCTION D.S.F(VARCHAR, FLOAT) TO ROLE R",
    ]
    assert laboratory.converge(wanted).empty


def test_dropping_a_grant_revokes_exactly_it(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE SCHEMA D.S")
    laboratory.execute("CREATE TABLE D.S.T (A INT)")
    laboratory.execute("CREATE TABLE D.S.U (A INT)")
    laboratory.converge(RESOURCES)
    dropped = 0
    for address in laboratory.addresses(RESOURCES):
        if address.kind != "database_grant":
            continue
        statements = laboratory.live(address).drop(address)
        for statement in statements:
            laboratory.execute(statement.text)
        dropped += len(statements)
        assert {str(change.address) for change in laboratory.plan(RESOURCES).changes} == (
            {str(address)} if statements else set()
        )
        assert laboratory.converge(RESOURCES).empty
    assert dropped == 12  # two schemas, two tables, no view, no stage, and eight grants of one statement


def test_the_right_to_pass_on_is_given_and_taken(laboratory: Laboratory) -> None:
    def wanted(option: bool | None) -> dict[str, list[dict[str, Any]]]:
        on = {"all": "schemas", "in_database": "d"}
        return {
            "schema": [{"name": "s"}],
            "database_grant": [{"privilege": "usage", "on": on, "to_role": "r", "with_grant_option": option}],
        }

    for option in (False, True, False, True, None):
        assert laboratory.converge(wanted(option)).empty, option


def test_schema_keeps_the_laws(laboratory: Laboratory) -> None:
    # What the embedded account does not know yet.
    unknown = (
        "oauth_authorization_server", "oauth_scopes_supported", "replicable_with_failover_groups",
        "base_location_prefix", "classification_profile",
    )  # fmt: skip
    texts: dict[str, Any] = {
        field.name: SOME_TEXT for field in Schema.spec.fields if field.type is str and field.pattern is not None
    }
    check_resource_type(Schema, laboratory, values=texts, skip=unknown, max_examples=6)


def test_database_role_keeps_the_laws(laboratory: Laboratory) -> None:
    check_resource_type(DatabaseRole, laboratory, max_examples=6)


SAMPLES: dict[str, tuple[Any, Any]] = {
    "storage_serialization_policy": ("compatible", "OPTIMIZED"),
    "iceberg_merge_on_read_behavior": ("enabled", "DISABLED"),
    "iceberg_version_default": (2, 3),
    "log_level": ("INFO", "off"),
    "trace_level": ("ALWAYS", "on_event"),
    "object_visibility": ("PRIVILEGED", "privileged"),
}
BY_TYPE: dict[str, tuple[Any, Any]] = {
    "bool": (True, False),
    "int": (1, 7),
    "str": ("it's \\ 'quoted'", "b\nß"),
    "Identifier": ("some_name", '"Some name"'),
}
UNKNOWN = {
    "oauth_authorization_server", "oauth_scopes_supported", "replicable_with_failover_groups", "base_location_prefix",
    "classification_profile",
}  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in Schema.spec.fields if field.name not in UNKNOWN])
def test_every_property_of_a_schema_is_created_altered_and_unset(laboratory: Laboratory, name: str) -> None:
    field = Schema.spec.by_name[name]
    first, second = SAMPLES.get(name) or BY_TYPE[field.type.__name__]
    assert laboratory.converge({"schema": [{"name": "x", name: first}]}).empty
    if field.on_change.value != "alter":
        return
    for value in (second, None, first):
        assert laboratory.converge({"schema": [{"name": "x", name: value}]}).empty, value


def test_renaming_keeps_the_object(laboratory: Laboratory) -> None:
    laboratory.converge({"schema": [{"name": "old"}], "database_role": [{"name": "old"}]})
    renamed = {kind: [{"name": "new", "renamed_from": "old"}] for kind in ("schema", "database_role")}
    assert [each.text for each in laboratory.plan(renamed).statements()] == [
        "ALTER DATABASE ROLE D.OLD RENAME TO D.NEW",
        "ALTER SCHEMA D.OLD RENAME TO D.NEW",
    ]
    assert laboratory.converge(renamed).empty


def test_grants_follow_into_renamed_schemas(laboratory: Laboratory) -> None:
    def resources(**schema: str) -> dict[str, list[dict[str, Any]]]:
        name = schema["name"]
        return {
            "schema": [schema],
            "database_grant": [
                {"privilege": "usage", "on": {"schema": name}, "to_role": "r"},
                {"privilege": "all", "on": {"all": "tables", "in_schema": name}, "to_role": "r"},
                {"privilege": "select", "on": {"future": "tables", "in_schema": name}, "to_role": "r"},
            ],
        }

    laboratory.converge(resources(name="old"))
    laboratory.execute("CREATE TABLE D.OLD.T (A INT)")
    assert laboratory.converge(resources(name="new", renamed_from="old")).empty
