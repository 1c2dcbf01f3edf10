"""What users of other tools suffer from, one test each, on the local account through the real connector."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_local import LocalAccount

from pinky_core import Action, BlockedPlanError, DiagnosticsError, Outcome, Plan, Report, Risk
from tests.acceptance.world import differences, provider


class World:
    """An account, and manifests given as text."""

    def __init__(self, connection: Any, folder: Path) -> None:
        self.connection = connection
        self._folder = folder

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = list(self.connection.cursor().execute(statement).fetchall())
        return rows

    def column(self, statement: str, *names: str) -> list[Any]:
        """Columns of an answer by name, one tuple per row; bare values for one column."""
        cursor = self.connection.cursor().execute(statement)
        places = [[each[0].lower() for each in cursor.description].index(name) for name in names]
        rows = [tuple(row[place] for place in places) for row in cursor.fetchall()]
        return [row[0] for row in rows] if len(names) == 1 else rows

    def manifest(self, resources: str, scope: str, target: str) -> Path:
        head = f"scope: {scope}\n" + (f"target: {target}\n" if target else "")
        text = head + "resources:\n" + textwrap.indent(textwrap.dedent(resources).strip(), "  ") + "\n"
        (self._folder / "manifest.yml").write_text(text, encoding="utf-8")
        return self._folder

    def plan(self, resources: str, *, scope: str = "schema", target: str = "D.S", prune: bool = False) -> Plan:
        return provider(self.connection).plan(self.manifest(resources, scope, target), prune=prune)

    def apply(
        self,
        resources: str,
        *,
        scope: str = "schema",
        target: str = "D.S",
        allow: tuple[str, ...] = (),
        prune: bool = False,
    ) -> Report:
        """Apply, and look again: the second plan is empty."""
        pinky = provider(self.connection)
        report = pinky.apply(self.manifest(resources, scope, target), allow=allow, prune=prune)
        assert [f"{event.name}: {event.error}" for event in report.of(Outcome.FAILED)] == []
        assert report.ok
        assert differences(pinky.plan(self._folder, prune=prune)) == []
        return report


@pytest.fixture(scope="module")
def account() -> Iterator[LocalAccount]:
    with LocalAccount() as running:
        yield running
        assert running.internal_errors == []


@pytest.fixture
def world(account: LocalAccount, tmp_path: Path) -> Iterator[World]:
    with account.connect() as connection:
        found = World(connection, tmp_path)
        found.run(
            "DROP DATABASE IF EXISTS D",
            "CREATE DATABASE D",
            "CREATE SCHEMA D.S",
            "CREATE OR REPLACE ROLE READER",
            "CREATE OR REPLACE ROLE WRITER",
            "USE WAREHOUSE COMPUTE_WH",
        )
        yield found


def texts(plan: Plan) -> list[str]:
    return [statement.text for statement in plan.statements()]


# -- perpetual differences ---------------------------------------------------------------------------------------------

SYNONYMS = {
    "NUMBER": ["NUMBER(38,0)", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT", "DECIMAL", "NUMERIC"],
    "FLOAT": ["DOUBLE", "DOUBLE PRECISION", "REAL", "FLOAT4", "FLOAT8"],
    "VARCHAR": ["TEXT", "STRING", "VARCHAR(16777216)", "NVARCHAR", "CHAR VARYING"],
    "CHAR": ["VARCHAR(1)", "CHARACTER", "NCHAR", "CHAR(1)"],
    "TIMESTAMP_NTZ": ["DATETIME", "TIMESTAMP_NTZ(9)", "TIMESTAMPNTZ", "TIMESTAMP WITHOUT TIME ZONE"],
    "TIMESTAMP_LTZ": ["TIMESTAMPLTZ", "TIMESTAMP WITH LOCAL TIME ZONE"],
    "TIME": ["TIME(9)"],
    "BINARY": ["VARBINARY", "BINARY(8388608)"],
    "NUMBER(10,2)": ["DECIMAL(10,2)", "numeric( 10 , 2 )"],
}


def test_a_synonym_of_a_type_is_never_a_difference(world: World):
    def table(types: list[str]) -> str:
        columns = "".join(f"\n    - {{name: C{n}, type: '{each}'}}" for n, each in enumerate(types))
        return f"table:\n- name: T\n  columns:{columns}"

    plain = [name for name, others in SYNONYMS.items() for _ in others]
    other = [each for others in SYNONYMS.values() for each in others]
    world.apply(table(plain))
    assert differences(world.plan(table(other))) == []


def test_the_same_synonyms_declared_first_are_no_difference_either(world: World):
    names = [each for others in SYNONYMS.values() for each in others]
    columns = "".join(f"\n    - {{name: C{n}, type: '{each}'}}" for n, each in enumerate(names))
    world.apply(f"table:\n- name: T\n  columns:{columns}")


def test_a_parameter_inherited_from_above_is_no_difference(world: World):
    world.run("ALTER DATABASE D SET DATA_RETENTION_TIME_IN_DAYS = 7")
    manifest = "table: [{name: T, columns: [{name: A, type: INT}]}]"
    world.apply(manifest)
    world.run("ALTER DATABASE D SET DATA_RETENTION_TIME_IN_DAYS = 8")
    assert differences(world.plan(manifest)) == []


def test_a_parameter_declared_as_it_is_inherited_converges(world: World):
    world.run("ALTER DATABASE D SET DATA_RETENTION_TIME_IN_DAYS = 7")
    world.apply("table: [{name: T, data_retention_time_in_days: 7, columns: [{name: A, type: INT}]}]")


def test_white_space_comments_and_a_semicolon_in_the_text_of_a_view_are_no_difference(world: World):
    world.run("CREATE TABLE D.S.T (A INT, B INT)")
    world.apply(
        """
        view:
          - name: V
            query: |
              SELECT
                A, -- the first
                B
              FROM D.S.T
              ;
        """
    )
    same = "view: [{name: V, query: 'SELECT A,   B   FROM D.S.T;'}]"
    assert differences(world.plan(same)) == []


def test_a_view_with_a_list_of_columns_and_comments_is_no_difference(world: World):
    world.run("CREATE TABLE D.S.T (A INT, B INT)")
    world.apply(
        """
        view:
          - name: V
            comment: it's a view AS SELECT nothing
            columns: [{name: X, comment: first}, {name: y}]
            query: SELECT A, B FROM D.S.T
        """
    )


def test_a_change_of_letter_case_inside_a_literal_is_a_difference(world: World):
    world.apply("view: [{name: V, query: \"SELECT 'abc' AS A\"}]")
    assert [change.action for change in world.plan("view: [{name: V, query: \"SELECT 'ABC' AS A\"}]").changes] != []


def test_the_statement_of_a_task_with_other_white_space_is_no_difference(world: World):
    world.apply(
        """
        task:
          - name: T
            schedule: 60 MINUTES
            definition: |
              INSERT INTO D.S.T
                SELECT 1;
        """
    )


def test_a_difference_of_letter_case_in_a_procedure_is_seen(world: World):
    def procedure(text: str) -> str:
        return f"procedure: [{{name: P, language: SQL, returns: VARCHAR, body: \"BEGIN RETURN '{text}'; END\"}}]"

    world.apply(procedure("abc"))
    assert [str(change.address) for change in world.plan(procedure("ABC")).changes] == ["procedure D.S.P()"]


@pytest.mark.parametrize("on", ["table: T", "schema: D.S"])
def test_all_privileges_are_granted_once_and_never_again(world: World, on: str):
    world.apply(
        f"""
        table: [{{name: T, columns: [{{name: A, type: INT}}]}}]
        grant: [{{privilege: ALL, on: {{{on}}}, to_role: READER}}]
        """
    )


def test_the_order_of_columns_is_ignored_unless_asked_for(world: World):
    world.run("CREATE TABLE D.S.T (B INT, A INT, C INT)")
    table = "table: [{{name: T, {more} columns: [{{name: A, type: INT}}, {{name: B, type: INT}}]}}]"
    assert differences(world.plan(table.format(more=""))) == []


def test_an_owner_who_is_not_declared_is_not_touched(world: World):
    manifest = "table: [{name: T, columns: [{name: A, type: INT}]}]"
    world.apply(manifest)
    world.run("GRANT OWNERSHIP ON TABLE D.S.T TO ROLE WRITER COPY CURRENT GRANTS")
    assert differences(world.plan(manifest)) == []


def test_defaults_and_synonyms_of_values_are_no_difference(world: World):
    world.apply(
        """
        table:
          - name: T
            comment: ''
            cluster_by: [A, TO_DATE(B)]
            columns:
              - {name: A, type: TIMESTAMP_LTZ, default: CURRENT_TIMESTAMP}
              - {name: B, type: TIMESTAMP_LTZ, default: current_timestamp()}
              - {name: C, type: STRING, default: "'it''s'", comment: null}
              - {name: D, type: 'NUMBER(5,2)', default: 1.50}
              - {name: E, type: BOOLEAN, default: true}
              - {name: F, type: NUMBER, default: -1}
              - {name: G, type: STRING, collate: en-ci}
              - {name: H, type: NUMBER, identity: {start: 5, increment: 2}}
        task:
          - {name: A, schedule: 60 MINUTE, definition: SELECT 1}
          - {name: B, schedule: 1 HOUR, definition: "SELECT 2;"}
          - {name: C, schedule: 'USING CRON  0 3 * * *  UTC', definition: SELECT 1, warehouse: compute_wh}
          - {name: E, schedule: 10 seconds, definition: "BEGIN SELECT 1; SELECT 2; END"}
        """
    )
    world.apply(
        """
        warehouse:
          - {name: PAIN_1, warehouse_size: x-small, initially_suspended: true}
          - {name: PAIN_2, warehouse_size: XXLARGE, initially_suspended: true}
          - {name: PAIN_3, warehouse_size: 2X-Large, auto_suspend: null, comment: null, initially_suspended: true}
          - {name: '"pain.4"', auto_suspend: 0, scaling_policy: economy, initially_suspended: true}
        """,
        scope="account",
        target="",
    )


# -- grants ------------------------------------------------------------------------------------------------------------

ON_ALL = """
database_grant:
  - {privilege: SELECT, on: {all: TABLES, in_schema: D.S}, to_role: READER}
  - {privilege: SELECT, on: {future: TABLES, in_schema: D.S}, to_role: READER}
"""


def test_grants_on_all_and_on_future_objects_are_not_planned_again_each_run(world: World):
    world.run("CREATE TABLE D.S.T (A INT)", "CREATE TABLE D.S.U (A INT)")
    world.apply(ON_ALL, scope="database", target="D")
    world.run("CREATE TABLE D.S.LATER (A INT)")
    assert differences(world.plan(ON_ALL, scope="database", target="D")) == []


def test_grants_on_all_objects_reach_an_object_made_elsewhere(world: World):
    only_all = "database_grant: [{privilege: SELECT, on: {all: TABLES, in_schema: D.S}, to_role: READER}]"
    world.run("CREATE TABLE D.S.T (A INT)")
    world.apply(only_all, scope="database", target="D")
    world.run("CREATE TABLE D.S.LATER (A INT)")
    plan = world.plan(only_all, scope="database", target="D")
    assert any("SELECT" in text and "READER" in text for text in texts(plan))
    world.apply(only_all, scope="database", target="D")
    assert ("SELECT", "READER") in world.column("SHOW GRANTS ON TABLE D.S.LATER", "privilege", "grantee_name")


@pytest.mark.parametrize("prune", [False, True])
def test_grants_made_elsewhere_are_not_revoked(world: World, prune: bool):
    manifest = """
    table: [{name: T, columns: [{name: A, type: INT}]}]
    grant: [{privilege: SELECT, on: {table: T}, to_role: READER}]
    """
    world.apply(manifest)
    world.run(
        "GRANT INSERT ON TABLE D.S.T TO ROLE READER",
        "GRANT SELECT ON TABLE D.S.T TO ROLE WRITER",
        "GRANT SELECT ON FUTURE TABLES IN SCHEMA D.S TO ROLE WRITER",
    )
    plan = world.plan(manifest, prune=prune)
    assert [text for text in texts(plan) if text.startswith("REVOKE")] == []
    assert differences(plan) == []


def test_grants_survive_the_replacement_of_a_view(world: World):
    world.run("CREATE TABLE D.S.T (A INT, B INT)")
    world.apply("view: [{name: V, query: SELECT A FROM D.S.T}]")
    world.run("GRANT SELECT ON VIEW D.S.V TO ROLE READER")
    world.apply("view: [{name: V, query: 'SELECT A, B FROM D.S.T'}]", allow=("destructive",))
    assert ("SELECT", "READER") in world.column("SHOW GRANTS ON VIEW D.S.V", "privilege", "grantee_name")


def test_grants_come_after_what_they_are_on_and_to(world: World):
    world.apply(
        """
        account_grant: [{privilege: USAGE, on: {warehouse: PAIN_WH}, to_role: PAIN_ROLE}]
        database_grant:
          - {privilege: USAGE, on: {schema: D.LATE}, to_role: PAIN_ROLE}
          - {privilege: SELECT, on: {future: VIEWS, in_schema: D.LATE}, to_role: PAIN_ROLE}
        role_grant: [{role: PAIN_ROLE, to_role: SYSADMIN}]
        schema: [{name: LATE, database: D}]
        role: [{name: PAIN_ROLE}]
        warehouse: [{name: PAIN_WH, initially_suspended: true}]
        """,
        scope="account",
        target="",
    )


# -- data that must not be lost ----------------------------------------------------------------------------------------


def test_a_changed_column_never_replaces_the_table(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: VARCHAR(10)}, {name: B, type: 'NUMBER(5,0)'}]}]")
    world.run("INSERT INTO D.S.T VALUES ('x', 1)")
    wider = """
    table:
      - name: T
        columns:
          - {name: A, type: VARCHAR(20), comment: wider}
          - {name: B, type: 'NUMBER(9,0)', not_null: true}
          - {name: C, type: DATE}
    """
    plan = world.plan(wider)
    assert [(change.action, change.risk) for change in plan.changes] == [(Action.ALTER, Risk.SAFE)]
    assert [text for text in texts(plan) if "REPLACE" in text or "DROP" in text] == []
    world.apply(wider)
    assert world.run("SELECT A, B, C FROM D.S.T") == [("x", 1, None)]


def test_a_type_that_cannot_be_altered_is_refused_or_destructive_never_silent(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: VARCHAR(10)}]}]")
    world.run("INSERT INTO D.S.T VALUES ('x')")
    manifest = "table: [{name: T, columns: [{name: A, type: DATE}]}]"
    with pytest.raises((DiagnosticsError, BlockedPlanError), match=r"(?s)D\.S\.T|column A|A: "):
        world.apply(manifest)
    assert world.run("SELECT A FROM D.S.T") == [("x",)]


def test_a_renamed_column_keeps_its_data(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: INT}]}]")
    world.run("INSERT INTO D.S.T VALUES (7)")
    world.apply("table: [{name: T, columns: [{name: B, type: INT, renamed_from: A}]}]")
    assert world.run("SELECT B FROM D.S.T") == [(7,)]


def test_a_renamed_table_keeps_its_data_and_grants(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: INT}]}]")
    world.run("INSERT INTO D.S.T VALUES (7)", "GRANT SELECT ON TABLE D.S.T TO ROLE READER")
    world.apply("table: [{name: U, renamed_from: T, columns: [{name: A, type: INT}]}]")
    assert world.run("SELECT A FROM D.S.U") == [(7,)]
    assert ("SELECT", "READER") in world.column("SHOW GRANTS ON TABLE D.S.U", "privilege", "grantee_name")


def test_a_renamed_schema_keeps_what_is_in_it(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: INT}]}]")
    world.run("INSERT INTO D.S.T VALUES (7)")
    renamed = """
    schema: [{name: S2, renamed_from: S}]
    table: [{name: T, schema: S2, columns: [{name: A, type: INT}]}]
    """
    plan = world.plan(renamed, scope="database", target="D")
    assert [(change.action, str(change.address)) for change in plan.changes] == [(Action.RENAME, "schema D.S2")]
    world.apply(renamed, scope="database", target="D")
    assert world.run("SELECT A FROM D.S2.T") == [(7,)]


def test_a_column_that_is_not_declared_is_kept(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: INT}, {name: B, type: INT}]}]")
    assert texts(world.plan("table: [{name: T, columns: [{name: A, type: INT}]}]")) == []


def test_dropping_a_column_is_destructive(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: INT}, {name: B, type: INT}]}]")
    manifest = "table: [{name: T, strategy: drop, columns: [{name: A, type: INT}]}]"
    assert [change.risk for change in world.plan(manifest).changes] == [Risk.DESTRUCTIVE]
    with pytest.raises(BlockedPlanError, match=r"table D\.S\.T"):
        world.apply(manifest)
    world.apply(manifest, allow=("destructive:table D.S.T",))


def test_a_new_mandatory_column_without_default_on_a_table_with_rows_is_an_error_of_the_plan(world: World):
    world.apply("table: [{name: T, columns: [{name: A, type: INT}]}]")
    manifest = "table: [{name: T, columns: [{name: A, type: INT}, {name: B, type: INT, not_null: true}]}]"
    world.run("INSERT INTO D.S.T VALUES (1)")
    with pytest.raises(DiagnosticsError) as caught:
        world.plan(manifest)
    assert "B" in str(caught.value)
    assert caught.value.diagnostics[0].location is not None
    world.apply(manifest.replace("not_null: true", "not_null: true, default: 0"))
    assert world.run("SELECT A, B FROM D.S.T") == [(1, 0)]


def test_containers_that_are_not_declared_are_never_dropped(world: World):
    world.run("CREATE SCHEMA D.OTHER", "CREATE TABLE D.OTHER.T (A INT)")
    manifest = "schema: [{name: S, comment: mine}]"
    assert [text for text in texts(world.plan(manifest, scope="database", target="D")) if "DROP" in text] == []
    with pytest.raises(DiagnosticsError, match="pruning needs a target schema"):
        world.plan(manifest, scope="database", target="D", prune=True)
    assert "OTHER" in world.column("SHOW SCHEMAS IN DATABASE D", "name")


def test_pruning_drops_only_kinds_the_manifest_declares_and_only_with_permission(world: World):
    world.run("CREATE TABLE D.S.STRAY (A INT)", "CREATE VIEW D.S.V AS SELECT A FROM D.S.STRAY", "CREATE STAGE D.S.ST")
    manifest = "table: [{name: T, columns: [{name: A, type: INT}]}]"
    assert [str(address) for address in world.plan(manifest).orphans] == ["table D.S.STRAY"]
    with pytest.raises(BlockedPlanError, match="STRAY"):
        world.apply(manifest, prune=True)
    world.apply(manifest, prune=True, allow=("destructive:table",))
    assert world.column("SHOW TABLES IN SCHEMA D.S", "name") == ["T"]
    assert world.column("SHOW VIEWS IN SCHEMA D.S", "name") == ["V"]
    assert world.column("SHOW STAGES IN SCHEMA D.S", "name") == ["ST"]


def test_a_table_written_anew_keeps_rows_grants_keys_and_tags(world: World):
    turned = """
    table:
      - name: T
        strategy: reorder
        primary_key: {columns: [A]}
        columns: [{name: A, type: INT, not_null: true}, {name: B, type: INT, comment: second}]
    """
    world.apply("table: [{name: T, columns: [{name: B, type: INT}, {name: A, type: INT, not_null: true}]}]")
    world.run(
        "CREATE TAG D.S.TG",
        "ALTER TABLE D.S.T SET TAG D.S.TG = 'kept'",
        "GRANT SELECT ON TABLE D.S.T TO ROLE READER",
        "INSERT INTO D.S.T (A, B) VALUES (1, 2)",
    )
    with pytest.raises(BlockedPlanError):
        world.apply(turned)
    world.apply(turned, allow=("destructive",))
    assert world.column("DESCRIBE TABLE D.S.T", "name") == ["A", "B"]
    assert world.run("SELECT A, B FROM D.S.T") == [(1, 2)]
    assert ("SELECT", "READER") in world.column("SHOW GRANTS ON TABLE D.S.T", "privilege", "grantee_name")
    assert world.run("SELECT SYSTEM$GET_TAG('D.S.TG', 'D.S.T', 'TABLE')") == [("kept",)]


def test_keys_are_made_in_order_and_keep_no_table_from_being_dropped(world: World):
    both = """
    table:
      - name: CHILD
        columns: [{name: ID, type: INT, not_null: true}, {name: PARENT_ID, type: INT}]
        primary_key: {columns: [ID]}
        foreign_keys: [{columns: [PARENT_ID], references: PARENT}]
      - name: PARENT
        columns: [{name: ID, type: INT, not_null: true}]
        primary_key: {columns: [ID]}
      - name: ALONE
        columns: [{name: ID, type: INT}]
    """
    world.apply(both)
    alone = "table: [{name: ALONE, columns: [{name: ID, type: INT}]}]"
    plan = world.plan(alone, prune=True)
    assert {str(change.address) for change in plan.changes} == {"table D.S.CHILD", "table D.S.PARENT"}
    world.apply(alone, allow=("destructive",), prune=True)


def test_a_stage_is_altered_in_place_not_made_again(world: World):
    world.apply("stage: [{name: ST, directory: {enable: true}}]")
    plan = world.plan("stage: [{name: ST, comment: c, directory: {enable: true}, file_format: {type: CSV}}]")
    assert texts(plan) != []
    assert [text for text in texts(plan) if not text.startswith("ALTER STAGE")] == []


def test_the_encryption_of_an_internal_stage_is_no_difference_and_cannot_change(world: World):
    world.apply("stage: [{name: ST, encryption: {type: SNOWFLAKE_SSE}}, {name: PLAIN}]")
    manifest = "stage: [{name: ST, encryption: {type: SNOWFLAKE_FULL}}]"
    assert [change.risk for change in world.plan(manifest).changes] == [Risk.DESTRUCTIVE]
    with pytest.raises(BlockedPlanError, match="every file in the stage"):
        world.apply(manifest)


def test_writing_a_table_anew_says_that_its_streams_lose_their_offset(world: World):
    columns = "columns: [{name: B, type: INT}, {name: A, type: INT}]"
    stream = "stream: [{name: SM, on_table: T}]"
    world.apply(f"table: [{{name: T, change_tracking: true, {columns}}}]\n{stream}")
    turned = "columns: [{name: A, type: INT}, {name: B, type: INT}]"
    plan = world.plan(f"table: [{{name: T, change_tracking: true, strategy: reorder, {turned}}}]\n{stream}")
    (table,) = [change for change in plan.changes if change.address.kind == "table"]
    assert table.risk is Risk.DESTRUCTIVE
    assert "stream" in table.loses


def test_another_source_of_a_stream_is_destructive(world: World):
    tables = "table: [{name: T, columns: [{name: A, type: INT}]}, {name: U, columns: [{name: A, type: INT}]}]\n"
    world.apply(tables + "stream: [{name: SM, on_table: T}]")
    plan = world.plan(tables + "stream: [{name: SM, on_table: U}]")
    assert [(str(change.address), change.risk) for change in plan.changes] == [("stream D.S.SM", Risk.DESTRUCTIVE)]
    with pytest.raises(BlockedPlanError, match=r"stream D\.S\.SM"):
        world.apply(tables + "stream: [{name: SM, on_table: U}]")


# -- names -------------------------------------------------------------------------------------------------------------


def test_names_with_dots_spaces_quotes_and_lower_case_mean_what_sql_means(world: World):
    world.apply(
        r'''
        table:
          - name: '"a.b"'
            columns:
              - {name: '"lower"', type: INT}
              - {name: Folded, type: INT}
              - {name: '"with space"', type: INT}
              - {name: '"say ""hi"""', type: INT}
              - {name: '"select"', type: INT}
          - {name: mixedCase, columns: [{name: a, type: INT}]}
          - {name: '"mixedCase"', columns: [{name: a, type: INT}]}
        view:
          - {name: '"v.w"', query: 'SELECT "lower", FOLDED FROM D.S."a.b"'}
        grant:
          - {privilege: SELECT, on: {table: '"a.b"'}, to_role: READER}
        '''
    )
    assert set(world.column("SHOW TABLES IN SCHEMA D.S", "name")) == {"a.b", "MIXEDCASE", "mixedCase"}
    assert world.column('DESCRIBE TABLE D.S."a.b"', "name") == ["lower", "FOLDED", "with space", 'say "hi"', "select"]


def test_a_quoted_upper_case_name_is_the_plain_name(world: World):
    world.apply("table: [{name: t, columns: [{name: a, type: INT}]}]")
    same = "table: [{name: '\"T\"', columns: [{name: '\"A\"', type: INT}]}]"
    assert differences(world.plan(same)) == []


def test_two_spellings_of_one_name_are_a_duplicate(world: World):
    with pytest.raises(DiagnosticsError, match="T"):
        world.plan(
            """
            table:
              - {name: t, columns: [{name: a, type: INT}]}
              - {name: '"T"', columns: [{name: a, type: INT}]}
            """
        )


def test_a_schema_and_target_with_quoted_names_work(world: World):
    world.run('CREATE SCHEMA D."low er"')
    world.apply("table: [{name: T, columns: [{name: A, type: INT}]}]", target='D."low er"')
    assert world.column('SHOW TABLES IN SCHEMA D."low er"', "name") == ["T"]


# -- tasks -------------------------------------------------------------------------------------------------------------


def graph(definition: str, schedule: str = "60 MINUTES") -> str:
    return f"""
    task:
      - {{name: ROOT, schedule: {schedule}, definition: SELECT 1, state: started}}
      - {{name: CHILD, after: [ROOT], definition: {definition}, state: started}}
    """


@pytest.mark.parametrize("changed", [graph("SELECT 3"), graph("SELECT 2", "30 MINUTES")])
def test_a_changed_graph_runs_again(world: World, changed: str):
    world.apply(graph("SELECT 2"))
    world.apply(changed)
    assert world.column("SHOW TASKS IN SCHEMA D.S", "name", "state") == [("CHILD", "started"), ("ROOT", "started")]


def test_a_graph_that_somebody_suspended_stays_suspended_when_the_state_is_not_declared(world: World):
    world.apply(graph("SELECT 2"))
    world.run("ALTER TASK D.S.ROOT SUSPEND")
    world.apply(graph("SELECT 3").replace(", state: started", ""))
    assert dict(world.column("SHOW TASKS IN SCHEMA D.S", "name", "state"))["ROOT"] == "suspended"


# -- roles -------------------------------------------------------------------------------------------------------------


def test_a_schema_manifest_needs_no_more_than_the_owner_of_the_schema(
    world: World, account: LocalAccount, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PAIN_SECRET", "s3")
    world.run(
        "CREATE OR REPLACE ROLE SCHEMA_OWNER",
        "GRANT ROLE SCHEMA_OWNER TO USER PINKY",
        "GRANT USAGE ON DATABASE D TO ROLE SCHEMA_OWNER",
        "GRANT OWNERSHIP ON SCHEMA D.S TO ROLE SCHEMA_OWNER",
        "GRANT USAGE ON WAREHOUSE COMPUTE_WH TO ROLE SCHEMA_OWNER",
    )
    with account.connect(role="SCHEMA_OWNER", warehouse="COMPUTE_WH") as weak:
        weak.cursor().execute("USE SECONDARY ROLES NONE")
        as_owner = World(weak, world._folder)
        as_owner.apply(
            """
            table: [{name: T, columns: [{name: A, type: INT}]}]
            view: [{name: V, query: SELECT A FROM D.S.T}]
            stage: [{name: ST}]
            stream: [{name: SM, on_table: T}]
            tag: [{name: TG, comment: x}]
            secret: [{name: SE, type: GENERIC_STRING, secret_string: 'env:PAIN_SECRET', version: 1}]
            procedure: [{name: P, language: SQL, returns: VARCHAR, body: "BEGIN RETURN 'x'; END"}]
            task: [{name: TK, schedule: 60 MINUTES, definition: SELECT 1}]
            grant: [{privilege: SELECT, on: {table: T}, to_role: READER}]
            """
        )
        as_owner.apply("table: [{name: T, comment: later, columns: [{name: A, type: INT}, {name: B, type: INT}]}]")
