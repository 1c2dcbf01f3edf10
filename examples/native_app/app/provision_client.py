import sys
import tempfile
import zipfile
from pathlib import Path

from pinky_schema.provisioning import provision


def main(session, database_name, client_id, email):
    # Files of IMPORTS lie in one folder; a zip that holds no code is unpacked by whoever needs it.
    imports = Path(sys._xoptions["snowflake_import_directory"])
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(imports / "manifest_client.zip") as archive:
            archive.extractall(folder)
        return provision(
            session,
            source=Path(folder) / "manifest_client",
            database=database_name,
            client_id=client_id,
            variables={"email": email},
        )
