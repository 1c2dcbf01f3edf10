"""Connection settings as users of the `snow` command line know them.

Precedence, highest first: ``-c``, ``SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>``, the files, ``SNOWFLAKE_<KEY>``, which only
fills gaps. Files: ``config.toml`` with ``[connections.<name>]``; ``connections.toml``, whose sections are the
connections themselves, replaces them all.
https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections
"""

from __future__ import annotations

import dataclasses
import os
import re
import stat
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# What SNOWFLAKE_<KEY> may set; other variables of that prefix configure tools, not connections.
GENERIC_KEYS = frozenset(
    """account user password host port protocol region authenticator private_key_file private_key_path private_key_raw
    private_key_passphrase private_key_file_pwd token token_file_path database schema role warehouse session_token
    master_token passcode passcode_in_password client_session_keep_alive secondary_roles server_session_keep_alive
    client_request_mfa_token client_store_temporary_credential oauth_client_id oauth_client_secret
    oauth_authorization_url oauth_token_request_url oauth_redirect_uri oauth_scope oauth_disable_pkce
    oauth_enable_refresh_tokens oauth_enable_single_use_refresh_tokens workload_identity_provider
    workload_identity_entra_resource workload_identity_impersonation_path network_timeout login_timeout
    socket_timeout""".split()
)
_INTEGERS = frozenset({"port", "network_timeout", "login_timeout", "socket_timeout"})
_BOOLEANS = frozenset(
    """passcode_in_password client_session_keep_alive client_request_mfa_token client_store_temporary_credential
    server_session_keep_alive oauth_disable_pkce oauth_enable_refresh_tokens
    oauth_enable_single_use_refresh_tokens""".split()
)
_ALIASES = {"private_key_path": "private_key_file", "private_key_passphrase": "private_key_file_pwd"}
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class ConnectionSettingsError(ValueError):
    """Connection settings that are missing, contradictory or unreadable; the text never holds a value of a secret."""


@dataclasses.dataclass(frozen=True)
class ConnectionSettings:
    """Arguments for the connector, the name of the connection they belong to, and warnings about the files."""

    name: str
    parameters: Mapping[str, Any] = dataclasses.field(repr=False)
    warnings: tuple[str, ...] = ()


def resolve_connection(name: str | None = None, environ: Mapping[str, str] | None = None) -> ConnectionSettings:
    """The settings of a named connection, or of the default one. Raises `ConnectionSettingsError`."""
    environ = os.environ if environ is None else environ
    folder = settings_folder(environ)
    config, warnings = _read_toml(folder / "config.toml")
    connections, default = _connections(config, folder, environ, warnings)
    chosen = name or environ.get("SNOWFLAKE_DEFAULT_CONNECTION_NAME") or default
    own = _own_variables(chosen or "default", environ)
    if chosen and chosen not in connections and not own:
        known = ", ".join(sorted(connections)) or "none"
        raise ConnectionSettingsError(f"there is no connection {chosen!r} in {folder}; known connections: {known}")
    chosen = chosen or "default"
    section = connections.get(chosen, {})
    if not isinstance(section, Mapping):
        raise ConnectionSettingsError(f"the connection {chosen!r} in {folder} is not a section")
    parameters = {**_generic_variables(environ), **_canonical(section), **own}
    if not parameters and connections:
        known = ", ".join(sorted(connections))
        raise ConnectionSettingsError(
            f"no connection was chosen and {folder} names no default: give -c NAME, one of: {known}"
        )
    if not parameters.get("account") and not parameters.get("host"):
        raise ConnectionSettingsError(
            f"the connection {chosen!r} names no account: give -c NAME, a file {folder / 'connections.toml'}, "
            "or SNOWFLAKE_ACCOUNT; to try without an account: --local"
        )
    return ConnectionSettings(chosen, parameters, tuple(warnings))


def settings_folder(environ: Mapping[str, str], platform: str = sys.platform, home: Path | None = None) -> Path:
    """Where the files are: ``SNOWFLAKE_HOME``, ``~/.snowflake`` if it is there, else the platform's place."""
    home = home or Path.home()
    chosen = Path(environ.get("SNOWFLAKE_HOME") or home / ".snowflake").expanduser()
    if environ.get("SNOWFLAKE_HOME") or chosen.is_dir():
        return chosen
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "snowflake"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "snowflake"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "snowflake"


def _connections(
    config: Mapping[str, Any], folder: Path, environ: Mapping[str, str], warnings: list[str]
) -> tuple[Mapping[str, Any], str | None]:
    """All connections by name, and the name of the default one."""
    connections = config.get("connections", {})
    default = config.get("default_connection_name")
    if (folder / "connections.toml").is_file():
        connections, more = _read_toml(folder / "connections.toml")
        default = connections.pop("default_connection_name", default)
        warnings.extend(more)
    if text := environ.get("SNOWFLAKE_CONNECTIONS"):
        connections = _parse_toml(text, "the variable SNOWFLAKE_CONNECTIONS")
    if not isinstance(connections, Mapping):
        raise ConnectionSettingsError(f"`connections` in {folder / 'config.toml'} is not a table")
    if default is not None and not isinstance(default, str):
        raise ConnectionSettingsError(f"default_connection_name in {folder} is not a text")
    return connections, default


def _own_variables(name: str, environ: Mapping[str, str]) -> dict[str, Any]:
    prefix = f"SNOWFLAKE_CONNECTIONS_{re.sub(r'[^A-Za-z0-9]', '_', name)}_".upper()
    found = {key.upper(): value for key, value in environ.items()}
    return _canonical({k.removeprefix(prefix).lower(): v for k, v in found.items() if k.startswith(prefix) and v})


def _generic_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {key: environ.get(f"SNOWFLAKE_{key.upper()}", "") for key in sorted(GENERIC_KEYS)}
    return _canonical({key: value for key, value in found.items() if value})


def _canonical(given: Mapping[str, Any]) -> dict[str, Any]:
    """The connector's own names, and numbers and truth values out of text."""
    result: dict[str, Any] = {}
    for key, value in given.items():
        key = _ALIASES.get(key, key)
        if isinstance(value, str) and key in _INTEGERS:
            if not value.strip().isdigit():
                raise ConnectionSettingsError(f"the connection setting {key} is not a number: {value!r}")
            value = int(value)
        elif isinstance(value, str) and key in _BOOLEANS:
            if value.strip().lower() not in _WORDS:
                raise ConnectionSettingsError(f"the connection setting {key} is neither true nor false: {value!r}")
            value = _WORDS[value.strip().lower()]
        result[key] = value
    return result


def _read_toml(path: Path) -> tuple[dict[str, Any], list[str]]:
    """A file and warnings about it; no file is an empty one. A file that others may write is refused."""
    try:
        status = path.stat()
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectionSettingsError(f"cannot read {path}: {error}") from None
    warnings: list[str] = []
    if os.name == "posix":
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConnectionSettingsError(f"{path} may be changed by other users: run  chmod 0600 '{path}'")
        if status.st_mode & (stat.S_IRGRP | stat.S_IROTH):
            warnings.append(f"{path} may be read by other users: run  chmod 0600 '{path}'")
    return _parse_toml(text, str(path)), warnings


def _parse_toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConnectionSettingsError(f"{where} is not TOML: {error}") from None
