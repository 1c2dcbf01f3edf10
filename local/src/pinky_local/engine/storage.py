"""What file formats, sequences, secrets and tags have of their own.

Rests on the CREATE, ALTER and DESC pages of each under https://docs.snowflake.com/en/sql-reference/sql/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pinky_local.engine import errors, families, parameters, properties, show
from pinky_local.engine.alter import changed
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.property_rows import format_rows, properties_table
from pinky_local.engine.specs import TYPES, file_formats
from pinky_local.engine.specs.storage import SECRET_TYPES
from pinky_local.engine.statement import Statement
from pinky_local.types import Result

Change = Callable[[], None]


# file format -----------------------------------------------------------------------------------------------------


def create_format(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE FILE FORMAT name."""
    properties.read_settings(statement, TYPES["file_format"], creating=True, settings=creation.settings)
    kind = creation.settings.properties.get("TYPE", "CSV")
    creation.build.append(lambda item: file_formats.check(str(kind), item.properties))


def describe_format(_: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE FILE FORMAT."""
    return properties_table(format_rows(item.properties), parent=False)


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
    "file_format": create_format, "sequence": create_sequence, "secret": create_secret, "tag": create_tag,
}  # fmt: skip
families.ALTER |= {"sequence": alter_sequence, "secret": alter_secret, "tag": alter_tag}
families.DESCRIBE |= {
    "file_format": describe_format, "sequence": describe_by_show,
}  # fmt: skip
