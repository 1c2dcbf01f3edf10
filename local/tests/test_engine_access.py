"""Roles, grants, future grants, managed access, and what a role may see."""

from __future__ import annotations

from engine_account import Speaker, in_schema, speaker


def _reader() -> tuple[Speaker, Speaker]:
    """An owner's session in D.S with a table, and the session of a role that holds nothing yet."""
    owner = in_schema()
    owner.run("CREATE TABLE t (a INT)", "CREATE ROLE reader", "GRANT ROLE reader TO USER pinky")
    return owner, speaker(owner.engine, "READER")


def test_a_missing_privilege_on_a_parent_hides_what_is_inside() -> None:
    owner, reader = _reader()
    assert reader.refused("DESC TABLE d.s.t").message.endswith("Database 'D' does not exist or not authorized.")
    owner.run("GRANT USAGE ON DATABASE d TO ROLE reader")
    assert reader.refused("DESC TABLE d.s.t").message.endswith("Schema 'D.S' does not exist or not authorized.")
    owner.run("GRANT USAGE ON SCHEMA d.s TO ROLE reader")
    assert reader.refused("DESC TABLE d.s.t").errno == 2003
    owner.run("GRANT SELECT ON TABLE d.s.t TO ROLE reader")
    assert reader.one("DESC TABLE d.s.t")["name"] == "A"


def test_seeing_without_owning_is_3001() -> None:
    owner, reader = _reader()
    owner.run("GRANT USAGE ON DATABASE d TO ROLE reader", "GRANT USAGE ON SCHEMA d.s TO ROLE reader")
    owner.run("GRANT SELECT ON TABLE d.s.t TO ROLE reader")
    error = reader.refused("DROP TABLE d.s.t")
    assert (error.errno, error.sqlstate) == (3001, "42501")
    assert reader.refused("CREATE TABLE d.s.u (a INT)").errno == 3001
    owner.run("GRANT CREATE TABLE ON SCHEMA d.s TO ROLE reader")
    reader.run("CREATE TABLE d.s.u (a INT)")
    assert {row["name"]: row["owner"] for row in owner.run("SHOW TABLES")} == {"T": "ACCOUNTADMIN", "U": "READER"}


def test_use_and_show_in_what_is_hidden_is_2043() -> None:
    _, reader = _reader()
    for sql in ("USE DATABASE d", "SHOW TABLES IN SCHEMA d.s", "SHOW SCHEMAS IN DATABASE nosuch"):
        assert reader.refused(sql).errno == 2043
    assert reader.run("SHOW DATABASES") == []


def test_privileges_are_inherited_through_roles() -> None:
    owner, reader = _reader()
    owner.run("CREATE ROLE base", "GRANT ROLE base TO ROLE reader", "GRANT USAGE ON DATABASE d TO ROLE base")
    assert [row["name"] for row in reader.run("SHOW DATABASES")] == ["D"]
    owner.run("REVOKE ROLE base FROM ROLE reader")
    assert reader.run("SHOW DATABASES") == []


def test_secondary_roles_open_what_the_primary_role_does_not() -> None:
    _, reader = _reader()
    assert reader.run("SHOW DATABASES") == []
    reader.run("USE SECONDARY ROLES ALL")
    assert [row["name"] for row in reader.run("SHOW DATABASES")] == ["D"]
    assert reader.refused("CREATE DATABASE e").errno == 3001  # CREATE looks at the primary role alone


def test_roles_cannot_form_a_cycle() -> None:
    account = speaker()
    account.run("CREATE ROLE a", "CREATE ROLE b", "GRANT ROLE a TO ROLE b")
    assert "cycle" in account.refused("GRANT ROLE b TO ROLE a").message


def test_privileges_are_checked_against_the_object_type() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT)", "CREATE STAGE st")
    assert account.refused("GRANT MONITOR ON TABLE t TO ROLE sysadmin").errno == 3008
    assert account.refused("GRANT FROB ON TABLE t TO ROLE sysadmin").errno == 1003
    assert account.refused("GRANT USAGE ON STAGE st TO ROLE sysadmin").errno == 3008
    account.run("GRANT ALL PRIVILEGES ON STAGE st TO ROLE sysadmin")
    account.run("GRANT CREATE SNOWFLAKE.ML.FORECAST, CREATE EXPERIMENT ON SCHEMA d.s TO ROLE sysadmin")
    assert account.refused("GRANT CREATE SNOWFLAKE.ML.NOSUCH ON SCHEMA d.s TO ROLE sysadmin").errno == 1003
    held = {row["privilege"] for row in account.run("SHOW GRANTS ON STAGE st") if row["grantee_name"] == "SYSADMIN"}
    assert held == {"READ", "WRITE"}


def test_future_grants_reach_new_objects_and_the_schema_wins_over_the_database() -> None:
    account = in_schema()
    account.run(
        "CREATE ROLE r",
        "GRANT SELECT ON FUTURE TABLES IN DATABASE d TO ROLE r",
        "GRANT INSERT ON FUTURE TABLES IN SCHEMA d.s TO ROLE r",
        "CREATE TABLE d.s.t (a INT)",
        "CREATE TABLE d.public.t (a INT)",
    )
    shown = account.run("SHOW FUTURE GRANTS IN SCHEMA d.s")
    assert [(row["privilege"], row["grant_on"], row["name"]) for row in shown] == [("INSERT", "TABLE", "D.S.<TABLE>")]
    held = {row["name"]: row["privilege"] for row in account.run("SHOW GRANTS TO ROLE r")}
    assert held == {"D.S.T": "INSERT", "D.PUBLIC.T": "SELECT"}
    account.run("REVOKE INSERT ON FUTURE TABLES IN SCHEMA d.s FROM ROLE r", "CREATE TABLE d.s.u (a INT)")
    assert {r["name"] for r in account.run("SHOW GRANTS TO ROLE r")} == {"D.S.T", "D.PUBLIC.T", "D.S.U"}


def test_in_a_managed_schema_only_the_schema_owner_grants() -> None:
    account = in_schema()
    account.run(
        "CREATE SCHEMA m WITH MANAGED ACCESS",
        "CREATE ROLE maker",
        "GRANT ROLE maker TO USER pinky",
        "GRANT USAGE ON DATABASE d TO ROLE maker",
        "GRANT USAGE, CREATE TABLE ON SCHEMA d.m TO ROLE maker",
    )
    maker = speaker(account.engine, "MAKER")
    maker.run("CREATE TABLE d.m.t (a INT)")
    assert maker.refused("GRANT SELECT ON TABLE d.m.t TO ROLE public").errno == 3001
    account.run("GRANT SELECT ON TABLE d.m.t TO ROLE sysadmin WITH GRANT OPTION")
    assert {row["grant_option"] for row in account.run("SHOW GRANTS ON TABLE d.m.t")} == {"false"}
    account.run("ALTER SCHEMA d.m DISABLE MANAGED ACCESS")
    assert {row["grant_option"] for row in account.run("SHOW GRANTS ON TABLE d.m.t")} == {"true"}
    maker.run("GRANT SELECT ON TABLE d.m.t TO ROLE public")


def test_ownership_moves_with_or_without_current_grants() -> None:
    account = in_schema()
    account.run("CREATE ROLE r", "CREATE TABLE t (a INT)", "GRANT SELECT ON TABLE t TO ROLE sysadmin")
    assert "Dependent grant" in account.refused("GRANT OWNERSHIP ON TABLE t TO ROLE r").message
    account.run("GRANT OWNERSHIP ON TABLE t TO ROLE r COPY CURRENT GRANTS")
    shown = {row["privilege"]: row["grantee_name"] for row in account.run("SHOW GRANTS ON TABLE t")}
    assert shown == {"SELECT": "SYSADMIN", "OWNERSHIP": "R"}
    account.run("GRANT OWNERSHIP ON TABLE t TO ROLE sysadmin REVOKE CURRENT GRANTS")
    assert [row["privilege"] for row in account.run("SHOW GRANTS ON TABLE t")] == ["OWNERSHIP"]


def test_database_roles_are_granted_and_shown_without_their_prefix() -> None:
    account = in_schema()
    account.run(
        "CREATE DATABASE ROLE d.dr",
        "CREATE ROLE r",
        "GRANT DATABASE ROLE d.dr TO ROLE r",
        "GRANT USAGE ON SCHEMA d.s TO DATABASE ROLE d.dr",
        "GRANT DATABASE ROLE d.dr TO USER pinky",
    )
    (usage,) = [row for row in account.run("SHOW GRANTS ON SCHEMA d.s") if row["privilege"] == "USAGE"]
    assert (usage["granted_to"], usage["grantee_name"]) == ("DATABASE_ROLE", "DR")
    assert {row["grantee_name"] for row in account.run("SHOW GRANTS OF DATABASE ROLE d.dr")} == {"R", "PINKY"}
    account.run("CREATE DATABASE other")
    assert account.refused("GRANT USAGE ON DATABASE other TO DATABASE ROLE d.dr").errno == 3072


def test_dropping_a_role_hands_its_objects_to_the_dropper() -> None:
    account = in_schema()
    account.run("CREATE ROLE r", "CREATE TABLE t (a INT)", "GRANT OWNERSHIP ON TABLE t TO ROLE r", "DROP ROLE r")
    assert account.one("SHOW TABLES")["owner"] == "ACCOUNTADMIN"


def test_a_role_that_is_not_granted_cannot_be_used() -> None:
    account = speaker()
    account.run("CREATE ROLE r", "USE ROLE sysadmin", "USE ROLE accountadmin")
    assert account.refused("USE ROLE r").errno == 3013
    assert account.refused("USE ROLE nosuch").errno == 2043


def test_a_database_role_is_granted_on_with_the_grant_option() -> None:
    owner = in_schema()
    owner.run(
        "CREATE DATABASE ROLE d.dr", "CREATE ROLE steward", "CREATE ROLE analyst", "GRANT ROLE steward TO USER pinky"
    )
    owner.run("GRANT USAGE ON DATABASE d TO ROLE steward", "GRANT DATABASE ROLE d.dr TO ROLE steward")
    steward = speaker(owner.engine, "STEWARD")
    assert steward.refused("GRANT DATABASE ROLE d.dr TO ROLE analyst").errno == 3001
    owner.run("GRANT DATABASE ROLE d.dr TO ROLE steward WITH GRANT OPTION")
    (held,) = [row for row in owner.run("SHOW GRANTS TO ROLE steward") if row["granted_on"] == "DATABASE_ROLE"]
    assert held["grant_option"] == "true"
    steward.run("GRANT DATABASE ROLE d.dr TO ROLE analyst")
    assert {row["granted_by"] for row in owner.run("SHOW GRANTS OF DATABASE ROLE d.dr")} == {"ACCOUNTADMIN", "STEWARD"}
    assert owner.refused("REVOKE DATABASE ROLE d.dr FROM ROLE steward").errno == 3016
    owner.run("REVOKE GRANT OPTION FOR DATABASE ROLE d.dr FROM ROLE steward CASCADE")
    assert [row["grantee_name"] for row in owner.run("SHOW GRANTS OF DATABASE ROLE d.dr")] == ["STEWARD"]
    assert steward.refused("GRANT DATABASE ROLE d.dr TO ROLE analyst").errno == 3001


def test_only_database_roles_of_roles_carry_the_grant_option() -> None:
    account = in_schema()
    account.run("CREATE DATABASE ROLE d.dr", "CREATE ROLE r")
    assert account.refused("GRANT DATABASE ROLE d.dr TO USER pinky WITH GRANT OPTION").errno == 1003
    assert account.refused("GRANT ROLE r TO ROLE sysadmin WITH GRANT OPTION").errno == 1003
    assert account.refused("REVOKE GRANT OPTION FOR ROLE r FROM ROLE sysadmin").errno == 1003


def test_write_on_a_stage_comes_after_read_and_goes_before_it() -> None:
    account = in_schema()
    account.run("CREATE STAGE st", "CREATE ROLE r")
    assert "READ" in account.refused("GRANT WRITE ON STAGE st TO ROLE r").message
    account.run("GRANT READ, WRITE ON STAGE st TO ROLE r")
    assert "WRITE" in account.refused("REVOKE READ ON STAGE st FROM ROLE r").message
    account.run("REVOKE WRITE ON STAGE st FROM ROLE r", "REVOKE READ ON STAGE st FROM ROLE r")
    account.run("GRANT READ ON STAGE st TO ROLE r", "GRANT WRITE ON STAGE st TO ROLE r")
    account.run("REVOKE ALL ON STAGE st FROM ROLE r")
    assert [row["privilege"] for row in account.run("SHOW GRANTS ON STAGE st")] == ["OWNERSHIP"]


def test_privileges_of_a_user_count_with_all_secondary_roles() -> None:
    owner, reader = _reader()
    owner.run(
        "GRANT USAGE ON DATABASE d TO ROLE reader", "GRANT USAGE ON SCHEMA d.s TO ROLE reader",
        "REVOKE ROLE accountadmin FROM USER pinky", "GRANT SELECT ON TABLE t TO USER pinky",
    )  # fmt: skip
    assert reader.refused("DESC TABLE d.s.t").errno == 2003
    reader.run("USE SECONDARY ROLES ALL")
    assert reader.one("DESC TABLE d.s.t")["name"] == "A"
    (shown,) = [row for row in owner.run("SHOW GRANTS TO USER pinky") if row["privilege"]]
    assert (shown["privilege"], shown["name"], shown["role"], shown["granted_to"]) == ("SELECT", "D.S.T", None, "USER")
    assert [row["role"] for row in owner.run("SHOW GRANTS TO USER pinky") if row["role"]] == ["READER"]
    assert owner.run("SHOW GRANTS") == owner.run("SHOW GRANTS TO USER pinky")
    owner.run("REVOKE SELECT ON TABLE t FROM USER pinky")
    assert reader.refused("DESC TABLE d.s.t").errno == 2003


def test_what_a_user_cannot_be_granted() -> None:
    account = in_schema()
    assert account.refused("GRANT CREATE TABLE ON SCHEMA d.s TO USER pinky").errno == 3008
    assert account.refused("GRANT SELECT ON FUTURE TABLES IN SCHEMA d.s TO USER pinky").errno == 3008
    account.run("GRANT ALL ON SCHEMA d.s TO USER pinky")
    held = {row["privilege"] for row in account.run("SHOW GRANTS TO USER pinky") if row["privilege"]}
    assert {"USAGE", "MODIFY"} < held
    assert not any(privilege.startswith("CREATE") for privilege in held)


def test_a_user_named_as_a_role_is_no_administrator() -> None:
    account = speaker()
    account.run('CREATE USER "ACCOUNTADMIN"')
    weak = Speaker(account.engine, account.engine.login("ACCOUNTADMIN", {}, {}))
    assert weak.refused("ALTER ACCOUNT SET TIMEZONE = 'UTC'").errno == 3001
