"""Whatever a manifest, a client id or a variable says: nothing beyond one client's schema, refused before any change.

pinky_account is installed here, and still no account-wide word is known to the procedure's provider (show 2).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pinky_local import LocalAccount
from pinky_schema.provisioning import offboard, provision

from pinky_core.testing import MemorySource

LONG = "A" * 300
SOUND = {"manifest.yml": "scope: schema\nresources:\n  table: [{name: T, columns: [{name: A, type: INT}]}]\n"}


@pytest.fixture(scope="module")
def account() -> Iterator[LocalAccount]:
    with LocalAccount() as running, running.connect() as connection:
        for text in ("CREATE DATABASE D", "CREATE DATABASE OTHER", "CREATE SCHEMA D.NEIGHBOUR", "CREATE ROLE R"):
            connection.cursor().execute(text)
        yield running
        assert not running.internal_errors


READING = ("SHOW", "SELECT CURRENT_", "DESCRIBE", "ALTER SESSION")


def refused(account: LocalAccount, files: Mapping[str, str], **given: Any) -> list[dict[str, Any]]:
    """The failures of a call that must be refused: nothing of the account changed, no changing statement was sent."""
    before, start = account.dump(), len(account.journal)
    with account.connect() as connection:
        arguments = {"database": "D", "client_id": "acme", **given}
        report = provision(connection, source=MemorySource(files), **arguments)
    sent = [each.sql for each in account.journal.entries(start)]
    assert [text for text in sent if not text.upper().startswith(READING)] == []
    assert account.dump() == before
    assert (report["status"], report["changes"]) == ("refused", []), report
    assert report["failures"]
    found: list[dict[str, Any]] = report["failures"]
    return found


def test_the_package_with_account_wide_kinds_is_installed() -> None:
    assert importlib.metadata.version("pinky-account")


IDS = [
    'X"; DROP SCHEMA D.NEIGHBOUR; --', "../NEIGHBOUR", "..", "", " ", "acme acme", "acme\n", "\nacme",
    "acme; DROP DATABASE D",
    "{{ vars.secret }}", "{% for x in y %}", "ACME.T", "D.ACME", '"acme"', "'acme'", "acme--", "acme/*", "public",
    "INFORMATION_SCHEMA", LONG, "1acme", "ácme", "acme\0", "$$", "IDENTIFIER(?)", "@acme", "acme%",
]  # fmt: skip


@pytest.mark.parametrize("client_id", IDS)
def test_hostile_client_ids(account: LocalAccount, client_id: str) -> None:
    (failure,) = refused(account, SOUND, client_id=client_id)
    assert failure["code"] == "client-id"
    assert failure["remediation"]


@pytest.mark.parametrize("database", ['D"; DROP DATABASE OTHER; --', "D.NEIGHBOUR", "", LONG, "{{ vars.x }}", "D\n"])
def test_hostile_databases(account: LocalAccount, database: str) -> None:
    (failure,) = refused(account, SOUND, database=database)
    assert failure["code"] == "client-id"


def kind(word: str, body: str) -> dict[str, str]:
    return {"manifest.yml": f"scope: schema\nresources:\n  {word}:\n    - {body}\n"}


OUTSIDE = "outside the target"
MANIFESTS: dict[str, tuple[dict[str, str], str]] = {
    **{
        f"kind {word}": (kind(word, "{name: X}"), word)
        for word in (
            "warehouse", "database", "role", "user", "schema", "database_role", "storage_integration",
            "api_integration", "network_policy", "account_grant", "role_grant", "database_grant",
            "resource_monitor", "compute_pool",
            "external_access_integration", "notification_integration", "account_parameter",
        )
    },
    "scope account": ({"manifest.yml": "scope: account\nresources: {}\n"}, "scope account"),
    "scope database": ({"manifest.yml": "scope: database\ntarget: D\nresources: {}\n"}, "scope database"),
    "another schema": (kind("table", "{name: T, schema: NEIGHBOUR, columns: [{name: A, type: INT}]}"), OUTSIDE),
    "another database": (kind("table", "{name: T, database: OTHER, columns: [{name: A, type: INT}]}"), OUTSIDE),
    "a qualified name": (kind("view", "{name: D.NEIGHBOUR.V, query: SELECT 1 AS A}"), OUTSIDE),
    "a contact of PUBLIC": (kind("contact", '{name: PUBLIC.C, url: "https://x.example"}'), OUTSIDE),
    "contacts elsewhere": (kind("contact_reference", "{on: {schema: NEIGHBOUR}, steward: X}"), OUTSIDE),
    "a grant elsewhere": (kind("grant", "{privilege: USAGE, on: {schema: NEIGHBOUR}, to_role: R}"), OUTSIDE),
    "a name with a statement": (kind("table", "{name: 'T; DROP DATABASE D', columns: [{name: A, type: INT}]}"), "DROP"),
    "a column with a statement": (
        kind("table", "{name: T, columns: [{name: 'A INT); DROP DATABASE D; --', type: INT}]}"), "DROP",
    ),
    "a type with a statement": (
        kind("table", "{name: T, columns: [{name: A, type: 'INT); DROP DATABASE D; --'}]}"), "INT); DROP",
    ),
    "a role with a statement": (
        kind("grant", "{privilege: USAGE, on: {schema: ACME}, to_role: 'R; GRANT ROLE ACCOUNTADMIN TO ROLE R'}"),
        "R; GRANT",
    ),
    "a privilege with a statement": (
        kind("grant", "{privilege: 'USAGE ON DATABASE D TO ROLE R; --', on: {schema: ACME}, to_role: R}"), "privilege",
    ),
    "a file outside": (kind("view", "{name: V, query: {file: ../../etc/passwd}}"), "outside the folder"),
    "an absolute file": (kind("view", "{name: V, query: {file: /etc/passwd}}"), "outside the folder"),
    "a secret in clear": (kind("secret", "{name: K, type: GENERIC_STRING, secret_string: hush}"), "no reference"),
    "an unknown secret scheme": (
        kind("secret", "{name: K, type: GENERIC_STRING, secret_string: 'vault:x'}"), "nothing resolves",
    ),
    "a secret of the environment": (
        kind("secret", "{name: K, type: GENERIC_STRING, secret_string: 'env:HOME'}"), "nothing resolves",
    ),
    "a secret of a file": (
        kind("secret", "{name: K, type: GENERIC_STRING, secret_string: 'file:/etc/passwd'}"), "nothing resolves",
    ),
    "a template that runs": (
        kind("table", "{name: T, comment: '{{ vars.__class__ }}', columns: [{name: A, type: INT}]}"),
        "access to '__class__' is not allowed",
    ),
    "a template of code": (
        kind("table", "{name: T, comment: '{{ cycler.__init__.__globals__ }}', columns: [{name: A, type: INT}]}"),
        "access to '__globals__' is not allowed",
    ),
    "YAML that makes objects": (
        {"manifest.yml": "scope: !!python/object/apply:os.system ['true']\n"}, "os.system is not allowed",
    ),
    "YAML aliases": (
        {"manifest.yml": "scope: schema\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nresources: {table: *c}\n"},
        "a table must be a mapping of fields",
    ),
    "not YAML": ({"manifest.yml": "{[}]"}, "not valid YAML"),
    "nothing": ({}, "manifest.yml"),
    "hooks of its own": ({"manifest.yml": "scope: schema\nplugins: [evil]\n"}, "plugins"),
    "the same twice": (
        {"manifest.yml": SOUND["manifest.yml"], "resources/table/t.yml": "columns: [{name: A, type: INT}]\n"}, "twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_hostile_manifests(account: LocalAccount, name: str) -> None:
    files, words = MANIFESTS[name]
    failures = refused(account, files)
    assert any(words in each["message"] for each in failures), failures
    assert all(each.get("place") for each in failures), failures


VALUES: dict[str, Any] = {
    "a statement": "x; DROP DATABASE D",
    "quotes": "T\" (A INT); DROP DATABASE D; --",
    "a template": "{{ vars.client_id }}",
    "another schema": "NEIGHBOUR.T",
    "another database": "OTHER.PUBLIC.T",
    "newlines": "T\nDROP",
    "300 characters": LONG,
    "nothing": "",
    "a list": ["T"],
    "a mapping": {"name": "T"},
    "none": None,
}


@pytest.mark.parametrize("name", VALUES)
def test_hostile_variables_in_a_name_are_refused_with_the_place(account: LocalAccount, name: str) -> None:
    files = kind("view", "{name: '{{ vars.name }}', query: SELECT 1 AS A}")
    failures = refused(account, files, variables={"name": VALUES[name]})
    assert all(each.get("place") for each in failures), failures


SQL = {
    "view": "{name: V, query: \"SELECT '{{ vars.email }}' AS A\"}",
    "task": "{name: J, warehouse: W, schedule: 60 MINUTES, definition: \"INSERT INTO T VALUES ('{{ vars.email }}')\"}",
    "procedure": "{name: P, language: SQL, returns: VARCHAR, body: \"BEGIN RETURN '{{ vars.email }}'; END\"}",
    "table": "{name: T, columns: [{name: A, type: VARCHAR, default: \"'{{ vars.email }}'\"}]}",
}


@pytest.mark.parametrize("word", SQL)
@pytest.mark.parametrize(
    "email",
    ["x' UNION ALL SELECT SECRET FROM D.NEIGHBOUR.T --", "x'); DROP DATABASE D; --", "x' || (SELECT 1) || '", "x\\"],
)
def test_hostile_values_in_sql_are_refused(account: LocalAccount, word: str, email: str) -> None:
    failures = refused(account, kind(word, SQL[word]), variables={"email": email})
    assert {each["code"] for each in failures} <= {"unsafe-value", "wrong-value", "invalid-value"}, failures
    assert all(each.get("place") for each in failures), failures


@pytest.mark.parametrize("email", ["ana+x@acme.example", "ana@acme.example", "Ana Maria", "a.b-c_d@x.example"])
def test_sound_values_in_sql_are_not(account: LocalAccount, email: str) -> None:
    with account.connect() as connection:
        source = MemorySource(kind("view", SQL["view"]))
        variables = {"email": email}
        report = provision(connection, source=source, database="D", client_id="sound", variables=variables)
        assert report["status"] == "ok", report
        assert connection.cursor().execute("SELECT A FROM D.SOUND.V").fetchall() == [(email,)]
        offboard(connection, database="D", client_id="sound")


def test_in_a_text_they_are_data(account: LocalAccount) -> None:
    values = [value for value in VALUES.values() if isinstance(value, str)]
    files = {
        "manifest.yml": "scope: schema\nresources:\n  table:\n"
        + "".join(
            f"    - {{name: T{n}, comment: '{{{{ vars.v{n} }}}}', columns: [{{name: A, type: INT}}]}}\n"
            for n in range(len(values))
        )
    }
    with account.connect() as connection:
        variables = {f"v{n}": value for n, value in enumerate(values)}
        report = provision(connection, source=MemorySource(files), database="D", client_id="dat", variables=variables)
        assert report["status"] == "ok", report
        shown = connection.cursor().execute("SHOW TABLES IN SCHEMA D.DAT").fetchall()
        assert [row[5] for row in shown] == values
        assert len(connection.cursor().execute("SHOW DATABASES").fetchall()) == 2


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"variables": ["a"]}, "variables"), ({"variables": "abc"}, "variables"), ({"secrets": ["a"]}, "secrets"),
        ({"secrets": "abc"}, "secrets"), ({"secrets": {"A": 1}}, "secret"), ({"source": None}, "source"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_reported_and_never_raised(
    account: LocalAccount, given: dict[str, Any], code: str
) -> None:
    with account.connect() as connection:
        report = provision(connection, **{"source": MemorySource(SOUND), "database": "D", "client_id": "acme", **given})
    assert (report["status"], [each["code"] for each in report["failures"]]) == ("refused", [code])
