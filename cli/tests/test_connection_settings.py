"""Where connection settings come from, in which order, and what the connector is given."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pinky_cli.connect import CannotConnectError, _adapt, arguments_of, connect
from pinky_cli.connection_settings import (
    ConnectionSettings,
    ConnectionSettingsError,
    resolve_connection,
    settings_folder,
)

SECRET = "planted-90aa"


@pytest.fixture
def home(tmp_path):
    """A settings folder and a function that writes files into it."""
    folder = tmp_path / "home"
    folder.mkdir()

    def write(name: str, text: str, mode: int = 0o600) -> Path:
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    write.environ = {"SNOWFLAKE_HOME": str(folder)}  # type: ignore[attr-defined]  # for the tests
    return write


def test_connections_of_config_toml_and_the_default_one(home):
    home(
        "config.toml", 'default_connection_name = "b"\n[connections.a]\naccount = "A"\n[connections.b]\naccount = "B"\n'
    )
    assert resolve_connection(None, home.environ).parameters == {"account": "B"}
    assert resolve_connection("a", home.environ).parameters == {"account": "A"}
    default = {**home.environ, "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "a"}
    assert resolve_connection(None, default).name == "a"


def test_connections_toml_replaces_those_of_config_toml(home):
    home("config.toml", '[connections.a]\naccount = "A"\n')
    home("connections.toml", '[b]\naccount = "B"\n')
    assert resolve_connection("b", home.environ).parameters == {"account": "B"}
    with pytest.raises(ConnectionSettingsError, match=r"no connection 'a' in .*; known connections: b"):
        resolve_connection("a", home.environ)


def test_precedence_own_variable_then_file_then_generic_variable(home):
    home("connections.toml", '[my-dev]\naccount = "FILE"\nuser = "FILE"\n')
    environ = {
        **home.environ,
        "SNOWFLAKE_CONNECTIONS_MY_DEV_USER": "OWN",
        "SNOWFLAKE_USER": "GENERIC",
        "SNOWFLAKE_ACCOUNT": "GENERIC",
        "SNOWFLAKE_ROLE": "GENERIC",
        "SNOWFLAKE_CLI_FEATURES_X": "not a setting",
    }
    found = resolve_connection("my-dev", environ).parameters
    assert found == {"account": "FILE", "user": "OWN", "role": "GENERIC"}


def test_a_connection_may_be_made_of_variables_only(home):
    environ = {**home.environ, "SNOWFLAKE_CONNECTIONS_CI_ACCOUNT": "A", "SNOWFLAKE_CONNECTIONS_CI_PORT": "8080"}
    assert resolve_connection("ci", environ).parameters == {"account": "A", "port": 8080}
    text = {**home.environ, "SNOWFLAKE_CONNECTIONS": '[x]\naccount = "X"\n'}
    assert resolve_connection("x", text).parameters == {"account": "X"}


def test_numbers_and_truth_values_are_read_from_text_or_refused(home):
    environ = {**home.environ, "SNOWFLAKE_ACCOUNT": "A", "SNOWFLAKE_CLIENT_SESSION_KEEP_ALIVE": "true"}
    assert resolve_connection(None, environ).parameters["client_session_keep_alive"] is True
    with pytest.raises(ConnectionSettingsError, match="port is not a number: 'x'"):
        resolve_connection(None, {**environ, "SNOWFLAKE_PORT": "x"})
    with pytest.raises(ConnectionSettingsError, match="neither true nor false"):
        resolve_connection(None, {**environ, "SNOWFLAKE_CLIENT_SESSION_KEEP_ALIVE": "perhaps"})


def test_broken_files_are_named(home):
    home("connections.toml", "[broken")
    with pytest.raises(ConnectionSettingsError, match=r"connections\.toml is not TOML"):
        resolve_connection(None, home.environ)


@pytest.mark.skipif(os.name != "posix", reason="permissions")
def test_a_file_that_others_may_write_is_refused_and_one_they_may_read_is_a_warning(home):
    home("connections.toml", '[a]\naccount = "A"\n', 0o644)
    (warning,) = resolve_connection("a", home.environ).warnings
    assert "may be read by other users" in warning
    home("connections.toml", '[a]\naccount = "A"\n', 0o666)
    with pytest.raises(ConnectionSettingsError, match="may be changed by other users"):
        resolve_connection("a", home.environ)


def test_the_folder_of_each_platform(tmp_path):
    assert settings_folder({}, "linux", tmp_path) == tmp_path / ".config" / "snowflake"
    assert settings_folder({}, "darwin", tmp_path) == tmp_path / "Library" / "Application Support" / "snowflake"
    assert settings_folder({"LOCALAPPDATA": "/l"}, "win32", tmp_path) == Path("/l/snowflake")
    (tmp_path / ".snowflake").mkdir()
    assert settings_folder({}, "linux", tmp_path) == tmp_path / ".snowflake"
    assert settings_folder({"SNOWFLAKE_HOME": "/x"}, "linux", tmp_path) == Path("/x")


def test_time_limits_name_and_query_tag_are_always_given():
    found = ConnectionSettings("dev", {"account": "A", "user": "U", "private_key_path": "unused", "role": "R"})
    arguments = arguments_of(found, "run0")
    assert (arguments["login_timeout"], arguments["network_timeout"], arguments["application"]) == (60, 300, "pinky")
    tag = json.loads(arguments["session_parameters"]["QUERY_TAG"])
    assert tag.pop("client").startswith("pinky-cli ")
    assert tag == {"product": "pinky", "session": "U@A", "profile": "dev", "run": "run0"}
    own = arguments_of(ConnectionSettings("dev", {"account": "A", "network_timeout": 5}), "run0")
    assert own["network_timeout"] == 5
    _adapt(own, major=5)
    assert (own["request_timeout"], own["query_timeout"]) == (5, 172_800)
    assert "network_timeout" not in own


def test_key_pair_token_file_and_workload_identity(tmp_path):
    key = arguments_of(ConnectionSettings("d", {"account": "A", "private_key_file": "~/key.p8"}), "r")
    assert key["authenticator"] == "SNOWFLAKE_JWT"
    assert not key["private_key_file"].startswith("~")
    (tmp_path / "token").write_text(f"{SECRET}\n")
    pat = {"account": "A", "authenticator": "programmatic_access_token", "token_file_path": str(tmp_path / "token")}
    assert arguments_of(ConnectionSettings("d", pat), "r")["token"] == SECRET
    with pytest.raises(CannotConnectError, match=r"the token file .* cannot be read: FileNotFoundError"):
        arguments_of(ConnectionSettings("d", {**pat, "token_file_path": str(tmp_path / "none")}), "r")
    identity = {"account": "A", "authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AWS"}
    assert identity.items() <= arguments_of(ConnectionSettings("d", identity), "r").items()
    with pytest.raises(CannotConnectError, match="private_key_raw is not a private key") as raised:
        arguments_of(ConnectionSettings("d", {"account": "A", "private_key_raw": SECRET}), "r")
    assert SECRET not in str(raised.value)


def test_a_private_key_as_text_becomes_the_connectors_form():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"phrase")
    ).decode()
    given = {"account": "A", "private_key_raw": pem, "private_key_file_pwd": "phrase"}
    arguments = arguments_of(ConnectionSettings("d", given), "r")
    assert arguments["authenticator"] == "SNOWFLAKE_JWT"
    assert set(arguments) & {"private_key_raw", "private_key_file_pwd"} == set()
    import base64

    loaded = serialization.load_der_private_key(base64.b64decode(arguments["private_key"]), None)
    assert loaded.private_numbers() == key.private_numbers()  # type: ignore[union-attr]  # an RSA key


def test_a_refused_login_names_account_and_user_and_no_password():
    from pinky_local import LocalAccount

    with LocalAccount(data=False, users={"ANA": "right"}) as account:
        parameters = account.connection_parameters(user="ANA", password=SECRET)
        with pytest.raises(
            CannotConnectError, match=r"cannot connect to pinky_local as ANA \(connection 'd'\)"
        ) as raised:
            connect(ConnectionSettings("d", parameters), "r")
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(ConnectionSettings("d", parameters))


def test_connections_without_a_default_are_listed(home):
    home("connections.toml", '[a]\naccount = "A"\n[b]\naccount = "B"\n')
    with pytest.raises(ConnectionSettingsError, match=r"names no default: give -c NAME, one of: a, b$"):
        resolve_connection(None, home.environ)
