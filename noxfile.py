"""The jobs of this repository. `nox -l` lists them; each does its own set-up.

demo      apply examples/ on the embedded local account, then plan again: No changes.
pipeline  run examples/pipeline there from end to end: files land, are processed once, their outputs registered
tests     all tests, on every supported Python that is installed
provision run examples/provision there: clients made, told, brought up to date together, dropped
snowpark  the tests that need Snowpark or pyarrow, and with it the connector's older line (4.x)
types     mypy --strict
lint      ruff and the import contracts
generate  JSON Schemas and reference pages; in CI it fails when a byte would change
plugins   each plugin's tests with nothing installed but its wheel and the core
minimums  all tests with the lowest allowed versions of what we depend on
bench     the benchmarks; figures are printed, nothing is asserted
live      the example and laws on an account of yours: nox -s live -- --live-connection NAME
"""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.options.sessions = ["tests", "types", "lint"]
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.11", "3.12", "3.13"]
PLUGINS = ["pinky_schema", "pinky_database", "pinky_account", "pinky_example"]
# What goes through the connector, which is another one here with Snowpark beside it, and what reads Parquet.
SNOWPARK_TESTS = [
    "local/tests/test_connectors.py",
    "local/tests/test_connectors_account.py",
    "local/tests/test_connectors_files.py",
    "local/tests/test_procedures.py",
    "local/tests/test_runs_procedures.py",
    "local/tests/test_wire_account.py",
    "plugins/pinky_schema/tests/test_dag_runs.py",
    "plugins/pinky_schema/tests/test_dag_runs_killed.py",
    "plugins/pinky_schema/tests/test_dispatch.py",
    "plugins/pinky_schema/tests/test_provider.py",
    "plugins/pinky_schema/tests/test_imports.py",
    "plugins/pinky_schema/tests/test_notifications.py",
    "plugins/pinky_schema/tests/test_gold_pipeline.py",
    "plugins/pinky_schema/tests/test_hashes_parquet.py",
    "plugins/pinky_example/tests/test_archive_files.py",
    "tests/acceptance/test_shop.py",
    "tests/test_pipeline.py",
    "tests/test_provision.py",
    "tests/test_sources_in_git.py",
    "tests/test_fleet_tasks.py",
    "cli/tests",
]
SNOWPARK = ["snowflake-snowpark-python>=1.40,<2", "pyarrow>=18"]
PROJECT = nox.project.load_toml("pyproject.toml")
IN_CI = bool(os.environ.get("CI"))


def group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(PROJECT, name))


def install_all(session: nox.Session, *more: str) -> None:
    """Every distribution of this repository, editable, with everything it can use."""
    parts = [".", *(f"plugins/{name}" for name in PLUGINS), "local[data,functions]", "cli", "compat"]
    session.install(*(piece for part in parts for piece in ("-e", part)), "jsonschema-rs", *more)


@nox.session(python="3.11")
def demo(session: nox.Session) -> None:
    install_all(session)
    session.run("pinky", "demo", "--examples", "examples", *session.posargs)


@nox.session(python="3.11")
def pipeline(session: nox.Session) -> None:
    install_all(session, *SNOWPARK)
    session.run("python", "examples/pipeline/run.py", *session.posargs)


@nox.session(python="3.11")
def provision(session: nox.Session) -> None:
    install_all(session, *SNOWPARK)
    session.run("python", "examples/provision/run.py", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    install_all(session, *group("test"))
    measured = session.python == "3.11" and not session.posargs
    coverage = ["--cov", "--cov-report=term:skip-covered"] if measured else []
    session.run("pytest", "-n", "2", *coverage, *session.posargs)


@nox.session(python="3.11")
def snowpark(session: nox.Session) -> None:
    install_all(session, *group("test"), *SNOWPARK)
    session.run("pytest", "-n", "2", *(session.posargs or SNOWPARK_TESTS))


@nox.session(python="3.11")
def types(session: nox.Session) -> None:
    install_all(session, *group("types"), *group("test"))
    session.run("mypy", "src", "cli/src", "local/src", "compat/src", *(f"plugins/{name}/src" for name in PLUGINS))


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    install_all(session, *group("lint"))
    session.run("ruff", "check", ".")
    session.run("lint-imports")


@nox.session(python="3.11")
def generate(session: nox.Session) -> None:
    install_all(session)
    session.run("python", "docs/generate.py", *(["--check"] if IN_CI else []), *session.posargs)


@nox.session(python="3.11")
def plugins(session: nox.Session) -> None:
    wheels = Path(session.create_tmp()) / "wheels"
    session.install("build", "hatchling")
    for part in (".", "local", *(f"plugins/{name}" for name in PLUGINS)):
        session.run("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), part, silent=True)
    others = [name for name in wheels.glob("*.whl") if "py3-none-any" not in name.name]
    if others:
        session.error(f"not pure Python: {others}")
    session.run("python", "tests/check_plugin_wheels.py", str(wheels), external=True)


@nox.session(python="3.11")
def minimums(session: nox.Session) -> None:
    install_all(session, *group("test"), "-c", "constraints/minimums.txt")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def live(session: nox.Session) -> None:
    install_all(session, *group("test"))
    session.run("pytest", "-m", "live", "tests/live", *session.posargs)


@nox.session(python="3.11")
def bench(session: nox.Session) -> None:
    install_all(session)
    session.run("python", "benchmarks/run.py", *session.posargs)
