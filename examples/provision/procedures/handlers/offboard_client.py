from pinky_schema.provisioning import offboard


def main(session, product_db, client_id):
    return offboard(session, database=product_db, client_id=client_id)
