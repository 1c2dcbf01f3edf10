"""The example of provisioning on a local account: deployed by two roles, called by a third."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pinky_local import LocalAccount

from pinky_core import Provider

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "provision"
DATABASE = "DATA_PRODUCT__PLUTO"
SECRETS = {"PARTNER_API_KEY": "hush-hush"}


class ProvisionWorld:
    """An account on which the example is deployed. One connection for each role, none with secondary roles."""

    def __init__(self, account: LocalAccount) -> None:
        self.account = account
        self._connections: dict[str, Any] = {}

    def connection(self, role: str) -> Any:
        if role not in self._connections:
            made = self.account.connect(role=role, paramstyle="qmark")
            self._connections[role] = made
            for text in ("USE SECONDARY ROLES NONE", "USE WAREHOUSE PINKY_WH"):
                if role != "ACCOUNTADMIN":
                    made.cursor().execute(text)
        return self._connections[role]

    def sql(self, text: str, *values: Any, role: str = "ACCOUNTADMIN") -> list[Any]:
        return list(self.connection(role).cursor().execute(text, values or None).fetchall())

    def deploy(self) -> None:
        assert Provider(self.connection("ACCOUNTADMIN")).apply(EXAMPLE / "ground").ok
        self.sql("GRANT ROLE PINKY_WEBHOOK TO USER PINKY")
        provisioner = self.connection("PINKY_PROVISIONER")
        assert Provider(provisioner).apply(EXAMPLE / "procedures").ok
        self.upload(EXAMPLE / "manifest_client")

    def upload(self, folder: Path) -> None:
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            where = f"@PINKY.BILLING.MANIFESTS/manifest_client/{file.relative_to(folder).parent.as_posix()}"
            put = f"PUT 'file://{file.as_posix()}' '{where.removesuffix('/.')}' AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
            self.sql(put, role="PINKY_PROVISIONER")

    def provision(self, client: str, email: str = "ana@acme.example", database: str = DATABASE) -> dict[str, Any]:
        return self.call(
            "CALL PINKY.BILLING.PROVISION_CLIENT('T1', ?, ?, ?, PARSE_JSON(?)::OBJECT)",
            *(database, client, email, json.dumps(SECRETS)),
        )

    def offboard(self, client: str) -> dict[str, Any]:
        return self.call("CALL PINKY.BILLING.OFFBOARD_CLIENT(?, ?)", DATABASE, client)

    def call(self, text: str, *values: Any) -> dict[str, Any]:
        """One CALL by the webhook's role, on a connection of its own, so that two can be under way at once."""
        with self.account.connect(role="PINKY_WEBHOOK", warehouse="PINKY_WH", paramstyle="qmark") as made:
            made.cursor().execute("USE SECONDARY ROLES NONE")
            ((found,),) = made.cursor().execute(text, values).fetchall()
        report: dict[str, Any] = json.loads(found)
        return report

    def client(self, name: str) -> dict[str, Any]:
        """What the account holds of one client, as `LocalAccount.dump` tells it; the secret's value left out."""
        schema = f"{DATABASE}.{name.upper()}"
        dump = self.account.dump()
        inside = (f" {schema}.", f" {schema} ")
        mine = {key: value for key, value in dump["objects"].items() if any(each in f"{key} " for each in inside)}
        return {"objects": mine, "grants": [each for each in dump["grants"] if schema in each[1]]}

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


@contextmanager
def provision_world() -> Iterator[ProvisionWorld]:
    """An account with the example on it."""
    with LocalAccount() as account:
        world = ProvisionWorld(account)
        world.deploy()
        yield world
        world.close()
        assert not account.internal_errors
