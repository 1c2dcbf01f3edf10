def main(session, outcome):
    session.sql(
        "INSERT INTO PINKY.BILLING.FLEET_RUNS SELECT ?, ?, OBJECT_AGG(STATUS, N) FROM ("
        "SELECT STATUS, TO_VARIANT(COUNT(DISTINCT CLIENT)) AS N FROM PINKY.BILLING.FLEET_RESULTS "
        "WHERE RUN_ID = ? GROUP BY STATUS)",
        params=[outcome["run_id"], outcome["status"], outcome["run_id"]],
    ).collect()
    return outcome["status"]
