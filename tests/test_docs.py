"""The documentation is true: its manifests validate and apply, its links lead somewhere, its index is complete."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import pytest

from pinky_core import BlockedPlanError, DiagnosticsError, Provider, SecretError, validate_manifest
from tests.acceptance.world import REGISTRY, DirectSession, differences, engine, provider

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WRITTEN = sorted(page for folder in ("tutorial", "how-to", "explanation") for page in (DOCS / folder).glob("*.md"))
FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (?P<path>[\w./-]+\.(?:yml|py|sql|toml))(?: \((?:continued|excerpt)\))?\n")
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
FIRST_PAGE = DOCS / "tutorial/first-apply.md"
PLUGIN_PAGE = DOCS / "tutorial/write-a-plugin.md"
SLOT_PAGE = DOCS / "tutorial/write-a-slot.md"
EXAMPLE = ROOT / "plugins/pinky_example"
# What stands before a page's manifests are applied, as statements.
GROUND = ("CREATE DATABASE SHOP", "CREATE SCHEMA SHOP.SALES", "CREATE SCHEMA SHOP.CLIENT_TEMPLATE")
REPOSITORY = "https://git.shop.example/data/product.git"
_SECONDS = re.compile(r"\b\d+\.\d s\b")


@attrs.frozen
class Snippet:
    """A manifest of a page: its files by relative path, the first of which is the manifest."""

    page: Path
    files: dict[str, str]

    @property
    def environments(self) -> list[str | None]:
        found = sorted(PurePosixPath(path).stem for path in self.files if "vars/" in path)
        return [*found] or [None]

    def write(self, folder: Path) -> Path:
        for path, text in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return (folder / next(iter(self.files))).parent

    def __str__(self) -> str:
        return f"{self.page.stem}-{len(self.files)}"


def named_blocks(page: Path) -> Iterator[tuple[str, str]]:
    """The code blocks of a page that begin with a comment that names a file, with that path."""
    for block in FENCE.finditer(page.read_text(encoding="utf-8")):
        first = _FILE.match(block["text"])
        if first is not None:
            yield first["path"], block["text"]


def snippets() -> Iterator[Snippet]:
    """The manifests of all pages but the tutorials; files named after a manifest belong to it."""
    for page in WRITTEN:
        current: Snippet | None = None
        for path, text in named_blocks(page) if page.parent.name != "tutorial" else ():
            if PurePosixPath(path).name == "manifest.yml":
                if current is not None:
                    yield current
                current = Snippet(page, {})
            assert current is not None, f"{page.name}: {path} stands before any manifest.yml"
            current.files[path] = text
        if current is not None:
            yield current


SNIPPETS = list(snippets())


def test_every_how_to_guide_shows_a_manifest():
    guides = {page for page in WRITTEN if page.parent.name == "how-to"}
    assert len(guides) >= 7
    assert {snippet.page for snippet in SNIPPETS} >= guides


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_a_manifest_of_a_page_is_valid(snippet: Snippet, tmp_path: Path):
    folder = snippet.write(tmp_path)
    for env in snippet.environments:
        desired = validate_manifest(folder, REGISTRY, env=env)
        assert desired.resources
        assert desired.warnings == ()


@pytest.mark.parametrize("page", sorted({snippet.page for snippet in SNIPPETS}), ids=lambda page: page.stem)
def test_the_manifests_of_a_page_apply_one_after_the_other(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PAYMENT_API_KEY", "k")
    password = tmp_path / "ftp_password"
    password.write_text("p\n", encoding="utf-8")
    remote = repository(tmp_path / "remote")
    # who is a contact of what is read by a query
    with engine(data="contacts:" in page.read_text("utf-8"), repositories={REPOSITORY: remote}) as account:
        pinky = on_the_ground(DirectSession(account), page)
        for number, snippet in enumerate(each for each in SNIPPETS if each.page == page):
            files = {
                path: text.replace("/run/secrets/ftp_password", str(password)) for path, text in snippet.files.items()
            }
            folder = attrs.evolve(snippet, files=files).write(tmp_path / str(number))
            env = snippet.environments[0]
            report = pinky.apply(folder, env=env, allow=["destructive"])
            assert [(event.name, event.error, event.because) for event in report.events if not report.ok] == []
            assert differences(pinky.plan(folder, env=env)) == []


def repository(folder: Path) -> Path:
    """A Git repository, which the guide about sources reads, with one commit."""
    author = ["-c", "user.name=a", "-c", "user.email=a@shop.example"]
    for arguments in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        folder.mkdir(exist_ok=True)
        subprocess.check_call(["git", *author, "-C", str(folder), *arguments])
    return folder


def on_the_ground(session: DirectSession, page: Path, *, schemas: bool = False) -> Provider:
    """A provider for an account in which the places that the page's manifests name are there.

    A page whose manifest makes them itself gets none, unless ``schemas`` says so.
    """
    if schemas or page.stem == "contacts" or "scope: account" not in page.read_text(encoding="utf-8"):
        for statement in (*GROUND, "CREATE SCHEMA SHOP.RAW", "CREATE DATABASE SHOP_DEV"):
            session.execute(statement)
    if page.stem == "task-graphs":
        session.execute("CREATE TABLE SHOP.SALES.ORDERS (ORDER_ID INT)")
        session.execute("CREATE TABLE SHOP.RAW.ORDERS (ORDER_ID INT)")
    if page.stem == "stages":
        session.execute("CREATE DATABASE ROLE SHOP.VIEWER")
        session.execute("CREATE WAREHOUSE ETL")
    if page.stem in ("task-graphs", "stages", "non-regression"):
        session.execute(
            "CREATE STORAGE INTEGRATION ACME_DEV TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
            "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme-dev/')"
        )
    return provider(session)


def test_the_destructive_change_of_the_guide_is_refused_with_the_words_of_the_guide(tmp_path: Path):
    page = DOCS / "how-to/destructive-changes.md"
    before, after = [each for each in SNIPPETS if each.page == page]
    with engine() as account:
        pinky = on_the_ground(DirectSession(account), page)
        pinky.apply(before.write(tmp_path / "before"))
        plan = pinky.plan(after.write(tmp_path / "after"))
        with pytest.raises(BlockedPlanError, match="column LEGACY_CODE and its values"):
            pinky.apply(plan, allow=["destructive:view"])
        for allow in ("destructive", "destructive:table", "destructive:table SHOP.SALES.ORDERS"):
            assert plan.blocked([allow]) == ()
            assert allow in page.read_text(encoding="utf-8")
        assert pinky.apply(plan, allow=["destructive:table SHOP.SALES.ORDERS"]).ok


def test_taking_a_grant_out_of_the_manifest_revokes_nothing_as_the_guide_says(tmp_path: Path):
    head = "scope: schema\ntarget: SHOP.SALES\nresources:\n  table: [{name: T, columns: [{name: A, type: INT}]}]\n"
    grants = [f"{{privilege: {word}, on: {{table: T}}, to_role: PUBLIC}}" for word in ("SELECT", "INSERT")]
    with engine() as account:
        pinky = on_the_ground(DirectSession(account), DOCS / "how-to/grants.md", schemas=True)
        manifest = tmp_path / "manifest.yml"
        manifest.write_text(f"{head}  grant: [{', '.join(grants)}]\n", encoding="utf-8")
        assert pinky.apply(tmp_path).ok
        manifest.write_text(f"{head}  grant: [{grants[0]}]\n", encoding="utf-8")
        assert pinky.plan(tmp_path, prune=True).empty


def test_the_rename_of_the_guide_is_a_rename_and_says_nothing_once_it_is_applied(tmp_path: Path):
    (snippet,) = [each for each in SNIPPETS if each.page.stem == "rename"]
    folder = snippet.write(tmp_path)
    with engine() as account:
        session = DirectSession(account)
        pinky = on_the_ground(session, snippet.page)
        session.execute("CREATE TABLE SHOP.SALES.ORDER_LIST (ORDER_ID INT, CREATED TIMESTAMP_NTZ)")
        plan = pinky.plan(folder)
        assert [change.action.value for change in plan.changes] == ["rename"]
        texts = [each.text for each in plan.statements()]
        assert any("RENAME TO" in text for text in texts)
        assert any("RENAME COLUMN" in text for text in texts)
        assert plan.destructive() == ()
        assert pinky.apply(plan).ok
        assert pinky.plan(folder).empty


def test_secrets_are_what_the_guide_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (snippet,) = [each for each in SNIPPETS if each.page.stem == "secrets"]
    text = snippet.files["manifest.yml"].replace("file:/run/secrets/ftp_password", "env:PAYMENT_API_KEY")
    folder = attrs.evolve(snippet, files={"manifest.yml": text}).write(tmp_path)
    manifest = folder / "manifest.yml"
    with engine() as account:
        session = DirectSession(account)
        pinky = on_the_ground(session, snippet.page)
        monkeypatch.delenv("PAYMENT_API_KEY", raising=False)
        plan = pinky.plan(folder)  # planning does not read the variable
        session.statements.clear()
        with pytest.raises(SecretError, match="the environment variable PAYMENT_API_KEY is not set"):
            pinky.apply(plan)
        assert [each for each in session.statements if each.startswith("CREATE")] == []
        monkeypatch.setenv("PAYMENT_API_KEY", "first")
        assert pinky.apply(folder).ok
        (row,) = [
            row for row in session.execute("SHOW SECRETS IN SCHEMA SHOP.SALES") if row["name"] == "PAYMENT_API_KEY"
        ]
        assert row["comment"] == "Key of the payment provider [pinky version 1]"
        monkeypatch.setenv("PAYMENT_API_KEY", "second")
        assert pinky.plan(folder).empty  # nobody can see that the value changed
        manifest.write_text(text.replace("version: 1", "version: 2"), encoding="utf-8")
        assert {change.action.value for change in pinky.plan(folder).changes} == {"alter"}
        assert pinky.apply(folder).ok
        manifest.write_text(text, encoding="utf-8")
        with pytest.raises(DiagnosticsError, match="version 1 is lower than version 2"):
            pinky.plan(folder)
        manifest.write_text(text.replace("env:PAYMENT_API_KEY", "hunter2"), encoding="utf-8")
        with pytest.raises(DiagnosticsError) as refused:
            pinky.plan(folder)
        assert "hunter2" not in str(refused.value)


def test_the_task_graph_of_the_guide_is_suspended_and_resumed_around_a_change(tmp_path: Path):
    snippet, _ = [each for each in SNIPPETS if each.page.stem == "task-graphs"]
    with engine() as account:
        session = DirectSession(account)
        pinky = on_the_ground(session, snippet.page)
        assert pinky.apply(snippet.write(tmp_path / "before")).ok
        changed = {path: text.replace("COUNT(*)", "MAX(ORDER_ID)") for path, text in snippet.files.items()}
        session.statements.clear()
        assert pinky.apply(attrs.evolve(snippet, files=changed).write(tmp_path / "after")).ok
        sent = [each for each in session.statements if each.startswith("ALTER TASK")]
        assert sent[0] == "ALTER TASK SHOP.SALES.NIGHTLY SUSPEND"
        assert sent[-1] == "ALTER TASK SHOP.SALES.NIGHTLY RESUME"


def test_the_guide_shows_its_second_graph_as_pinky_draws_it(tmp_path: Path):
    _, snippet = [each for each in SNIPPETS if each.page.stem == "task-graphs"]
    drawn = ended("pinky graph", snippet.write(tmp_path))
    assert drawn.returncode == 0, drawn.stderr
    assert f"```\n{drawn.stdout}```\n" in snippet.page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [FIRST_PAGE, PLUGIN_PAGE, SLOT_PAGE], ids=lambda page: page.stem)
def test_a_tutorial_prints_what_it_shows(page: Path, tmp_path: Path):
    paths = [] if page == FIRST_PAGE else announced(tmp_path / "installed")
    folder = tmp_path / "folder"
    played = 0
    for block in FENCE.finditer(page.read_text(encoding="utf-8")):
        named = _FILE.match(block["text"])
        if named is not None and named["path"].endswith("manifest.yml"):
            (folder / named["path"]).parent.mkdir(parents=True, exist_ok=True)
            (folder / named["path"]).write_text(block["text"], encoding="utf-8")
        elif block["language"] == "console":
            for command, shown in commands_of(block["text"]):
                printed = run(command, folder if folder.exists() else tmp_path, paths)
                assert agrees(printed, _SECONDS.sub("0.0 s", shown)), f"{command} printed:\n{printed}"
                played += 1
    assert played


def agrees(printed: str, shown: str) -> bool:
    """Whether a text is as shown, where a line ``...`` stands for any lines."""
    pattern = "".join("(?:.*\n)*" if part == "...\n" else re.escape(part) for part in shown.splitlines(keepends=True))
    return re.fullmatch(pattern, printed) is not None


def announced(folder: Path) -> list[str]:
    """Where Python finds the example and what it announces, as installing it would do."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    information = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    information.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (information / "METADATA").write_text(metadata, encoding="utf-8")
    lines = [f"{name} = {value}\n" for name, value in project["entry-points"]["pinky"].items()]
    (information / "entry_points.txt").write_text("[pinky]\n" + "".join(lines), encoding="utf-8")
    return [str(folder), str(EXAMPLE / "src")]


def test_the_commands_of_the_ci_guide_end_with_its_exit_codes_and_apply_the_saved_plan_only_once(tmp_path: Path):
    page = (DOCS / "how-to/ci.md").read_text(encoding="utf-8")
    (snippet,) = [each for each in SNIPPETS if each.page.stem == "ci"]
    folder = snippet.write(tmp_path)
    (tmp_path / "ground.yml").write_text("scope: account\nresources: {database: [{name: SHOP_PROD}]}\n", "utf-8")
    assert ended("pinky apply -m ground.yml --local=account --yes", folder).returncode == 0
    plan, apply = [
        command.replace("--connection ci", "--local=account")
        for command in re.findall(r"^pinky .*$", page, re.MULTILINE)
    ]
    assert ended(plan, folder).returncode == 2
    applied = ended(apply, folder)
    assert applied.returncode == 0, applied.stderr
    again = ended(apply, folder)
    assert again.returncode == 1
    assert "schema SHOP_PROD.SALES: it is there now" in again.stderr
    assert ended(plan, folder).returncode == 0
    assert ended(plan.replace("PROD", "PRD"), folder).returncode == 1


def commands_of(console: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block with what they print; ``...`` stands for lines that are left out."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def run(command: str, folder: Path, paths: list[str]) -> str:
    """What a command prints, output before errors, with every duration as 0.0 s."""
    answer = ended(command, folder, paths)
    return _SECONDS.sub("0.0 s", answer.stdout + answer.stderr)


def ended(command: str, folder: Path, paths: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    assert program == "pinky"
    search = os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "PYTHONPATH": search}
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_the_handler_of_the_procedure_guide_fills_the_schema_and_knows_no_warehouse(tmp_path: Path):
    page = DOCS / "how-to/stored-procedure.md"
    snippet, procedure = [each for each in SNIPPETS if each.page == page]
    folder = snippet.write(tmp_path)
    names: dict[str, Any] = {}
    exec(procedure.files["handlers/provision.py"], names)
    with engine() as account:
        session = DirectSession(account)
        on_the_ground(session, page)
        assert names["provision"](session, folder, "SHOP.SALES") == "ok"
        assert {name for (name,) in session.execute("SHOW TABLES IN SCHEMA SHOP.SALES").pick("name")} == {"ORDERS"}
        text = next(iter(snippet.files.values())) + "  warehouse: [{name: LOADING}]\n"
        (folder / "manifest.yml").write_text(text, encoding="utf-8")
        session.statements.clear()
        with pytest.raises(DiagnosticsError, match="not installed here; the package pinky-account provides it"):
            names["provision"](session, folder, "SHOP.SALES")
        assert session.statements == []


def markdown_files() -> list[Path]:
    packages = [
        *(ROOT / "plugins").glob("*/README.md"),
        *(ROOT / name / "README.md" for name in ("cli", "local", "compat")),
    ]
    return [ROOT / "README.md", ROOT / "benchmarks/README.md", *packages, *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", markdown_files(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_a_file_and_a_heading(page: Path):
    broken = []
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for match in _LINK.finditer(text):
        target, _, anchor = match["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(match["target"])
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors GitHub gives to the headings of a page."""
    headings = _HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    linked = {(DOCS / match["target"]).resolve() for match in _LINK.finditer(index)}
    for readme in ("decisions/README.md", "reference/kinds/README.md", "reference/sections/README.md"):
        text = (DOCS / readme).read_text(encoding="utf-8")
        linked |= {((DOCS / readme).parent / match["target"]).resolve() for match in _LINK.finditer(text)}
    pages = {page.resolve() for page in DOCS.rglob("*.md")} - {(DOCS / "README.md").resolve()}
    assert sorted(page.relative_to(DOCS).as_posix() for page in pages - linked) == []


def test_the_tutorials_about_the_plugin_and_its_slot_show_the_files_of_the_example():
    shown: dict[str, list[str]] = {}
    for path, text in [*named_blocks(PLUGIN_PAGE), *named_blocks(SLOT_PAGE)]:
        head, _, body = text.partition("\n")
        if head.endswith("(excerpt)"):
            assert body in (EXAMPLE / path).read_text(encoding="utf-8"), f"{path} does not hold this excerpt"
        elif PurePosixPath(path).name != "manifest.yml":
            shown.setdefault(path, []).append(body)
    assert set(shown) == {"pyproject.toml", *(f"src/pinky_example/{name}.py" for name in ("__init__", "archive_files"))}
    for path, parts in shown.items():
        file = (EXAMPLE / path).read_text(encoding="utf-8")
        assert without_blank_lines("".join(parts)) == without_blank_lines(file), path


def without_blank_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_the_check_of_the_example_keeps_the_limit_that_the_tutorial_tells(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    example = importlib.import_module("pinky_example")
    assert example.LIMIT == 5
    assert "no plan that destroys more than five things" in PLUGIN_PAGE.read_text(encoding="utf-8")
