"""The tutorial about the pipeline shows what the example prints, and the procedure of the guide about stages works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pinky_local import LocalAccount

from pinky_core import Provider
from tests.acceptance.world import REGISTRY
from tests.test_docs import DOCS, FENCE, ROOT, SNIPPETS, agrees, commands_of, named_blocks

PAGE = DOCS / "tutorial/pipeline.md"


def test_the_tutorial_shows_the_files_of_the_example():
    shown = list(named_blocks(PAGE))
    assert {path.rpartition("/")[2] for path, _ in shown} == {"DEV.yml", "manifest.yml", "load_files.py"}
    for path, text in shown:
        _, _, excerpt = text.partition("\n")
        assert excerpt in (ROOT / path).read_text(encoding="utf-8"), f"{path} does not hold this excerpt"


def test_the_example_runs_and_prints_what_the_tutorial_shows():
    pytest.importorskip("snowflake.snowpark", reason="a Python procedure runs with Snowpark")
    (block,) = [block for block in FENCE.finditer(PAGE.read_text(encoding="utf-8")) if block["language"] == "console"]
    ((command, shown),) = commands_of(block["text"])
    program, *arguments = command.split()
    assert program == "python"
    ran = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert ran.returncode == 0, ran.stderr
    assert agrees(ran.stdout, shown), ran.stdout


def test_the_procedure_of_the_guide_about_stages_processes_each_file_once_and_parked_files_come_again(tmp_path: Path):
    pytest.importorskip("snowflake.snowpark", reason="a Python procedure runs with Snowpark")
    snippet = next(each for each in SNIPPETS if each.page.stem == "stages")
    inbox = tmp_path / "bucket/external_input_files/shop/sales/adyen/card_payments"
    inbox.mkdir(parents=True)
    with LocalAccount(buckets={"s3://acme-dev": tmp_path / "bucket"}) as account, account.connect() as connection:

        def rows(statement: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.cursor().execute(statement).fetchall()]

        for statement in (
            "CREATE DATABASE SHOP", "CREATE SCHEMA SALES", "CREATE DATABASE ROLE SHOP.VIEWER", "CREATE WAREHOUSE ETL",
            "CREATE STORAGE INTEGRATION ACME_DEV TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
            "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme-dev/')",
        ):  # fmt: skip
            rows(statement)
        assert Provider(connection, registry=REGISTRY).apply(snippet.write(tmp_path / "guide"), env="DEV").ok
        (inbox / "one.csv").write_text("a\nb\n", encoding="utf-8")
        account.advance(301)
        (inbox / "two.csv").write_bytes(b"\xff")  # no UTF-8, so the procedure fails
        account.advance(4 * 301)
        states = "SELECT FILE_NAME, STATUS, ATTEMPTS FROM SHOP.SALES.EXTERNAL_INPUT_FILES_REGISTRY ORDER BY 1, 2"
        assert rows(states) == [("one.csv", "DONE", 1), ("two.csv", "PARKED", 3)]
        texts = [block["text"] for block in FENCE.finditer(snippet.page.read_text(encoding="utf-8"))]
        rows(next(text for text in texts if text.startswith("UPDATE")))
        account.advance(301)
        assert rows(states) == [("one.csv", "DONE", 1), ("two.csv", "FAILED", 1)]
        (inbox / "two.csv").write_bytes(b"c\n")
        account.advance(301)
        assert rows(states) == [("one.csv", "DONE", 1), ("two.csv", "DONE", 1), ("two.csv", "GONE", 1)]
        lines = "SELECT FILE, LINE FROM SHOP.SALES.ORDERS ORDER BY 2"
        one, two = (f"adyen/card_payments/{name}.csv" for name in ("one", "two"))
        assert rows(lines) == [(one, "a"), (one, "b"), (two, "c")]
        assert not account.internal_errors
