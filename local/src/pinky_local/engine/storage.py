"""What stages, file formats, sequences, secrets and tags have of their own.

Rests on the CREATE, ALTER and DESC pages of each under https://docs.snowflake.com/en/sql-reference/sql/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from pinky_local.engine import errors, families, parameters, properties, show
from pinky_local.engine.alter import changed
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.specs import TYPES, file_formats
from pinky_local.engine.specs.storage import SECRET_TYPES, is_external, stage_cloud
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

Change = Callable[[], None]


def _properties_table(values: list[list[Any]], *, parent: bool) -> Result:
    names = [
        *(["parent_property"] if parent else []),
        "property",
        "property_type",
        "property_value",
        "property_default",
    ]
    return rows([ResultColumn(name, length=16_777_216) for name in names], values, show.DESCRIBE_TYPE)


# stage -----------------------------------------------------------------------------------------------------------

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
        if tokens.accept("SUBPATH"):
            tokens.expect_symbol("=")
            tokens.string()
        return lambda: _refresh(statement, item)
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
        directory = given.get("DIRECTORY")
        if directory is not None and set(directory) != {"ENABLE"}:
            wrong = next(name for name in directory if name != "ENABLE")
            raise errors.invalid_property(wrong, "DIRECTORY")
        draft = item.draft()
        if directory is not None:
            given["DIRECTORY"] = (item.properties.get("DIRECTORY") or {}) | directory
        if "STORAGE_INTEGRATION" in given:
            draft.properties.pop("CREDENTIALS", None)
        if "CREDENTIALS" in given:
            draft.properties.pop("STORAGE_INTEGRATION", None)
        settings.apply(draft)
        check_stage(draft)
        statement.catalog.replace(item, draft)

    return change


def _refresh(statement: Statement, item: CatalogObject) -> None:
    changed(statement, item, "WRITE", "OWNERSHIP")
    if not (item.properties.get("DIRECTORY") or {}).get("ENABLE"):
        raise errors.compilation(2220, "22000", f"Stage '{item.name}' has no directory table enabled.")
    item.state["last_refreshed_on"] = statement.now.isoformat(sep=" ", timespec="milliseconds")


_COPY_OPTIONS = (
    ("ON_ERROR", "String", "ABORT_STATEMENT"), ("SIZE_LIMIT", "Long", ""), ("PURGE", "Boolean", "false"),
    ("RETURN_FAILED_ONLY", "Boolean", "false"), ("ENFORCE_LENGTH", "Boolean", "true"),
    ("TRUNCATECOLUMNS", "Boolean", "false"), ("FORCE", "Boolean", "false"),
)  # fmt: skip


def _format_rows(given: dict[str, Any]) -> list[list[str]]:
    if "FORMAT_NAME" in given:
        return [["FORMAT_NAME", "String", given["FORMAT_NAME"], ""]]
    kind = str(given.get("TYPE", "CSV"))
    found = [["TYPE", "String", kind, "CSV"]]
    for name, option in file_formats.OPTIONS.items():
        if kind not in option.formats:
            continue
        default = file_formats.default_of(name, kind)
        value = file_formats.printed(given.get(name, default))
        found.append([name, option.type, value, file_formats.printed(default)])
    return found


def describe_stage(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE STAGE. Credentials are named, never shown."""
    given = item.properties
    values = [["STAGE_FILE_FORMAT", *row] for row in _format_rows(given.get("FILE_FORMAT") or {})]
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
    directory = given.get("DIRECTORY") or {}
    for name in ("ENABLE", "AUTO_REFRESH"):
        values.append(["DIRECTORY", name, "Boolean", file_formats.printed(bool(directory.get(name))), "false"])
    for name in ("NOTIFICATION_INTEGRATION", "AWS_SNS_TOPIC"):
        if directory.get(name):
            values.append(["DIRECTORY", name, "String", directory[name], ""])
    if directory.get("ENABLE"):
        values.append(["DIRECTORY", "LAST_REFRESHED_ON", "Timestamp", item.state.get("last_refreshed_on", ""), ""])
    return _properties_table(values, parent=True)


# file format -----------------------------------------------------------------------------------------------------


def create_format(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE FILE FORMAT name."""
    properties.read_settings(statement, TYPES["file_format"], creating=True, settings=creation.settings)
    kind = creation.settings.properties.get("TYPE", "CSV")
    creation.build.append(lambda item: file_formats.check(str(kind), item.properties))


def describe_format(_: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE FILE FORMAT."""
    return _properties_table(_format_rows(item.properties), parent=False)


# sequence --------------------------------------------------------------------------------------------------------


def create_sequence(statement: Statement, creation: Creation) -> None:
    """Read [WITH] [START [WITH] [=] n] [INCREMENT [BY] [=] n] [ORDER | NOORDER] [COMMENT = …]."""
    tokens = statement.tokens
    tokens.accept("WITH")
    numbers = {"start": 1, "increment": 1}
    noorder, _ = parameters.in_session(statement, parameters.PARAMETERS["NOORDER_SEQUENCE_AS_DEFAULT"])
    ordered = not noorder
    while not tokens.at_end():
        if tokens.word() in ("START", "INCREMENT"):
            key = tokens.any_word().lower()
            tokens.accept("WITH" if key == "start" else "BY")
            tokens.accept_symbol("=")
            numbers[key] = tokens.integer()
        elif tokens.word() in ("ORDER", "NOORDER"):
            ordered = tokens.any_word() == "ORDER"
        else:
            before = tokens.index
            properties.read_settings(statement, TYPES["sequence"], creating=True, settings=creation.settings)
            if tokens.index == before:
                raise tokens.unexpected()
    if numbers["increment"] == 0:
        raise errors.invalid_value("0", "INCREMENT")
    creation.build.append(lambda item: item.state.update(numbers, ordered=ordered))


def alter_sequence(statement: Statement, item: CatalogObject) -> Change | None:
    """Read [SET] INCREMENT and SET ORDER | NOORDER."""
    tokens = statement.tokens
    start = tokens.index
    tokens.accept("SET")
    if tokens.accept("INCREMENT"):
        tokens.accept("BY")
        tokens.accept_symbol("=")
        step = tokens.integer()
        return lambda: _set_state(statement, item, "increment", step)
    if tokens.word() in ("ORDER", "NOORDER"):
        ordered = tokens.any_word() == "ORDER"
        return lambda: _set_state(statement, item, "ordered", ordered)
    tokens.index = start
    return None


def _set_state(statement: Statement, item: CatalogObject, key: str, value: Any) -> None:
    changed(statement, item, "OWNERSHIP")
    item.state[key] = value


# secret ----------------------------------------------------------------------------------------------------------


def create_secret(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE SECRET name; a type has its own properties."""
    properties.read_settings(statement, TYPES["secret"], creating=True, settings=creation.settings)
    given = creation.settings.properties
    kind = given.get("TYPE")
    if kind is None:
        raise errors.missing_option("TYPE")
    required, optional = SECRET_TYPES[kind]
    for name in given:
        if name not in (*required, *optional, "TYPE", "COMMENT"):
            raise errors.invalid_property(name, f"SECRET of type {kind}")
    absent = [name for name in required if name not in given]
    if absent:
        raise errors.missing_option(", ".join(absent))


def alter_secret(statement: Statement, item: CatalogObject) -> Change | None:
    """Read SET of a secret; only properties of its type."""
    tokens = statement.tokens
    if tokens.word() == "UNSET":
        raise tokens.unexpected()
    if not tokens.at("SET") or tokens.at("SET", "TAG"):
        return None
    tokens.expect("SET")
    settings = properties.read_settings(statement, TYPES["secret"], creating=False)
    required, optional = SECRET_TYPES[item.properties["TYPE"]]
    for name in settings.properties:
        if name not in (*required, *optional, "COMMENT"):
            raise errors.invalid_property(name, f"SECRET of type {item.properties['TYPE']}")
    if not settings.properties:
        raise tokens.unexpected()

    def change() -> None:
        changed(statement, item, "OWNERSHIP")
        draft = item.draft()
        settings.apply(draft)
        statement.catalog.replace(item, draft)

    return change


# tag -------------------------------------------------------------------------------------------------------------


def _values(statement: Statement) -> list[str]:
    tokens = statement.tokens
    tokens.accept_symbol("=")
    found = [tokens.string()]
    while tokens.is_symbol(",") and tokens.tokens[tokens.index + 1].kind == "string":
        tokens.accept_symbol(",")
        found.append(tokens.string())
    if len(found) > 5000:
        raise errors.invalid_value(f"{len(found)} values", "ALLOWED_VALUES")
    return list(dict.fromkeys(found))


def create_tag(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE TAG name; ALLOWED_VALUES comes first."""
    if statement.tokens.accept("ALLOWED_VALUES"):
        creation.settings.properties["ALLOWED_VALUES"] = _values(statement)
    properties.read_settings(statement, TYPES["tag"], creating=True, settings=creation.settings)
    creation.finish.append(lambda item: item.state.update(printed=statement.catalog.printed(item)))


def alter_tag(statement: Statement, item: CatalogObject) -> Change | None:
    """Read ADD | DROP | SET ALLOWED_VALUES."""
    tokens = statement.tokens
    verb = tokens.word()
    if tokens.word(1) == "MASKING":
        raise errors.unsupported("masking policies on tags")
    if verb not in ("ADD", "DROP", "SET") or tokens.word(1) != "ALLOWED_VALUES":
        return None
    tokens.index += 2
    given = _values(statement)

    def change() -> None:
        changed(statement, item, "OWNERSHIP")
        now = item.properties.get("ALLOWED_VALUES")
        if verb == "SET":
            item.properties["ALLOWED_VALUES"] = given
        elif verb == "ADD":
            item.properties["ALLOWED_VALUES"] = list(dict.fromkeys([*(now or []), *given]))
        else:
            item.properties["ALLOWED_VALUES"] = [value for value in now or [] if value not in given]

    if verb == "SET" and not tokens.at_end():
        rest = properties.read_settings(statement, TYPES["tag"], creating=False)

        def both() -> None:
            change()
            rest.apply(item)

        return both
    return change


def describe_by_show(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE for types whose DESCRIBE has the columns of SHOW."""
    return show.table(statement, TYPES[item.kind].show, [item], show.DESCRIBE_TYPE)


families.CREATE |= {
    "stage": create_stage, "file_format": create_format, "sequence": create_sequence, "secret": create_secret,
    "tag": create_tag,
}  # fmt: skip
families.ALTER |= {"stage": alter_stage, "sequence": alter_sequence, "secret": alter_secret, "tag": alter_tag}
families.DESCRIBE |= {
    "stage": describe_stage, "file_format": describe_format, "sequence": describe_by_show,
}  # fmt: skip
