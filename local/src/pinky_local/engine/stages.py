"""What stages have of their own: CREATE, ALTER and DESCRIBE STAGE, and what happens to their files when they go.

https://docs.snowflake.com/en/sql-reference/sql/create-stage, alter-stage and desc-stage.
"""

from __future__ import annotations

import json
import re

from pinky_local.engine import directory, errors, families, integrations, properties
from pinky_local.engine.alter import Change, changed
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.property_rows import format_rows, properties_table
from pinky_local.engine.specs import TYPES, file_formats
from pinky_local.engine.specs.storage import is_external, stage_cloud
from pinky_local.engine.statement import Statement
from pinky_local.types import Result

_URL = re.compile(r"(s3|s3china|s3gov|s3compat|gcs|azure)://[^/]+(/.*)?\Z")
_EXTERNAL_ONLY = (
    "STORAGE_INTEGRATION", "CREDENTIALS", "ENDPOINT", "AWS_ACCESS_POINT_ARN", "USE_PRIVATELINK_ENDPOINT",
)  # fmt: skip


def create_stage(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE STAGE name."""
    if statement.tokens.accept("CLONE"):
        raise errors.unsupported("CREATE STAGE … CLONE")
    properties.read_settings(statement, TYPES["stage"], creating=True, settings=creation.settings)
    creation.build.append(check_stage)
    creation.build.append(lambda item: integrations.check_use(statement, item))
    creation.finish.append(lambda item: _first_refresh(statement, item))


def _first_refresh(statement: Statement, item: CatalogObject) -> None:
    """REFRESH_ON_CREATE, which external stages have and which is TRUE unless it says otherwise.

    A stage of which nobody said where its files are has none here; only a refresh that is asked for fails.
    """
    given = item.properties.get("DIRECTORY") or {}
    if not directory.enabled(item) or not is_external(item):
        return
    known = statement.account.files.buckets.stands_for(str(item.properties["URL"]))
    if given.get("REFRESH_ON_CREATE", known):
        directory.refresh(statement.account, item)


def check_stage(item: CatalogObject) -> None:
    """Raise where properties of external stages stand on an internal one, or the URL is none."""
    url = item.properties.get("URL")
    if url is not None and not _URL.match(str(url)):
        raise errors.compilation(1422, "22023", f"invalid URL prefix found in: '{url}'")
    if url is None:
        for name in _EXTERNAL_ONLY:
            if item.properties.get(name) is not None:
                raise errors.invalid_property(name, "INTERNAL STAGE")
    if item.properties.get("STORAGE_INTEGRATION") and item.properties.get("CREDENTIALS"):
        raise errors.compilation(2091, "22023", "STORAGE_INTEGRATION and CREDENTIALS are mutually exclusive.")
    kind = (item.properties.get("ENCRYPTION") or {}).get("TYPE")
    if kind is not None and kind != "NONE" and str(kind).startswith("SNOWFLAKE_") == bool(url):
        raise errors.invalid_value(str(kind), "ENCRYPTION TYPE")


def alter_stage(statement: Statement, item: CatalogObject) -> Change | None:
    """Read REFRESH and SET of a stage."""
    tokens = statement.tokens
    if tokens.accept("REFRESH"):
        subpath = ""
        if tokens.accept("SUBPATH"):
            tokens.expect_symbol("=")
            subpath = tokens.string()
        return lambda: _refresh(statement, item, subpath)
    if not tokens.at("SET") or tokens.at("SET", "TAG"):
        return None
    tokens.expect("SET")
    settings = properties.read_settings(statement, TYPES["stage"], creating=False)
    if not settings.properties:
        raise tokens.unexpected()

    def change() -> None:
        changed(statement, item, "OWNERSHIP")
        given = settings.properties
        if "URL" in given and not is_external(item):
            raise errors.unsupported("turning an internal stage into an external one")
        if "ENCRYPTION" in given and not is_external(item):
            raise errors.invalid_property("ENCRYPTION", "INTERNAL STAGE")
        options = given.get("DIRECTORY")
        if options is not None and set(options) != {"ENABLE"}:
            wrong = next(name for name in options if name != "ENABLE")
            raise errors.invalid_property(wrong, "DIRECTORY")
        draft = item.draft()
        if options is not None:
            given["DIRECTORY"] = (item.properties.get("DIRECTORY") or {}) | options
        if "STORAGE_INTEGRATION" in given:
            draft.properties.pop("CREDENTIALS", None)
        if "CREDENTIALS" in given:
            draft.properties.pop("STORAGE_INTEGRATION", None)
        settings.apply(draft)
        check_stage(draft)
        if {"URL", "STORAGE_INTEGRATION"} & set(given):
            integrations.check_use(statement, draft)
        if directory.enabled(item) and not directory.enabled(draft):
            directory.forget(draft)
        statement.catalog.replace(item, draft)

    return change


def _refresh(statement: Statement, item: CatalogObject, subpath: str) -> Result:
    """READ, and WRITE of an internal stage (a guess: the page asks for none)."""
    changed(statement, item, "USAGE" if is_external(item) else "WRITE")
    if not directory.enabled(item):
        raise errors.compilation(2220, "22000", f"Stage '{item.name}' has no directory table enabled.")
    return directory.refreshed(directory.refresh(statement.account, item, subpath))


_COPY_OPTIONS = (
    ("ON_ERROR", "String", "ABORT_STATEMENT"), ("SIZE_LIMIT", "Long", ""), ("PURGE", "Boolean", "false"),
    ("RETURN_FAILED_ONLY", "Boolean", "false"), ("ENFORCE_LENGTH", "Boolean", "true"),
    ("TRUNCATECOLUMNS", "Boolean", "false"), ("FORCE", "Boolean", "false"),
)  # fmt: skip


def describe_stage(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE STAGE. Credentials are named, never shown."""
    given = item.properties
    values = [["STAGE_FILE_FORMAT", *row] for row in format_rows(given.get("FILE_FORMAT") or {})]
    values += [["STAGE_COPY_OPTIONS", name, kind, default, default] for name, kind, default in _COPY_OPTIONS]
    url = json.dumps([given["URL"]]) if is_external(item) else ""
    values.append(["STAGE_LOCATION", "URL", "String", url, ""])
    if given.get("AWS_ACCESS_POINT_ARN"):
        values.append(["STAGE_LOCATION", "AWS_ACCESS_POINT_ARN", "String", given["AWS_ACCESS_POINT_ARN"], ""])
    if given.get("STORAGE_INTEGRATION"):
        values.append(["STAGE_INTEGRATION", "STORAGE_INTEGRATION", "String", given["STORAGE_INTEGRATION"], ""])
    elif is_external(item) and stage_cloud(statement, item) == "AWS":
        key = (given.get("CREDENTIALS") or {}).get("AWS_KEY_ID", "")
        values.append(["STAGE_CREDENTIALS", "AWS_KEY_ID", "String", key, ""])
    if is_external(item):
        private = file_formats.printed(bool(given.get("USE_PRIVATELINK_ENDPOINT")))
        values.append(["PRIVATELINK", "USE_PRIVATELINK_ENDPOINT", "Boolean", private, "false"])
    options = given.get("DIRECTORY") or {}
    for name in ("ENABLE", "AUTO_REFRESH"):
        values.append(["DIRECTORY", name, "Boolean", file_formats.printed(bool(options.get(name))), "false"])
    for name in ("NOTIFICATION_INTEGRATION", "AWS_SNS_TOPIC"):
        if options.get(name):
            values.append(["DIRECTORY", name, "String", options[name], ""])
    if options.get("ENABLE"):
        values.append(["DIRECTORY", "LAST_REFRESHED_ON", "Timestamp", item.state.get("last_refreshed_on", ""), ""])
    return properties_table(values, parent=True)


families.CREATE["stage"] = create_stage
families.ALTER["stage"] = alter_stage
families.DESCRIBE["stage"] = describe_stage
