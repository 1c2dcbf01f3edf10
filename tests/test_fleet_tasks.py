"""The fleet as a task graph: Snowflake's tasks do the fanning out, a canary goes first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("snowflake.snowpark", reason="a Python procedure runs with Snowpark")

from pinky_core import Provider
from tests.provision_world import DATABASE, EXAMPLE, ProvisionWorld, provision_world

CLIENTS = [f"c{number}" for number in range(6)]


@pytest.fixture
def world() -> Iterator[ProvisionWorld]:
    with provision_world() as made:
        for client in CLIENTS:
            assert made.provision(client, f"{client}@clients.example")["status"] == "ok"
        for privilege in ("CREATE TABLE", "CREATE TASK"):
            made.sql(f"GRANT {privilege} ON SCHEMA PINKY.BILLING TO ROLE PINKY_PROVISIONER")
        assert Provider(made.connection("PINKY_PROVISIONER")).apply(EXAMPLE / "fleet").ok
        assert Provider(made.connection("PINKY_PROVISIONER")).plan(EXAMPLE / "fleet").empty
        yield made


def run(world: ProvisionWorld) -> tuple[str, str]:
    world.sql("EXECUTE TASK PINKY.BILLING.FLEET", role="PINKY_PROVISIONER")
    assert world.account.wait_for_tasks()
    last = "SELECT STATUS, COUNTS FROM PINKY.BILLING.FLEET_RUNS"
    rows = world.sql(last, role="PINKY_PROVISIONER")
    status, counts = rows[-1]
    return status, "".join(counts.split())


def test_a_new_column_reaches_every_client_by_tasks(world: ProvisionWorld, tmp_path: Path) -> None:
    assert run(world) == ("DONE", '{"unchanged":6}')
    folder = tmp_path / "manifest_client/resources/table"
    folder.mkdir(parents=True)
    text = (EXAMPLE / "manifest_client/resources/table/usage_by_day.yml").read_text(encoding="utf-8")
    (folder / "usage_by_day.yml").write_text(text + "  - {name: PAID, type: NUMBER}\n", encoding="utf-8")
    world.upload(tmp_path / "manifest_client")
    world.sql("DELETE FROM PINKY.BILLING.FLEET_RUNS", role="PINKY_PROVISIONER")
    world.sql("DELETE FROM PINKY.BILLING.FLEET_RESULTS", role="PINKY_PROVISIONER")
    status, counts = run(world)
    assert status == "DONE"
    results = "SELECT STEP, CLIENT, STATUS FROM PINKY.BILLING.FLEET_RESULTS ORDER BY ENDED_AT"
    found = world.sql(results, role="PINKY_PROVISIONER")
    assert found[0] == ("CANARY", "C0", "ok")
    assert sorted(client for _, client, result in found if result == "ok") == [each.upper() for each in CLIENTS]
    shown = world.sql(f"SHOW COLUMNS LIKE 'PAID' IN DATABASE {DATABASE}", role="PINKY_PROVISIONER")
    assert len(shown) == len(CLIENTS)
    assert '"ok":6' in counts


def test_a_canary_that_fails_keeps_the_slices_from_running(world: ProvisionWorld) -> None:
    world.sql(f"ALTER TABLE {DATABASE}.C0.USAGE_BY_DAY DROP COLUMN INVOICES", role="PINKY_PROVISIONER")
    world.sql(f"ALTER TABLE {DATABASE}.C0.USAGE_BY_DAY ADD COLUMN INVOICES VARCHAR", role="PINKY_PROVISIONER")
    status, _ = run(world)
    assert status == "FAILED"
    found = world.sql("SELECT DISTINCT STEP, CLIENT, STATUS FROM PINKY.BILLING.FLEET_RESULTS", role="PINKY_PROVISIONER")
    assert found == [("CANARY", "C0", "refused")]
