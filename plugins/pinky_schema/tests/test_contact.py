"""Contacts and what they are attached to, on the local account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_local.account import LocalAccount
from pinky_schema import SchemaProvider
from pinky_schema.contact import Contact

from pinky_core import DiagnosticsError, Provider
from pinky_core.testing import Laboratory, check_resource_type


@pytest.fixture
def account() -> Iterator[LocalAccount]:
    with LocalAccount() as running:
        yield running
        assert not running.internal_errors


@pytest.fixture
def connection(account: LocalAccount) -> Iterator[Any]:
    with account.connect() as connection:
        for text in ("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE USER \"mixed Case\"", "CREATE USER U2"):
            connection.cursor().execute(text)
        yield connection


@pytest.fixture
def laboratory(connection: Any) -> Laboratory:
    return Laboratory(SchemaProvider(connection), "schema", "D.S")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("url", st.sampled_from(("https://example.com/a?b=c&d=%20", "http://x/it's"))),
        ("email_distribution_list", st.sampled_from(("a@example.com", "o'hara+x@example.com"))),
        ("users", st.sampled_from((["pinky"], ["U2", '"mixed Case"']))),
    ],
)
def test_laws(laboratory: Laboratory, name: str, values: Any) -> None:
    others = {"url", "email_distribution_list", "users", "email"} - {name}
    check_resource_type(Contact, laboratory, values={name: values}, skip=others, keep={name}, max_examples=8)


def test_email_is_another_spelling(laboratory: Laboratory) -> None:
    def applied(fields: dict[str, Any]) -> list[str]:
        plan = laboratory.plan({"contact": [{"name": "C", **fields}]})
        laboratory.provider.apply(plan)
        return [str(each) for each in plan.statements()]

    assert applied({"email": "a@example.com"}) == [
        "CREATE CONTACT D.S.C EMAIL_DISTRIBUTION_LIST = 'a@example.com'"
    ]
    assert applied({"email_distribution_list": "a@example.com"}) == []
    assert applied({"email": "b@example.com", "comment": "x"}) == [
        "ALTER CONTACT D.S.C SET EMAIL_DISTRIBUTION_LIST = 'b@example.com' COMMENT = 'x'"
    ]
    assert applied({"url": "https://example.com"}) == ["ALTER CONTACT D.S.C SET URL = 'https://example.com'"]
    assert applied({"users": ["u2", "pinky"]}) == ["ALTER CONTACT D.S.C SET USERS = ('U2', 'PINKY')"]
    assert applied({"url": "https://example.com", "comment": None}) == [
        "ALTER CONTACT D.S.C SET URL = 'https://example.com' COMMENT = ''"
    ]
    assert applied({"url": "https://example.com", "comment": ""}) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"email": "a@example.com", "url": "https://example.com"}, "reached in one way"),
        ({"url": "ftp://example.com"}, "no URL that a person can open"),
        ({"url": "javascript:alert(1)"}, "no URL that a person can open"),
        ({"email": "nobody"}, "no e-mail address"),
        ({"email": "a@x.com, b@x.com"}, "no e-mail address"),
        ({"url": None}, "cannot take 'url' from a contact"),
        ({"users": []}, "the list of users is empty"),
        ({"emial": "a@example.com"}, "Did you mean 'email'"),
    ],
)
def test_mistakes(laboratory: Laboratory, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DiagnosticsError, match=message):
        laboratory.plan({"contact": [{"name": "C", **fields}]})


CONTACTS = [
    {"name": "STEWARD", "email": "steward@example.com"},
    {"name": "APPROVER", "url": "https://example.com/users"},
    {"name": "TWIN", "url": "https://example.com/users"},
]


def statements(laboratory: Laboratory, documents: dict[str, Any]) -> list[str]:
    plan = laboratory.plan(documents)
    report = laboratory.provider.apply(plan)
    assert report.ok
    return [str(each) for each in plan.statements()]


def test_contacts_are_attached_to_the_schema_read_back_and_taken_away(laboratory: Laboratory) -> None:
    def made(**purposes: Any) -> list[str]:
        return statements(laboratory, {"contact": CONTACTS, "contact_reference": [purposes]})

    found = made(steward="STEWARD", access_approval="APPROVER")
    assert found[-1] == "ALTER SCHEMA D.S SET CONTACT STEWARD = D.S.STEWARD, ACCESS_APPROVAL = D.S.APPROVER"
    assert made(steward="STEWARD", access_approval="APPROVER") == []
    assert made(access_approval="TWIN") == ["ALTER SCHEMA D.S SET CONTACT ACCESS_APPROVAL = D.S.TWIN"]  # reached alike
    assert made(access_approval="TWIN", steward="STEWARD") == []
    assert made(steward=None, support="TWIN") == [
        "ALTER SCHEMA D.S SET CONTACT SUPPORT = D.S.TWIN",
        "ALTER SCHEMA D.S UNSET CONTACT STEWARD",
    ]
    assert made(steward=None, support="TWIN", access_approval="TWIN") == []


def test_tables_and_views_have_contacts_of_their_own_beside_inherited_ones(laboratory: Laboratory) -> None:
    documents = {
        "contact": CONTACTS,
        "table": [{"name": "T", "columns": [{"name": "A", "type": "INT"}]}],
        "view": [{"name": "V", "query": "SELECT A FROM T"}],
        "contact_reference": [
            {"steward": "STEWARD"},
            {"on": {"table": "T"}, "steward": "STEWARD"},
            {"on": {"view": "V"}, "support": "APPROVER"},
        ],
    }
    assert "ALTER TABLE D.S.T SET CONTACT STEWARD = D.S.STEWARD" in statements(laboratory, documents)
    assert statements(laboratory, documents) == []


def test_a_contact_of_public_is_attached_and_never_written(laboratory: Laboratory, connection: Any) -> None:
    connection.cursor().execute("CREATE CONTACT D.PUBLIC.SUPPORT URL = 'https://example.com/help'")
    documents = {"contact_reference": [{"support": "PUBLIC.SUPPORT"}]}
    assert statements(laboratory, documents) == ["ALTER SCHEMA D.S SET CONTACT SUPPORT = D.PUBLIC.SUPPORT"]
    assert statements(laboratory, documents) == []
    with pytest.raises(DiagnosticsError, match="outside the target"):
        laboratory.plan({"contact": [{"name": "PUBLIC.SUPPORT", "url": "https://example.com"}]})


def test_a_contact_of_another_schema_is_not_taken_for_one_that_is_reached_alike(
    laboratory: Laboratory, connection: Any
) -> None:
    for text in ("CREATE SCHEMA D.X", "CREATE CONTACT D.X.C URL = 'u://x'", "CREATE CONTACT D.S.C URL = 'u://x'"):
        connection.cursor().execute(text.replace("u://", "https://example.com/"))
    assert statements(laboratory, {"contact_reference": [{"support": "X.C"}]}) == [
        "ALTER SCHEMA D.S SET CONTACT SUPPORT = D.X.C"
    ]
    assert statements(laboratory, {"contact_reference": [{"support": "X.C"}]}) == []
    assert statements(laboratory, {"contact_reference": [{"support": "C"}]}) == [
        "ALTER SCHEMA D.S SET CONTACT SUPPORT = D.S.C"
    ]


def test_a_contact_of_another_database_is_read_back(connection: Any) -> None:
    for text in ("CREATE DATABASE E", "CREATE CONTACT E.PUBLIC.C URL = 'https://example.com/e'"):
        connection.cursor().execute(text)
    laboratory = Laboratory(Provider(connection), "database", "D")
    documents = {"contact_reference": [{"on": {"schema": "S"}, "support": "E.PUBLIC.C"}]}
    assert statements(laboratory, documents) == ["ALTER SCHEMA D.S SET CONTACT SUPPORT = E.PUBLIC.C"]
    assert statements(laboratory, documents) == []


def test_a_task_has_contacts_that_only_account_usage_tells(laboratory: Laboratory, connection: Any) -> None:
    task = {"name": "T", "definition": "SELECT 1"}
    reference = {"on": {"task": "T"}, "support": "APPROVER"}
    documents = {"contact": CONTACTS, "task": [task], "contact_reference": [reference]}
    plan = laboratory.plan(documents)
    assert not plan.diagnostics  # the task is new
    assert laboratory.provider.apply(plan).ok
    assert [str(each) for each in plan.statements()][-1] == "ALTER TASK D.S.T SET CONTACT SUPPORT = D.S.APPROVER"
    assert laboratory.plan(documents).empty
    reference["support"] = "TWIN"
    plan = laboratory.plan(documents)
    assert [each.summary for each in plan.diagnostics] == [
        "contact_reference CONTACTS ON TASK D.S.T: Snowflake tells contacts of tasks up to two hours late, so this may "
        "be done already"
    ]
    assert laboratory.provider.apply(plan).ok
    reference["support"] = None
    assert statements(laboratory, documents) == ["ALTER TASK D.S.T UNSET CONTACT SUPPORT"]


def test_contacts_of_tasks_take_a_role_that_may_read_account_usage(account: LocalAccount, connection: Any) -> None:
    for text in (
        "CREATE ROLE R", "GRANT ROLE R TO USER PINKY", "GRANT ALL ON DATABASE D TO ROLE R",
        "GRANT ALL ON SCHEMA D.S TO ROLE R", "USE ROLE R", "USE SECONDARY ROLES NONE",
    ):  # fmt: skip
        connection.cursor().execute(text)
    laboratory = Laboratory(SchemaProvider(connection), "schema", "D.S")
    with pytest.raises(DiagnosticsError, match="may not read SNOWFLAKE") as caught:
        laboratory.plan({"contact_reference": [{"on": {"task": "T"}, "support": "C"}]})
    assert "GOVERNANCE_VIEWER" in str(caught.value)


@pytest.mark.parametrize("schemas", [10, 250])
def test_many_schemas_take_a_statement_for_each_hundred(account: LocalAccount, connection: Any, schemas: int) -> None:
    for number in range(schemas):
        name = f"D.C{number}"
        for text in (
            f"CREATE SCHEMA {name}",
            f"CREATE CONTACT {name}.A URL = 'https://example.com/{number}'",
            f"ALTER SCHEMA {name} SET CONTACT SUPPORT = {name}.A",
        ):
            connection.cursor().execute(text)
    provider = Provider(connection)
    laboratory = Laboratory(provider, "database", "D")
    references = [{"on": {"schema": f"C{n}"}, "support": f"D.C{n}.A"} for n in range(schemas)]
    before = len(account.journal)
    assert not list(laboratory.plan({"contact_reference": references}).statements())
    sent = account.journal.statements()[before:]
    assert sum("GET_CONTACTS" in text for text in sent) == -(-schemas // 100)
    assert len(sent) <= 6 + -(-schemas // 100)


# -- the section --------------------------------------------------------------------------------------------------

FOUR = """
scope: schema
contacts:
  STEWARD: {email: "{{ vars.email }}"}
  SUPPORT: {shared: PUBLIC.SUPPORT}
  APPROVER: {url: "https://example.com/admin/users?client={{ vars.client_id }}"}
  SECURITY_COMPLIANCE: {url: "https://example.com/admin/security?client={{ vars.client_id }}"}
"""
VARS = {"email": "ana@client.example", "client_id": "C1"}


def manifest(tmp_path: Any, text: str) -> Any:
    (tmp_path / "manifest.yml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_four_contacts_of_a_client(connection: Any, tmp_path: Any) -> None:
    connection.cursor().execute("CREATE CONTACT D.PUBLIC.SUPPORT URL = 'https://example.com/support'")
    provider = SchemaProvider(connection)
    source = manifest(tmp_path, FOUR)
    plan = provider.plan(source, target="D.S", vars=VARS)
    texts = [str(each) for each in plan.statements()]
    assert texts[-1] == (
        "ALTER SCHEMA D.S SET CONTACT STEWARD = D.S.STEWARD, SUPPORT = D.PUBLIC.SUPPORT, "
        "ACCESS_APPROVAL = D.S.APPROVER, SECURITY_COMPLIANCE = D.S.SECURITY_COMPLIANCE"
    )
    assert sorted(texts[:-1]) == [
        "CREATE CONTACT D.S.APPROVER URL = 'https://example.com/admin/users?client=C1'",
        "CREATE CONTACT D.S.SECURITY_COMPLIANCE URL = 'https://example.com/admin/security?client=C1'",
        "CREATE CONTACT D.S.STEWARD EMAIL_DISTRIBUTION_LIST = 'ana@client.example'",
    ]
    assert provider.apply(plan).ok
    assert provider.plan(source, target="D.S", vars=VARS).empty
    found = connection.cursor().execute(
        "SELECT purpose, coalesce(email_distribution_list, url) "
        "FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS('D.S', 'SCHEMA'))"
    )
    assert dict(found.fetchall()) == {
        "STEWARD": "ana@client.example",
        "SUPPORT": "https://example.com/support",
        "ACCESS_APPROVAL": "https://example.com/admin/users?client=C1",
        "SECURITY_COMPLIANCE": "https://example.com/admin/security?client=C1",
    }


def test_every_mistake_of_the_section_is_told_at_once_with_its_place(connection: Any, tmp_path: Any) -> None:
    text = """scope: schema
contacts:
  STEWARD: {email: a@example.com, url: "https://example.com"}
  SUPPORT: {url: "https://example.com/support", schema: PUBLIC}
  HELP: {url: "https://example.com", purpose: APPROVER}
  SECURITY: {url: "https://example.com"}
  MORE: {purpose: STEWART, shared: SUPPORT}
  NOTHING: {purpose: [STEWARD, ACCESS_APPROVAL]}
"""
    with pytest.raises(DiagnosticsError) as caught:
        SchemaProvider(connection).plan(manifest(tmp_path, text), target="D.S")
    found = [f"{each.location.line}: {each.summary}" for each in caught.value.diagnostics if each.location]
    assert found == [
        "3: contacts: a contact is reached in one way; found email and url",
        "4: contacts: a manifest of one schema writes into no other; declare SUPPORT where PUBLIC is declared (kind "
        "`contact` in the manifest of the database), and write `shared: PUBLIC.SUPPORT` here",
        "5: contacts: 'APPROVER' is no purpose: Snowflake's word is ACCESS_APPROVAL; 'Approver' is only its label in "
        "Snowsight",
        "6: contacts: 'SECURITY' stands for no purpose; give `purpose`: STEWARD, SUPPORT, ACCESS_APPROVAL, "
        "SECURITY_COMPLIANCE. Did you mean 'SECURITY_COMPLIANCE'?",
        "7: contacts: 'STEWART' is no purpose; Snowflake has STEWARD, SUPPORT, ACCESS_APPROVAL, SECURITY_COMPLIANCE. "
        "Did you mean 'STEWARD'?",
        "7: contacts: 'SUPPORT': say in which schema it lies, such as PUBLIC.SUPPORT",
        "8: contacts: say how NOTHING is reached: one of email, email_distribution_list, url, users, or `shared` for "
        "one that is there",
        "8: contacts: STEWARD has a contact already: STEWARD",
    ]
