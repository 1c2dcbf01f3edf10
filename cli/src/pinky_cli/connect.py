"""Opens the connection a run works on. The connector is imported here, inside `connect`, and nowhere else."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinky_cli.connection_settings import ConnectionSettings, ConnectionSettingsError, resolve_connection

if TYPE_CHECKING:
    from pinky_local import LocalAccount

    from pinky_cli.settings import Settings

LOGIN_TIMEOUT = 60  # seconds
NETWORK_TIMEOUT = 300  # seconds for one request with its repetitions; connector 4.x polls for long statements
QUERY_TIMEOUT = 172_800  # seconds for one statement, in connector 5.x: Snowflake's own STATEMENT_TIMEOUT_IN_SECONDS
_QUERY_TAG_LENGTH = 2000  # https://docs.snowflake.com/en/sql-reference/parameters#query-tag
_SECRETS = ("password", "token", "private_key_file_pwd", "passcode", "oauth_client_secret")
_TOKEN_AUTHENTICATORS = ("OAUTH", "PROGRAMMATIC_ACCESS_TOKEN", "WORKLOAD_IDENTITY")


class CannotConnectError(Exception):
    """There is no connection; the text says to what and why, without secrets."""


@contextlib.contextmanager
def opened(settings: Settings, run: str) -> Iterator[Any]:
    """The connection that the shared options ask for, closed at the end. Raises `CannotConnectError`."""
    if settings.embedded and settings.connection:
        raise CannotConnectError("--local and --connection exclude each other")
    if settings.local_buckets and not settings.embedded:
        raise CannotConnectError("--local-bucket is for --local")
    if settings.embedded:
        made = embedded_account(settings.local_folder, settings.local_buckets)
        with made as account, connected_to(account, run) as connection:
            yield connection
        return
    try:
        found = resolve_connection(settings.connection)
    except ConnectionSettingsError as error:
        raise CannotConnectError(str(error)) from None
    if found.warnings:
        import structlog

        for warning in found.warnings:
            structlog.get_logger("pinky.connect").warning(warning)
    with contextlib.closing(connect(found, run)) as connection:
        yield connection


def embedded_account(folder: str | None, buckets: Sequence[str] = ()) -> LocalAccount:
    """An embedded account, not started; with rows where the libraries for them are installed.

    ``buckets`` are ``URL=FOLDER`` texts.
    """
    import importlib.util

    try:
        from pinky_local import LocalAccount
        from pinky_local.files import bucket_option
    except ImportError:
        raise CannotConnectError("--local needs the package pinky-local, from the same place as pinky-cli") from None
    data = all(importlib.util.find_spec(name) is not None for name in ("duckdb", "sqlglot"))
    for name in ("NO_PROXY", "no_proxy"):  # the connectors would send loopback requests to a proxy
        known = os.environ.get(name, "")
        if "127.0.0.1" not in known:
            os.environ[name] = f"{known},127.0.0.1".lstrip(",")
    # and they would look for a cloud around this machine before they log in, for seconds where there is none
    os.environ.setdefault("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
    try:
        folders = dict(bucket_option(text) for text in buckets)
    except ValueError as error:
        raise CannotConnectError(f"--local-bucket {error}") from None
    try:
        return LocalAccount(Path(folder) if folder else None, data=data, buckets=folders)
    except Exception as error:  # DuckDB's errors share no other base class with those of files and JSON
        why = _why_unusable(error)
        raise CannotConnectError(f"cannot use {str(folder)!r} as an embedded account: {why}") from error


def _why_unusable(error: Exception) -> str:
    """Why a folder cannot hold an embedded account, in one line."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "it is a file, not a folder"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if "lock" in str(error).lower():
        return "another process uses it; for two at a time run  pinky local serve --folder FOLDER"
    return f"what is in it cannot be read ({type(error).__name__}: {str(error).splitlines()[0]})"


@contextlib.contextmanager
def connected_to(account: LocalAccount, run: str) -> Iterator[Any]:
    """A connection to a started embedded account, as ACCOUNTADMIN."""
    parameters = account.connection_parameters(role="ACCOUNTADMIN")
    with contextlib.closing(connect(ConnectionSettings("local", parameters), run)) as connection:
        yield connection


def connect(found: ConnectionSettings, run: str) -> Any:
    """A connection of whatever connector is installed, 4.x or 5.x. Raises `CannotConnectError`."""
    try:
        import snowflake.connector
        from snowflake.connector import errors
    except ImportError as error:
        raise CannotConnectError(f"the Snowflake connector cannot be imported: {error}") from None
    arguments = arguments_of(found, run)
    _adapt(arguments, major=int(snowflake.connector.__version__.split(".")[0]))
    try:
        return snowflake.connector.connect(**arguments)
    except (errors.Error, OSError, ValueError, TypeError) as error:
        where = arguments.get("account") or arguments.get("host")
        text = _without_secrets(str(getattr(error, "msg", None) or error), arguments)
        raise CannotConnectError(
            f"cannot connect to {where} as {arguments.get('user')} (connection {found.name!r}): {text}"
        ) from None


def _adapt(arguments: dict[str, Any], *, major: int) -> None:
    """What connector 5.x calls otherwise. It takes ``network_timeout`` for the time a whole statement may last."""
    if major < 5:
        arguments.pop("enable_server_session_keep_alive_auto_detection", None)
        return
    arguments.setdefault("enable_server_session_keep_alive_auto_detection", False)  # else 5.x warns
    arguments.setdefault("request_timeout", arguments.pop("network_timeout"))
    arguments.setdefault("query_timeout", QUERY_TIMEOUT)


def _without_secrets(text: str, arguments: Mapping[str, Any]) -> str:
    for key in _SECRETS:
        value = arguments.get(key)
        if isinstance(value, str) and len(value) > 3:
            text = text.replace(value, "***")
    return text


def arguments_of(found: ConnectionSettings, run: str) -> dict[str, Any]:
    """Everything the connector is given: the settings, time limits, our name, and the query tag of this run."""
    arguments = dict(found.parameters)
    _read_private_key(arguments)
    _read_token(arguments)
    arguments.setdefault("login_timeout", LOGIN_TIMEOUT)
    arguments.setdefault("network_timeout", NETWORK_TIMEOUT)
    arguments.setdefault("application", "pinky")
    session = dict(arguments.get("session_parameters") or {})
    session.setdefault("QUERY_TAG", query_tag(found, run))
    arguments["session_parameters"] = session
    return arguments


def query_tag(found: ConnectionSettings, run: str) -> str:
    """What every statement of this run carries in the query history, as JSON."""
    parameters = found.parameters
    tag = {
        "client": f"pinky-cli {_version()}",
        "product": "pinky",
        "session": f"{parameters.get('user') or ''}@{parameters.get('account') or parameters.get('host')}",
        "profile": found.name,
        "run": run,
    }
    text = json.dumps(tag, separators=(",", ":"))
    return text if len(text) <= _QUERY_TAG_LENGTH else json.dumps({"product": "pinky", "run": run})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pinky-cli")
    except PackageNotFoundError:
        return "unknown"


def _read_private_key(arguments: dict[str, Any]) -> None:
    """A key given as PEM text, in the form the connector takes; and its authenticator where none is named."""
    pem = arguments.pop("private_key_raw", None)
    if pem is not None:
        from cryptography.hazmat.primitives import serialization

        phrase = arguments.pop("private_key_file_pwd", None)
        try:
            key = serialization.load_pem_private_key(str(pem).encode(), str(phrase).encode() if phrase else None)
        except (ValueError, TypeError):
            problem = "private_key_raw is not a private key in PEM form, or its passphrase is wrong"
            raise CannotConnectError(problem) from None
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        arguments["private_key"] = base64.b64encode(der).decode()
    if path := arguments.get("private_key_file"):
        arguments["private_key_file"] = str(Path(path).expanduser())
    if "private_key_file" in arguments or "private_key" in arguments:
        arguments.setdefault("authenticator", "SNOWFLAKE_JWT")


def _read_token(arguments: dict[str, Any]) -> None:
    """The token out of its file, for the authenticators that take one from us; others read it themselves."""
    path = arguments.get("token_file_path")
    if not path or arguments.get("token"):
        return
    if str(arguments.get("authenticator", "")).upper() not in _TOKEN_AUTHENTICATORS:
        return
    try:
        arguments["token"] = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotConnectError(f"the token file {path} cannot be read: {type(error).__name__}") from None
    del arguments["token_file_path"]
