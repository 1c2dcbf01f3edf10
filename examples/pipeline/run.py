"""The pipeline from end to end on the embedded account: apply, deliver files, let the clock tick, look.

Needs the extra `pinky-local[data,snowpark]`. It asserts what it shows, so that it fails where the pipeline does.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from pinky_local import LocalAccount

from pinky_core import Provider

HERE = Path(__file__).resolve().parent
SCHEMA = "SALES_DEV.SHOPS"
BUCKET = "s3://acme-sales-dev"
SHOPS = ("lyon", "oslo", "porto")


def main() -> None:
    """Run it and print what a person would look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200, help="how many files are delivered")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalAccount(buckets={BUCKET: Path(folder)}) as account,
        account.connect() as connection,
    ):
        demonstrate(account, connection, Path(folder), arguments.files)


def demonstrate(account: LocalAccount, connection: Any, bucket: Path, count: int) -> None:
    """Apply both manifests, deliver, wait, and print the views."""
    provider = Provider(connection)
    for name in ("ground", "product"):
        report = provider.apply(HERE / name, env="DEV")
        assert report.ok, report.failures
        second = provider.plan(HERE / name, env="DEV")
        assert second.empty, second
        show(f"{name}: {len(report.events)} changes applied; a second plan is empty.")
    deliver(bucket, count)
    show(f"\n{count} files were delivered to {BUCKET}/external_input_files/sales_dev/shops/<provider>/<flow>/.")
    account.advance(301)
    show("Five minutes passed: POLL_AND_DISPATCH found the files, LOAD_FILES processed them, SUMMARIZE added up.\n")
    look(connection, count)


def deliver(bucket: Path, count: int) -> None:
    """Write files of sales as providers deliver them: two providers, two flows each."""
    for number in range(count):
        provider, flow = ("adyen", "stripe")[number % 2], ("card_sales", "refunds")[number // 2 % 2]
        file = bucket / "external_input_files/sales_dev/shops" / provider / flow / f"sales_{number:04}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{shop},2026-11-{1 + number % 28:02},{number + place}.50" for place, shop in enumerate(SHOPS)]
        file.write_text("\n".join(["shop,sold_on,amount", *lines]) + "\n", encoding="utf-8")


def look(connection: Any, count: int) -> None:
    """The views, and the claims that this page of the tutorial makes."""
    counts = "FILES, BYTES, DONE, WAITING, PARKED"
    print_table(connection, f"SELECT PROVIDER_REF, {counts} FROM {SCHEMA}.FILES_BY_PROVIDER ORDER BY 1")
    print_table(connection, f"SELECT DIRECTION, PARTY, FLOW, {counts} FROM {SCHEMA}.FILES_BY_FLOW ORDER BY 1, 2, 3")
    print_table(
        connection,
        f"SELECT RELATIVE_PATH, HASH_RAW, HASH_SORTED FROM {SCHEMA}.EXTERNAL_OUTPUT_FILES_REGISTRY ORDER BY 1 LIMIT 3",
    )
    print_table(connection, f"SELECT GRAPH, SP_VERSION, STATUS, ATTEMPT, FILES, ERROR FROM {SCHEMA}.RUNS")
    once = f"SELECT COUNT(*), COUNT(DISTINCT FILE, LINE), COUNT(DISTINCT FILE) FROM {SCHEMA}.SALES"
    assert rows(connection, once) == [(3 * count, 3 * count, count)], "a file was not processed exactly once"
    hashed = f"SELECT COUNT(*) FROM {SCHEMA}.EXTERNAL_OUTPUT_FILES_REGISTRY WHERE HASH_RAW || HASH_SORTED IS NOT NULL"
    assert rows(connection, hashed) == [(count,)], "an output has no hashes"
    show(f"Each of the {count} files was processed once, and each output has both hashes.")


def rows(connection: Any, statement: str) -> list[Any]:
    """What a query answers."""
    return list(connection.cursor().execute(statement).fetchall())


def print_table(connection: Any, statement: str) -> None:
    """A query's answer in columns."""
    cursor = connection.cursor().execute(statement)
    table = [[each[0] for each in cursor.description], *([_cell(each) for each in row] for row in cursor.fetchall())]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    for row in table:
        show("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    show("")


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 40 else text[:12] + "…"


def show(text: str) -> None:
    """One line for the person who looks."""
    print(text)


if __name__ == "__main__":
    main()
