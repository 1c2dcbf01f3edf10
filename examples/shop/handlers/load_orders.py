"""Loads what arrived in RAW.ORDERS into CORE.ORDERS; safe to call twice."""


def run(session, batch_size):
    rows = session.sql(
        "MERGE INTO CORE.ORDERS t USING RAW.ORDERS s ON t.ORDER_ID = s.ORDER_ID "
        "WHEN NOT MATCHED THEN INSERT (ORDER_ID, CUSTOMER_ID, ORDER_DATE, AMOUNT) "
        "VALUES (s.ORDER_ID, s.CUSTOMER_ID, s.ORDER_DATE, s.AMOUNT)"
    ).collect()
    return f"{rows[0][0]} new orders, at most {batch_size} a batch"
