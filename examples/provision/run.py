"""Provisioning from end to end on the embedded account: deploy, call, call again, tell, widen the fleet, drop.

Needs Snowpark, the extra `pinky-local[data,snowpark]`. It asserts what it shows, so that it fails where the example
does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from pinky_local import LocalAccount
from pinky_schema import SchemaProvider

from pinky_core import Identifier, Provider
from pinky_core.fleet import Fleet, client_schemas

HERE = Path(__file__).resolve().parent
DATABASE = "DATA_PRODUCT__PLUTO"
PROVISION = "CALL PINKY.BILLING.PROVISION_CLIENT('T1', ?, ?, ?, PARSE_JSON(?)::OBJECT)"
SECRETS = json.dumps({"PARTNER_API_KEY": "known to this call alone"})


def main() -> None:
    """Run it and print what a person would look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=12, help="how many more clients are provisioned for the fleet")
    arguments = parser.parse_args()
    with LocalAccount() as account:
        deploy(account)
        before = account.dump()
        with account.connect(role="PINKY_WEBHOOK", warehouse="PINKY_WH", paramstyle="qmark") as webhook:
            webhook.cursor().execute("USE SECONDARY ROLES NONE")
            one_client(account, webhook)
            names = ["acme", *(f"CLIENT_{number:02}" for number in range(arguments.clients))]
            for name in names[1:]:
                assert report_of(webhook, PROVISION, DATABASE, name, f"{name}@x.example", SECRETS)["status"] == "ok"
            fleet(account, arguments.clients + 1)
            for name in names:
                gone = report_of(webhook, "CALL PINKY.BILLING.OFFBOARD_CLIENT(?, ?)", DATABASE, name)
                assert gone["status"] == "ok", gone
        assert account.dump() == before, "something of a client is left"
        print(f"\n{len(names)} clients off-boarded; the account is what it was before the first call.")


def deploy(account: LocalAccount) -> None:
    """An administrator makes the ground, the role that owns the procedures deploys them and uploads the manifest."""
    with account.connect() as connection:
        made = Provider(connection).apply(HERE / "ground")
        assert made.ok, made.failures
        connection.cursor().execute("GRANT ROLE PINKY_WEBHOOK TO USER PINKY")
    with account.connect(role="PINKY_PROVISIONER", warehouse="PINKY_WH") as connection:
        cursor = connection.cursor()
        cursor.execute("USE SECONDARY ROLES NONE")
        procedures = Provider(connection).apply(HERE / "procedures")
        assert procedures.ok, procedures.failures
        for file in sorted((HERE / "manifest_client").rglob("*.yml")):
            place = file.relative_to(HERE).parent.as_posix()
            put = f"PUT 'file://{file.as_posix()}' @PINKY.BILLING.MANIFESTS/{place} AUTO_COMPRESS = FALSE"
            cursor.execute(put)
    print(f"ACCOUNTADMIN made the ground: {len(made.events)} changes.")
    print(f"PINKY_PROVISIONER deployed {len(procedures.events)} more and uploaded manifest_client/.\n")


def one_client(account: LocalAccount, webhook: Any) -> None:
    """The webhook provisions a client, twice, and looks at it."""
    begin = time.perf_counter()
    report = report_of(webhook, PROVISION, DATABASE, "acme", "ana@acme.example", SECRETS)
    assert report["status"] == "ok", report
    seconds = time.perf_counter() - begin
    print(f"PROVISION_CLIENT('acme'): {report['status']}, {len(report['changes'])} changes, {seconds:.1f} s")
    made = Counter(each["address"].partition(" ")[0] for each in report["changes"])
    print("  " + ", ".join(f"{count} {kind}" for kind, count in sorted(made.items())))
    again = report_of(webhook, PROVISION, DATABASE, "acme", "ana@acme.example", SECRETS)
    assert again["status"] == "unchanged", again
    print(f"Again: {again['status']}, {len(again['changes'])} changes.")
    refused = report_of(webhook, PROVISION, DATABASE, 'X"; DROP SCHEMA ACME --', "a@b.example", SECRETS)
    assert refused["status"] == "refused", refused
    print(f"A hostile id: {refused['status']}. {refused['failures'][0]['message']}\n")
    with account.connect() as connection:
        rows = connection.cursor().execute(
            "SELECT PURPOSE, COALESCE(EMAIL_DISTRIBUTION_LIST, URL) "
            f"FROM TABLE(SNOWFLAKE.CORE.GET_CONTACTS('{DATABASE}.ACME', 'SCHEMA')) ORDER BY 1"
        )
        for purpose, reached in rows:
            print(f"  {purpose:20} {reached}")
        told = connection.cursor().execute(f"SELECT EVENT, STATUS, URL FROM {DATABASE}.ACME.NOTIFICATIONS")
        print("  notification centre:", *(" ".join(map(str, row)) for row in told))


def fleet(account: LocalAccount, count: int) -> None:
    """One more column for every client: one reading of the database, one ALTER for each."""
    with (
        tempfile.TemporaryDirectory() as folder,
        account.connect(role="PINKY_PROVISIONER", warehouse="PINKY_WH") as connection,
    ):
        manifest = shutil.copytree(HERE / "manifest_client", Path(folder, "manifest_client"))
        with (manifest / "resources/table/usage_by_day.yml").open("a", encoding="utf-8") as table:
            table.write("  - {name: NOTE, type: VARCHAR}\n")
        provider, database = SchemaProvider(connection), Identifier(DATABASE)
        clients = client_schemas(provider.session, database)
        known = {str(name): {"email": f"{name}@x.example"} for name in clients}
        known["ACME"] = {"email": "ana@acme.example"}
        made = Fleet(provider, manifest, database, clients, by_client=known)
        plans = made.plan()
        assert [each.state for each in plans] == ["behind"] * count, plans
        report = made.apply(plans)
        assert report.counts() == {"ok": count}, report.counts()
    print(f"\nOne more column: {count} clients read with {made.statements} statements, {count} changed.")


def report_of(connection: Any, text: str, *values: Any) -> dict[str, Any]:
    """What a procedure answers."""
    ((found,),) = connection.cursor().execute(text, values).fetchall()
    told: dict[str, Any] = json.loads(found)
    return told


if __name__ == "__main__":
    main()
