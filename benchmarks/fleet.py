"""A fleet of client schemas beside as many single plans: statements and seconds, on the local account.

    python benchmarks/fleet.py [--clients 1000] [--single 20]

Plans with nothing to do, with one column added everywhere, with three broken clients; applies, interrupts and resumes.
Single plans are measured for a few clients and shown for all of them. Figures are printed, nothing is asserted.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pinky_local import LocalAccount
from pinky_schema import SchemaProvider

from pinky_core import Identifier
from pinky_core.fleet import MARK, Fleet, client_schemas

MANIFEST = """scope: schema
contacts:
  STEWARD: {email: "{{ vars.client_id }}@clients.example"}
  SECURITY_COMPLIANCE: {url: "https://portal.example/security?client={{ vars.client_id }}"}
resources:
  table:
    - {name: INVOICES, primary_key: {columns: [ID]},
       columns: [{name: ID, type: INT}, {name: AMOUNT, type: "NUMBER(12, 2)"}%s]}
    - {name: USAGE_BY_DAY, columns: [{name: DAY, type: DATE}, {name: INVOICES, type: INT}]}
    - {name: EVENTS,
       columns: [{name: AT, type: TIMESTAMP_NTZ}, {name: WHAT, type: VARCHAR}, {name: WHO, type: VARCHAR}]}
  view:
    - {name: OPEN_INVOICES, query: "SELECT ID FROM INVOICES"}
  stage:
    - {name: FILES}
  task:
    - {name: COUNT_USAGE, warehouse: COMPUTE_WH, schedule: 60 MINUTES, definition: SELECT 1, state: suspended}
"""

# A table where a view belongs; a column of another type, which only a drop could mend; a view where a table belongs.
BROKEN = (
    (1, "DROP VIEW X.C00001.OPEN_INVOICES"),
    (1, "CREATE TABLE X.C00001.OPEN_INVOICES (A INT)"),
    (2, "ALTER TABLE X.C00002.EVENTS DROP COLUMN WHO"),
    (2, "ALTER TABLE X.C00002.EVENTS ADD COLUMN WHO INT"),
    (3, "DROP TABLE X.C00003.EVENTS"),
    (3, "CREATE VIEW X.C00003.EVENTS AS SELECT 1 AS ID"),
)


class World:
    """The account, its clients, a folder for the manifest, and how to measure."""

    def __init__(self, account: LocalAccount, connection: Any, folder: Path) -> None:
        self.account = account
        self.folder = folder
        self.connection = connection
        self.provider = SchemaProvider(connection)

    def fleet(self, column: str = "") -> Fleet:
        database = Identifier("X")
        (self.folder / "manifest.yml").write_text(MANIFEST % column, encoding="utf-8")
        return Fleet(self.provider, self.folder, database, client_schemas(self.provider.session, database))

    def measured(self, name: str, run: Callable[[], Any]) -> Any:
        start, begin = len(self.account.journal), time.perf_counter()
        found = run()
        seconds = time.perf_counter() - begin
        print(f"| {name} | {len(self.account.journal) - start:,} | {seconds:.1f} s |", flush=True)
        return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--single", type=int, default=20, help="single plans that are measured")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, LocalAccount() as account, account.connect() as connection:
        connection.cursor().execute("CREATE DATABASE X")
        for number in range(given.clients):
            connection.cursor().execute(f"CREATE SCHEMA X.C{number:05} COMMENT = '{MARK}'")
        print("| what | statements | time |\n|---|---|---|")
        measure(World(account, connection, Path(folder)), given.clients, given.single)


def measure(world: World, clients: int, single: int) -> None:
    """The steps, in the order in which a fleet lives through them."""
    fleet = world.fleet()
    plans = world.measured(f"plan: {clients} new clients", fleet.plan)
    world.measured("apply to all of them", lambda: fleet.apply(plans, parallel=4))
    world.measured("plan: nothing to do", world.fleet().plan)
    source = fleet.source
    names = [f"X.C{number:05}" for number in range(min(single, clients))]

    def alone() -> None:
        for name in names:
            world.provider.plan(source, name, {"client_id": name[2:], "database": "X"})

    world.measured(f"{len(names)} single plans: nothing to do", alone)
    column = ", {name: PAID_AT, type: DATE}"
    wider = world.fleet(column)
    plans = world.measured("plan: one column added everywhere", wider.plan)
    stop = threading.Event()
    done: list[Any] = []

    def told(result: Any) -> None:
        done.append(result)
        if len(done) >= clients // 2:
            stop.set()

    world.measured("apply, interrupted half way", lambda: wider.apply(plans, on_result=told, stop=stop))
    again = world.fleet(column)
    plans = world.measured("plan again after that", again.plan)
    report = world.measured("apply the rest", lambda: again.apply(plans))
    print(f"| (counts of that) | {report.counts()} | |")
    for number, text in BROKEN:
        if number < clients:
            world.connection.cursor().execute(text)
    broken = world.fleet(column)
    plans = world.measured("plan: three broken clients", broken.plan)
    report = world.measured("apply with them", lambda: broken.apply(plans, canary=0))
    print(f"| (counts of that) | {report.counts()} | |")


if __name__ == "__main__":
    main()
