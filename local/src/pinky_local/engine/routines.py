"""Procedures and functions as catalog objects: signatures, overloads, definitions.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-procedure, create-function, desc-procedure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pinky_local.engine import columns as definitions
from pinky_local.engine import datatypes, errors, families, identifiers, properties, show
from pinky_local.engine.alter import changed
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.specs.programs import family, table_type
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

LANGUAGES = ("SQL", "PYTHON", "JAVASCRIPT", "JAVA", "SCALA")
_HANDLED = ("PYTHON", "JAVA", "SCALA")
_REQUIRED = {
    ("PYTHON", "procedure"): ("RUNTIME_VERSION",),
    ("PYTHON", "function"): ("RUNTIME_VERSION",),
    ("JAVA", "procedure"): ("RUNTIME_VERSION", "PACKAGES"),
    ("SCALA", "procedure"): ("RUNTIME_VERSION", "PACKAGES"),
}
"""What a handler's language requires besides HANDLER."""


def read_signature(statement: Statement) -> str:
    """Read (type, …) after a routine's name; sizes do not count."""
    tokens = statement.tokens
    tokens.expect_symbol("(")
    found: list[str] = []
    while not tokens.accept_symbol(")"):
        found.append(family(_read_type(statement)))
        if not tokens.is_symbol(")"):
            tokens.expect_symbol(",")
    return f"({', '.join(found)})"


def _read_type(statement: Statement) -> str:
    """Read a type and keep of its size what was written: VARCHAR stays VARCHAR, INT becomes NUMBER(38,0)."""
    tokens = statement.tokens
    found = datatypes.read_type(tokens, definitions.timestamp_mapping(statement))
    if found.family == "VECTOR":
        return f"VECTOR({', '.join(found.arguments)})"
    sized = tokens.is_symbol(")", -1)
    whole = {"VARCHAR": datatypes.VARCHAR_DEFAULT, "BINARY": datatypes.BINARY_DEFAULT}.get(found.family)
    return found.family if not sized and found.arguments == (str(whole),) else str(found)


def _read_arguments(statement: Statement) -> tuple[list[list[Any]], dict[str, str]]:
    """Read (name [IN | OUT] type [DEFAULT expression], …).

    Gives [name, type, has a default, is an output] of each, and the defaults by name.
    """
    tokens = statement.tokens
    tokens.expect_symbol("(")
    found: list[list[Any]] = []
    defaults: dict[str, str] = {}
    while not tokens.accept_symbol(")"):
        name = tokens.identifier()
        mode = tokens.any_word() if tokens.word() in ("IN", "INPUT", "OUT", "OUTPUT") else "IN"
        kind = _read_type(statement)
        optional = tokens.accept("DEFAULT")
        if optional:
            defaults[name] = definitions.read_default(statement)
        elif found and found[-1][2]:
            raise errors.compilation(1003, "42000", f"Required argument {name} must come before optional ones.")
        found.append([name, kind, optional, mode in ("OUT", "OUTPUT")])
        if not tokens.is_symbol(")"):
            tokens.expect_symbol(",")
    if len({argument[0] for argument in found}) < len(found):
        raise errors.compilation(2025, "42S21", "duplicate argument name")
    return found, defaults


def _read_returns(statement: Statement) -> dict[str, Any]:
    """Read the type after RETURNS; for a table also names and types of its columns."""
    tokens = statement.tokens
    if tokens.accept("TABLE"):
        tokens.expect_symbol("(")
        found: list[list[str]] = []
        while not tokens.accept_symbol(")"):
            found.append([tokens.identifier(), _read_type(statement)])
            if not tokens.is_symbol(")"):
                tokens.expect_symbol(",")
        return {"returns": table_type(found), "returns_table": found, "returns_not_null": False}
    kind = _read_type(statement)
    required = tokens.accept("NOT", "NULL")
    if not required:
        tokens.accept("NULL")
    return {"returns": kind, "returns_table": None, "returns_not_null": required}


def create_routine(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE PROCEDURE name or CREATE FUNCTION name."""
    tokens, spec = statement.tokens, creation.spec
    arguments, defaults = _read_arguments(statement)
    types = [family(kind) for _, kind, _, _ in arguments]
    creation.signature = f"({', '.join(types)})"
    state: dict[str, Any] = {
        "arguments": arguments,
        "defaults": defaults,
        "language": "SQL",
        "null_handling": "CALLED ON NULL INPUT",
        "volatility": "VOLATILE",
        "execute_as": "OWNER",
        "body": None,
    }
    creation.copy_grants = tokens.accept("COPY", "GRANTS")
    tokens.expect("RETURNS")
    state |= _read_returns(statement)
    while not tokens.at_end():
        if tokens.accept("AS"):
            state["body"] = tokens.string() if tokens.at_string() else tokens.rest()
            break
        if not _read_clause(statement, creation, state):
            before = tokens.index
            properties.read_settings(statement, spec, creating=True, settings=creation.settings)
            if tokens.index == before:
                raise tokens.unexpected()
    if any(argument[3] for argument in arguments) and (state["language"] != "SQL" or creation.spec.kind == "function"):
        raise errors.unsupported(f"OUT arguments in {state['language']} {creation.spec.words}")
    _check(creation, state)

    def build(item: CatalogObject) -> None:
        item.state.update(state)

    creation.build.append(build)
    creation.alter.append(build)


def _read_clause(statement: Statement, creation: Creation, state: dict[str, Any]) -> bool:
    tokens = statement.tokens
    if tokens.accept("LANGUAGE"):
        state["language"] = tokens.one_of(*LANGUAGES)
    elif tokens.accept("CALLED", "ON", "NULL", "INPUT"):
        state["null_handling"] = "CALLED ON NULL INPUT"
    elif tokens.accept("RETURNS", "NULL", "ON", "NULL", "INPUT") or tokens.accept("STRICT"):
        state["null_handling"] = "RETURNS NULL ON NULL INPUT"
    elif tokens.word() in ("VOLATILE", "IMMUTABLE"):
        state["volatility"] = tokens.any_word()
    elif tokens.word() == "MEMOIZABLE" and creation.spec.kind == "function":
        state["memoizable"] = tokens.accept("MEMOIZABLE")
    elif tokens.at("EXECUTE", "AS") and creation.spec.kind == "procedure":
        tokens.expect("EXECUTE", "AS")
        state["execute_as"] = _read_rights(statement)
    elif tokens.accept("COPY", "GRANTS"):
        creation.copy_grants = True
    else:
        return properties.read_tags_clause(statement, creation.settings)
    return True


def _read_rights(statement: Statement) -> str:
    tokens = statement.tokens
    return "RESTRICTED CALLER" if tokens.accept("RESTRICTED", "CALLER") else tokens.one_of("OWNER", "CALLER")


def _check(creation: Creation, state: dict[str, Any]) -> None:
    language, given = state["language"], creation.settings.properties
    if "AGGREGATE" in creation.modifiers and (language != "PYTHON" or state["volatility"] == "IMMUTABLE"):
        raise errors.unsupported(f"AGGREGATE with {language} {state['volatility']} {creation.spec.words}")
    if language in _HANDLED:
        wanted = ["HANDLER", *_REQUIRED.get((language, creation.spec.kind), ())]
        absent = [name for name in wanted if given.get(name) is None]
        if absent:
            raise errors.missing_option(", ".join(absent))
        if state["body"] is None and not given.get("IMPORTS"):
            raise errors.missing_option("AS")
    else:
        for name in ("HANDLER", "RUNTIME_VERSION", "PACKAGES", "IMPORTS", "TARGET_PATH", "ARTIFACT_REPOSITORY"):
            if name in given:
                raise errors.invalid_property(name, f"{language} {creation.spec.words}")
        if state["body"] is None:
            raise errors.missing_option("AS")


def alter_procedure(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read EXECUTE AS of a procedure and SET | UNSET SECURE of a function."""
    tokens = statement.tokens
    if item.kind == "procedure" and tokens.accept("EXECUTE", "AS"):
        rights = _read_rights(statement)
        return lambda: _set_state(statement, item, "execute_as", rights)
    if item.kind == "function" and tokens.word(1) == "SECURE" and tokens.word() in ("SET", "UNSET"):
        on = tokens.any_word() == "SET"
        tokens.expect("SECURE")
        return lambda: _set_state(statement, item, "SECURE", on)
    return None


def _set_state(statement: Statement, item: CatalogObject, key: str, value: Any) -> None:
    changed(statement, item, "OWNERSHIP")
    item.state[key] = value


def describe_routine(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE PROCEDURE and DESCRIBE FUNCTION as property and value. The body is the owner's to see."""
    state, given = item.state, item.properties
    arguments = ", ".join(f"{identifiers.printed(name)} {family(kind)}" for name, kind, _, _ in state["arguments"])
    returns = state["returns"] + (" NOT NULL" if state.get("returns_not_null") else "")
    values: list[list[Any]] = [["signature", f"({arguments})"], ["returns", returns], ["language", state["language"]]]
    if state["language"] != "SQL":
        values += [["null handling", state["null_handling"]], ["volatility", state["volatility"]]]
    if item.kind == "procedure":
        values.append(["execute as", state["execute_as"]])
    values.append(["body", state["body"] if item.owner in statement.roles else None])
    if state["language"] in _HANDLED:
        packages = _listed(given.get("PACKAGES"), "'" if state["language"] == "PYTHON" else "")
        values += [
            ["imports", _listed(given.get("IMPORTS"), "")],
            ["handler", given["HANDLER"]],
            ["runtime_version", given.get("RUNTIME_VERSION")],
            ["packages", packages],
            ["installed_packages", packages],
        ]
        if given.get("ARTIFACT_REPOSITORY"):
            values.append(["artifact_repository", given["ARTIFACT_REPOSITORY"]])
        if given.get("TARGET_PATH"):
            values.append(["target_path", given["TARGET_PATH"]])
    if given.get("SECRETS"):
        values.append(["secrets", json.dumps(given["SECRETS"])])
    if item.kind == "function":
        values.append(["is_memoizable", "true" if state.get("memoizable") else "false"])
    columns = [ResultColumn("property", length=16_777_216), ResultColumn("value", length=16_777_216)]
    return rows(columns, values, show.DESCRIBE_TYPE)


def _listed(values: list[str] | None, quote: str) -> str:
    return "[" + ",".join(f"{quote}{value}{quote}" for value in values or []) + "]"


for _kind in ("procedure", "function"):
    families.CREATE[_kind] = create_routine
    families.SIGNATURE[_kind] = read_signature
    families.ALTER[_kind] = alter_procedure
    families.DESCRIBE[_kind] = describe_routine
