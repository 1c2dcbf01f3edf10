"""The business procedure: it knows nothing of buckets, folders, polling or claims."""

import csv
import io
import json

from snowflake.snowpark.files import SnowflakeFile


def load_files(session, work):
    """Rows of the new files into SALES; for each file a file of totals for the consumer, published with its hashes."""
    if not work["new_files"]:
        return {"files": 0, "rows": 0}
    schema = work["schema"]
    paths = json.dumps([file["relative_path"] for file in work["new_files"]])
    rows = [row for file in work["new_files"] for row in sales_in(file)]
    # Everything in here takes effect at once, or nothing does: the rows, the registry of outputs, the claim.
    session.sql("BEGIN TRANSACTION").collect()
    try:
        # A file that comes again, corrected or as a reference input of `pinky gold`, takes the place of what it was.
        session.sql(
            f"DELETE FROM {schema}.SALES WHERE ARRAY_CONTAINS(FILE::VARIANT, PARSE_JSON(?)::ARRAY)", params=[paths]
        ).collect()
        session.sql(
            f"""INSERT INTO {schema}.SALES (FILE, LINE, SHOP, SOLD_ON, AMOUNT)
            SELECT VALUE[0]::VARCHAR, VALUE[1]::NUMBER, VALUE[2]::VARCHAR, VALUE[3]::DATE, VALUE[4]::NUMBER(12,2)
            FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?)))""",
            params=[json.dumps(rows)],
        ).collect()
        outputs = [totals(session, work, file) for file in work["new_files"]]
        call = f"CALL {schema}.PUBLISH_FILES('external_output_files', PARSE_JSON(?)::ARRAY, PARSE_JSON(?))"
        session.sql(call, params=[json.dumps(outputs), json.dumps(work)]).collect()
        session.sql(f"CALL {schema}.COMPLETE_RUN(PARSE_JSON(?))", params=[json.dumps(work)]).collect()
    except Exception:
        session.sql("ROLLBACK").collect()
        raise
    session.sql("COMMIT").collect()
    return {"files": len(outputs), "rows": len(rows)}


def sales_in(file):
    """Each line of a file as [FILE, LINE, SHOP, SOLD_ON, AMOUNT]."""
    with SnowflakeFile.open(file["scoped_url"], "rb") as stream:
        lines = io.StringIO(stream.read().decode("utf-8"), newline="")
    for number, row in enumerate(csv.DictReader(lines), start=1):
        yield [file["relative_path"], number, row["shop"], row["sold_on"], row["amount"]]


def totals(session, work, file):
    """Write the totals of one file by shop, below the slot as consumer/flow/name; say what it was made from."""
    consumer, name = work["config"]["consumer"], f"{file['provider_ref']}_{file['file_name']}"
    path = f"{consumer}/{file['ref_flux_provider']}/{name}"
    session.sql(
        f"""COPY INTO '@{work["schema"]}.EXTERNAL_OUTPUT_FILES/{path}'
        FROM (SELECT SHOP, SUM(AMOUNT) AS AMOUNT FROM {work["schema"]}.SALES WHERE FILE = ? GROUP BY SHOP ORDER BY SHOP)
        FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE) HEADER = TRUE SINGLE = TRUE OVERWRITE = TRUE""",
        params=[file["relative_path"]],
    ).collect()
    return {"relative_path": path, "input_files": [file["relative_path"]]}
