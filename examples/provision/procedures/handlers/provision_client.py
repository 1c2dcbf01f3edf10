from pinky_schema.provisioning import provision

SOURCE = "@PINKY.BILLING.MANIFESTS/manifest_client/"


def main(session, team_id, product_db, client_id, email, secrets):
    return provision(
        session,
        source=SOURCE,
        database=product_db,
        client_id=client_id,
        variables={"team_id": team_id, "email": email},
        secrets=secrets,
    )
