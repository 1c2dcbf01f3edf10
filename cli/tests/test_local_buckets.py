"""Folders that stand for buckets of the embedded account, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pinky_cli.connect import CannotConnectError, embedded_account, opened
from pinky_cli.options import settings_of
from pinky_cli.settings import Settings


def test_buckets_before_and_after_the_command_are_added() -> None:
    before, after = (
        settings_of({"local_buckets": ["s3://a=/a"]}),
        settings_of({"local": True, "local_buckets": ["s3://b=/b"]}),
    )
    merged = after.over(before)
    assert merged.local_buckets == ("s3://a=/a", "s3://b=/b")
    assert merged.as_arguments() == "--local --local-bucket s3://a=/a --local-bucket s3://b=/b"


def test_a_bucket_is_a_folder_of_the_embedded_account(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("1")
    with opened(Settings(local=True, local_buckets=(f"s3://acme={tmp_path}",)), "run") as connection:
        cursor = connection.cursor()
        for sql in ("CREATE DATABASE d", "CREATE STAGE d.public.e URL = 's3://acme/in/'"):
            cursor.execute(sql)
        assert cursor.execute("LIST @d.public.e").fetchall()[0][0] == "s3://acme/in/a.csv"


def test_a_bucket_needs_the_embedded_account_and_a_folder() -> None:
    with (
        pytest.raises(CannotConnectError, match="--local-bucket is for --local"),
        opened(Settings(local_buckets=("s3://a=/a",)), "run"),
    ):
        pass
    with pytest.raises(CannotConnectError, match="is not URL=FOLDER"):
        embedded_account(None, ["s3://a"])
