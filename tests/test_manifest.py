from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pinky_core.diagnostics import Severity
from pinky_core.errors import DiagnosticsError
from pinky_core.manifest import FolderSource, Manifest, UnreadableFileError, load_manifest, read_file

SHOP = Path(__file__).parent / "manifests" / "shop"


def write(folder: Path, files: dict[str, str]) -> FolderSource:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return FolderSource(folder)


def load(folder: Path, text: str, files: dict[str, str] | None = None, **settings: Any) -> Manifest:
    return load_manifest(write(folder, {"manifest.yml": text, **(files or {})}), **settings)


def found(manifest: Manifest) -> list[tuple[str, str]]:
    return [(each.code, str(each.location)) for each in manifest.diagnostics]


def test_a_whole_folder_loads() -> None:
    manifest = load_manifest(FolderSource(SHOP), env="PROD", variables={"owner": "me"}, sections=["stages"])
    assert manifest.diagnostics == []
    assert (manifest.scope, manifest.target, manifest.env) == ("schema", "SHOP_PROD.SALES", "PROD")
    assert manifest.variables == {
        "database": "SHOP_PROD",
        "retention": 30,
        "owner": "me",
        "clients": [{"id": "acme"}, {"id": "brio"}],
    }
    assert [(each.kind, each.plain["name"], each.file) for each in manifest.documents] == [
        ("view", "orders_of_acme", "manifest.yml"),
        ("view", "orders_of_brio", "manifest.yml"),
        ("task", "nightly", "more/tasks.yml"),
        ("procedure", "load_orders", "resources/procedure/load_orders.yml"),
        ("table", "orders", "resources/table/orders.yml"),
    ]
    table = manifest.documents[-1]
    assert table.plain["data_retention_time_in_days"] == 30
    assert str(table.location_of(("columns", 1, "type"))) == "resources/table/orders.yml:4:24"
    assert str(table.location_of(("columns", 1, "type"), key=True)) == "resources/table/orders.yml:4:18"
    assert str(table.kind_location) == "resources/table/orders.yml:1:1"
    view = manifest.documents[1]
    assert view.plain["query"] == "SELECT *\nFROM SHOP_PROD.SALES.ORDERS\nWHERE client = 'brio'\n"
    assert "for_each" not in view.plain
    assert view.location == manifest.documents[0].location
    assert str(view.kind_location) == "manifest.yml:9:3"
    (section,) = manifest.sections
    assert (section.key, section.plain) == ("stages", ["resources_static"])
    assert str(section.location_of((0,))) == "manifest.yml:16:10"
    assert str(section.key_location) == "manifest.yml:16:1"


def test_another_environment_changes_the_variables() -> None:
    manifest = load_manifest(FolderSource(SHOP), env="SANDBOX", sections=["stages"])
    assert manifest.diagnostics == []
    assert manifest.target == "SHOP_SANDBOX.SALES"
    assert manifest.variables["retention"] == 1


def test_the_text_of_a_place_can_be_read_from_the_source() -> None:
    manifest = load_manifest(FolderSource(SHOP), env="PROD", sections=["stages"])
    place = manifest.documents[-1].location_of(("columns", 1, "type"))
    line = manifest.source.read(place.file).splitlines()[place.line - 1]
    assert line[place.column - 1 :].startswith("TIMESTAMP_NTZ")


def test_files_that_a_resource_names_are_read_beside_it() -> None:
    manifest = load_manifest(FolderSource(SHOP), env="PROD", sections=["stages"])
    procedure = next(each for each in manifest.documents if each.kind == "procedure")
    assert read_file(procedure, "load_orders.py").startswith("def main(session)")
    assert read_file(procedure, "../../sql/setup.sql") == "SELECT 1;\n"


@pytest.mark.parametrize(
    ("name", "summary", "hint"),
    [
        ("load_order.py", "there is no such file", "resources/procedure/load_orders.py"),
        ("../../../outside.py", "outside the folder", ""),
        ("/etc/hostname", "outside the folder", ""),
    ],
)
def test_a_named_file_that_cannot_be_read_has_a_place(name: str, summary: str, hint: str) -> None:
    manifest = load_manifest(FolderSource(SHOP), env="PROD", sections=["stages"])
    procedure = next(each for each in manifest.documents if each.kind == "procedure")
    with pytest.raises(DiagnosticsError) as caught:
        read_file(procedure, name, ("body", "file"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "unreadable-file"
    assert summary in diagnostic.summary
    assert hint in diagnostic.hint
    assert str(diagnostic.location) == "resources/procedure/load_orders.yml:2:15"


def test_a_single_file_is_a_manifest_too(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("target: DB.S\nresources:\n  table:\n    - name: t\n")
    manifest = load_manifest(FolderSource(tmp_path / "one.yml"))
    assert manifest.diagnostics == []
    assert (manifest.file, manifest.scope) == ("one.yml", "schema")
    assert str(manifest.documents[0].location) == "one.yml:4:7"


def test_manifest_yaml_is_found_where_it_is_the_only_one(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, {"manifest.yaml": "scope: account\n"}))
    assert (manifest.diagnostics, manifest.file) == ([], "manifest.yaml")


def test_a_missing_manifest_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, {"manifests.yml": ""}))
    assert found(manifest)[0] == ("unreadable-file", "manifest.yml:1:1")
    assert "manifests.yml" in manifest.diagnostics[0].hint


def test_every_mistake_of_a_manifest_is_told_and_the_rest_is_loaded(tmp_path: Path) -> None:
    manifest = load(
        tmp_path,
        "scope: shcema\n"
        "taget: DB.S\n"
        "table: []\n"
        "include: [nothing/*.yml, {}]\n"
        "vars: [1]\n"
        "resources:\n"
        "  table: {name: t}\n"
        "  view: [v, {name: good}]\n"
        "  '{{ env }}': []\n"
        "stages: '{{ vars.x }}'\n",
        {
            "resources/lost.yml": "a: 1",
            "resources/task/t.yml": "- 1",
            "resources/task/u.yml": "a: [",
            "vars/A.yml": "1",
        },
        sections=["stages"],
        kinds=["table"],
        env="A",
    )
    assert sorted(found(manifest)) == sorted(
        [
            ("scope", "manifest.yml:1:8"),
            ("unknown-key", "manifest.yml:2:1"),
            ("unknown-key", "manifest.yml:3:1"),
            ("include", "manifest.yml:4:11"),
            ("wrong-shape", "manifest.yml:4:26"),
            ("wrong-shape", "manifest.yml:5:7"),
            ("wrong-shape", "manifest.yml:7:10"),
            ("wrong-shape", "manifest.yml:8:10"),
            ("template-in-key", "manifest.yml:9:3"),
            ("missing-variable", "manifest.yml:10:9"),
            ("misplaced-file", "resources/lost.yml:1:1"),
            ("wrong-shape", "resources/task/t.yml:1:1"),
            ("yaml-syntax", "resources/task/u.yml:1:5"),
            ("wrong-shape", "vars/A.yml:1:1"),
        ]
    )
    hints = {each.summary: each.hint for each in manifest.diagnostics}
    assert hints["unknown key 'taget'"] == "Did you mean 'target'?"
    assert "resources:" in hints["unknown key 'table'"]
    assert "'schema'" in hints["unknown scope 'shcema'"]
    assert [each.plain for each in manifest.documents] == [{"name": "good"}]


def test_variables_of_the_caller_win_over_the_environment_over_the_manifest(tmp_path: Path) -> None:
    files = {"vars/P.yml": "b: 2\nc: 2\n"}
    manifest = load(tmp_path, "scope: account\nvars: {a: 1, b: 1, c: 1}\n", files, env="P", variables={"c": 3})
    assert manifest.variables == {"a": 1, "b": 2, "c": 3}


def test_a_caller_cannot_pass_objects_as_variables(tmp_path: Path) -> None:
    manifest = load(tmp_path, "scope: account\n", variables={"a": object(), "b": (1, {"c": None})})
    assert found(manifest) == [("variable", "None")]
    assert manifest.variables == {"b": [1, {"c": None}]}


def test_a_template_in_a_variable_stays_and_is_warned_about(tmp_path: Path) -> None:
    manifest = load(
        tmp_path, "scope: account\nvars: {a: ['{{ env }}']}\nresources: {role: [{name: '{{ vars.a[0] }}'}]}\n"
    )
    (warning,) = manifest.diagnostics
    assert (warning.severity, warning.code, str(warning.location)) == (
        Severity.WARNING,
        "template-in-variable",
        "manifest.yml:2:12",
    )
    assert manifest.documents[0].plain["name"] == "{{ env }}"


def test_an_unknown_environment_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    manifest = load(tmp_path, "scope: account\n", {"vars/SANDBOX.yml": ""}, env="SANDBX")
    assert found(manifest) == [("environment", "None")]
    assert "'SANDBOX'" in manifest.diagnostics[0].hint


def test_without_files_of_variables_any_environment_will_do(tmp_path: Path) -> None:
    manifest = load(tmp_path, "scope: account\nresources: {role: [{name: 'r_{{ env }}'}]}\n", env="DEV")
    assert manifest.diagnostics == []
    assert manifest.documents[0].plain["name"] == "r_DEV"


@pytest.mark.parametrize(
    ("rule", "target", "env"),
    [
        ('{pattern: "{name}_{env}"}', "my_shop_prod.SALES", "PROD"),
        ('{pattern: "{env}_{name}"}', "PROD_MY_SHOP.SALES", "PROD"),
        ('{pattern: "{name}_{env}", of: schema}', "SHOP.CLIENT_1_PROD", "PROD"),
        ('{pattern: "{name}__{env}"}', "A_B__PROD.S", "PROD"),
    ],
)
def test_the_environment_is_read_from_the_target(tmp_path: Path, rule: str, target: str, env: str) -> None:
    text = f"target: {target}\nenvironment: {rule}\nresources: {{table: [{{name: 't_{{{{ env }}}}'}}]}}\n"
    manifest = load(tmp_path, text)
    assert manifest.diagnostics == []
    assert manifest.env == env
    assert manifest.documents[0].plain["name"] == f"t_{env}"


def test_the_callers_target_decides_the_environment(tmp_path: Path) -> None:
    text = 'target: SHOP_DEV.S\nenvironment: {pattern: "{name}_{env}"}\n'
    manifest = load(tmp_path, text, {"vars/DEV.yml": "", "vars/PROD.yml": "x: 1"}, target="SHOP_PROD.S")
    assert (manifest.env, manifest.target, manifest.variables) == ("PROD", "SHOP_PROD.S", {"x": 1})


def test_an_environment_against_the_name_of_the_target_is_refused(tmp_path: Path) -> None:
    text = 'target: SHOP_DEV.S\nenvironment: {pattern: "{name}_{env}"}\n'
    manifest = load(tmp_path, text, {"vars/DEV.yml": "", "vars/PROD.yml": ""}, env="PROD")
    assert found(manifest) == [("environment", "manifest.yml:2:14")]


def test_a_target_that_does_not_follow_the_pattern_has_no_environment(tmp_path: Path) -> None:
    manifest = load(tmp_path, 'target: SHOP.S\nenvironment: {pattern: "{name}_{env}"}\n')
    assert manifest.env is None
    assert [(each.severity, each.code) for each in manifest.diagnostics] == [(Severity.WARNING, "environment")]


@pytest.mark.parametrize("rule", ["PROD", "{pattern: '{name}'}", "{pattern: '{name}_{env}', of: table}", "{}"])
def test_a_naming_rule_that_makes_no_sense_is_refused(tmp_path: Path, rule: str) -> None:
    manifest = load(tmp_path, f"target: SHOP_DEV.S\nenvironment: {rule}\n")
    assert [each.code for each in manifest.diagnostics] == ["wrong-shape"]


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("target: DB.S", "schema"),
        ("target: DB", "database"),
        ("scope: account", "account"),
        ("scope: database", "database"),
    ],
)
def test_scope_is_declared_or_follows_from_the_target(tmp_path: Path, text: str, scope: str) -> None:
    manifest = load(tmp_path, text)
    assert (manifest.diagnostics, manifest.scope) == ([], scope)


def test_without_scope_and_target_the_scope_is_asked_for(tmp_path: Path) -> None:
    assert found(load(tmp_path, "resources: {}\n")) == [("scope", "manifest.yml:1:1")]


def test_a_client_folder_is_schema_scoped_by_its_name(tmp_path: Path) -> None:
    manifest = load(tmp_path / "manifest_client", "resources: {}\n")
    assert (manifest.diagnostics, manifest.scope) == ([], "schema")


@pytest.mark.parametrize("scope", ["account", "database", "anything"])
def test_a_client_folder_refuses_every_other_scope(tmp_path: Path, scope: str) -> None:
    manifest = load(tmp_path / "manifest_client", f"scope: {scope}\nresources: {{}}\n")
    assert found(manifest) == [("scope", "manifest.yml:1:8")]
    assert manifest.scope == "schema"


def test_a_client_folder_is_known_from_inside_and_by_a_file_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "manifest_client", {"manifest.yml": "scope: account\n"})
    assert load_manifest(FolderSource(tmp_path), file="manifest_client/manifest.yml").scope == "schema"
    monkeypatch.chdir(tmp_path / "manifest_client")
    assert load_manifest(FolderSource(".")).scope == "schema"
    assert load_manifest(FolderSource("manifest.yml")).scope == "schema"


def test_for_each_over_a_list_in_place(tmp_path: Path) -> None:
    text = (
        "scope: account\nvars: {b: two}\n"
        "resources:\n  role:\n    - {name: 'r_{{ each }}', for_each: [1, '{{ vars.b }}'], comment: same}\n"
    )
    manifest = load(tmp_path, text)
    assert manifest.diagnostics == []
    assert [each.plain for each in manifest.documents] == [
        {"name": "r_1", "comment": "same"},
        {"name": "r_two", "comment": "same"},
    ]


def test_for_each_over_nothing_makes_nothing(tmp_path: Path) -> None:
    manifest = load(tmp_path, "scope: account\nresources: {role: [{name: a, for_each: []}]}\n")
    assert (manifest.diagnostics, manifest.documents) == ([], [])


@pytest.mark.parametrize(
    ("value", "code", "hint"),
    [
        ("vars.clinets", "missing-variable", "'clients'"),
        ("vars.clients.deep", "missing-variable", ""),
        ("vars.one", "for-each", ""),
        ("'{{ vars.clients }}'", "for-each", "vars.clients"),
        ("{a: 1}", "for-each", "vars.clients"),
        ("[[1]]", "for-each", "mapping"),
        ("5", "for-each", ""),
    ],
)
def test_for_each_refuses_what_is_no_list(tmp_path: Path, value: str, code: str, hint: str) -> None:
    text = f"scope: account\nvars: {{clients: [a], one: 1}}\nresources:\n  role:\n  - name: r\n    for_each: {value}\n"
    manifest = load(tmp_path, text)
    assert [each.code for each in manifest.diagnostics] == [code]
    assert str(manifest.diagnostics[0].location).startswith("manifest.yml:6:")
    assert hint in manifest.diagnostics[0].hint
    assert manifest.documents == []


def test_one_mistake_in_a_repeated_body_is_told_once(tmp_path: Path) -> None:
    text = "scope: account\nresources: {role: [{for_each: [1, 2, 3], name: 'r{{ each }}', comment: '{{ vars.x }}'}]}\n"
    assert [each.code for each in load(tmp_path, text).diagnostics] == ["missing-variable"]


def test_included_files_hold_resources_and_sections_only(tmp_path: Path) -> None:
    manifest = load(
        tmp_path,
        "target: D.S\ninclude: '**/*.yml'\nstages: [a]\n",
        {
            "vars/X.yml": "a: 1",
            "resources/table/t.yml": "",
            "x/one.yml": "stages: [b]\nscope: schema\nresources: {view: [{name: v}]}\n",
        },
        sections=["stages"],
    )
    assert found(manifest) == [("unknown-key", "x/one.yml:2:1"), ("duplicate-section", "x/one.yml:1:1")]
    assert [(each.kind, each.plain) for each in manifest.documents] == [
        ("view", {"name": "v"}),
        ("table", {"name": "t"}),
    ]


def test_include_cannot_leave_the_folder(tmp_path: Path) -> None:
    for pattern in ("../*.yml", "/etc/*.yml"):
        manifest = load(tmp_path / "inner", f"target: D.S\ninclude: ['{pattern}']\n", {"../other.yml": ""})
        assert found(manifest) == [("unreadable-file", "manifest.yml:2:11")]


def test_a_name_in_the_file_wins_over_the_files_name(tmp_path: Path) -> None:
    manifest = load(
        tmp_path, "target: D.S\n", {"resources/table/Some_File.yml": "{}", "resources/table/b.yml": "name: c"}
    )
    assert [each.plain["name"] for each in manifest.documents] == ["Some_File", "c"]


def test_reading_is_confined_to_the_folder(tmp_path: Path) -> None:
    source = write(tmp_path / "inner", {"a.txt": "a", "sub/b.txt": "b"})
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "inner" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "inner" / "up").symlink_to(tmp_path)
    (tmp_path / "inner" / "fine.txt").symlink_to("a.txt")
    assert source.read("sub/b.txt") == "b"
    assert source.read("fine.txt") == "a"
    for path in (
        "../secret.txt",
        "sub/../../secret.txt",
        str(tmp_path / "secret.txt"),
        "link.txt",
        "up/secret.txt",
        "",
    ):
        with pytest.raises(UnreadableFileError, match="leaves the folder"):
            source.read(path)
    with pytest.raises(FileNotFoundError):
        source.read("nothing.txt")


def test_a_folder_beside_with_the_same_beginning_is_outside(tmp_path: Path) -> None:
    (tmp_path / "inner2").mkdir()
    (tmp_path / "inner2" / "x.txt").write_text("x")
    source = write(tmp_path / "inner", {"a.txt": "a"})
    (tmp_path / "inner" / "l.txt").symlink_to(tmp_path / "inner2" / "x.txt")
    with pytest.raises(UnreadableFileError):
        source.read("l.txt")


def test_files_are_utf8_and_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_bytes("\ufeffscope: account\n".encode())
    assert load_manifest(FolderSource(tmp_path)).diagnostics == []
    (tmp_path / "manifest.yml").write_bytes(b"scope: account\n# \xc3\xa9 caf\xe9\n")
    manifest = load_manifest(FolderSource(tmp_path))
    assert found(manifest)[0] == ("unreadable-file", "manifest.yml:2:8")
    assert "0xE9 is not UTF-8" in manifest.diagnostics[0].summary


def test_unreadable_files_do_not_name_the_machines_paths(tmp_path: Path) -> None:
    (tmp_path / "resources" / "table" / "t.yml").mkdir(parents=True)
    manifest = load(tmp_path, "scope: account\ninclude: [more]\n")
    assert all(str(tmp_path) not in str(each) for each in manifest.diagnostics)
    assert manifest.documents == []


class MemorySource:
    """Files in a dictionary: what a stage or a Git repository has to offer, and no more."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    @property
    def name(self) -> str:
        return "@DB.S.REPO/branches/main/manifest_client/"

    def read(self, relative_path: str) -> str:
        if relative_path not in self.files:
            raise FileNotFoundError(relative_path)
        return self.files[relative_path]

    def list(self, pattern: str) -> list[str]:
        folder, _, extension = pattern.partition("*")
        extension = extension.removeprefix("*/*")
        return sorted(file for file in self.files if file.startswith(folder) and file.endswith(extension))


def test_any_source_will_do() -> None:
    files = {"manifest.yml": "target: D.{{ vars.s }}\n", "resources/table/t.yml": "comment: x\n"}
    manifest = load_manifest(MemorySource(files), variables={"s": "CLIENT"})
    assert manifest.diagnostics == []
    assert (manifest.scope, manifest.target) == ("schema", "D.CLIENT")
    assert manifest.documents[0].plain == {"name": "t", "comment": "x"}


def test_importing_loads_no_third_party_parsers() -> None:
    code = "import sys, pinky_core.manifest; print({'ruamel.yaml', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
