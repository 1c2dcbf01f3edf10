import json

from pinky_schema import SchemaProvider

from pinky_core import Identifier
from pinky_core.fleet import Fleet, client_schemas, slice_of


def main(session, work):
    config = work["config"]
    provider = SchemaProvider(session)
    database = Identifier.parse(config["database"])
    clients = client_schemas(provider.session, database)
    if "canary" in config:
        clients = clients[: config["canary"]]
    else:
        clients = slice_of(clients, config["slice"], config["of"])
    # What a client was provisioned with is kept: contacts that a variable is missing for are read back.
    known = emails(session, database.sql)
    fleet = Fleet(provider, config["source"], database, clients, by_client=known, workers=1)

    def record(result):
        values = [work["run_id"], work["step"], result.client, result.status]
        lists = [json.dumps(list(result.changes)), json.dumps(list(result.failures))]
        session.sql(
            "INSERT INTO PINKY.BILLING.FLEET_RESULTS "
            "SELECT ?, ?, ?, ?, PARSE_JSON(?), PARSE_JSON(?), CURRENT_TIMESTAMP()",
            params=values + lists,
        ).collect()

    report = fleet.apply(fleet.plan(), canary=0, parallel=1, max_failures=0.05, on_result=record)
    if not report.ok:
        raise RuntimeError(f"{report.counts()}: {report.stopped or 'some clients failed'}; see FLEET_RESULTS")
    return report.counts()


def emails(session, database):
    rows = session.sql(f"SHOW CONTACTS LIKE 'STEWARD' IN DATABASE {database}").collect()
    return {row["schema_name"]: {"email": row["email_distribution_list"]} for row in rows}
