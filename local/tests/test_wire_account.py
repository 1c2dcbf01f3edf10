from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pinky_local import LocalAccount
from wire_client import logged_in
from wire_engine import ScriptedEngine

pytest_plugins = ["pytester"]

SOURCES = str(Path(__file__).parents[1] / "src")


def test_an_account_stops_and_leaves_neither_port_nor_thread(scripted_engine: ScriptedEngine) -> None:
    before = threading.active_count()
    account = LocalAccount(engine=scripted_engine).start()
    port = account.port
    logged_in(account).sql("show tables")
    idle = socket.create_connection((account.host, port))
    account.stop()
    assert idle.recv(1) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    assert threading.active_count() <= before  # a thread of an earlier test may have ended meanwhile
    account.stop()


def test_an_account_that_does_not_run_has_no_port(scripted_engine: ScriptedEngine) -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = LocalAccount(engine=scripted_engine).port


def test_an_account_is_started_once(wire: LocalAccount) -> None:
    with pytest.raises(RuntimeError, match="runs already"):
        wire.start()
    wire.stop()
    with pytest.raises(RuntimeError, match="was stopped"):
        wire.start()


def test_connection_parameters_name_user_role_and_more(wire: LocalAccount) -> None:
    parameters = wire.connection_parameters("ANA", "SYSADMIN", database="D")
    assert parameters == {
        "account": "pinky_local",
        "host": "127.0.0.1",
        "port": wire.port,
        "protocol": "http",
        "user": "ANA",
        "password": "pinky",
        "enable_server_session_keep_alive_auto_detection": False,
        "role": "SYSADMIN",
        "database": "D",
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-m", "pinky_local", "serve", "--no-data", "--folder", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": SOURCES}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            match = re.fullmatch(r"pinky-local listening on 127\.0\.0\.1:(\d+)\n", line)
            assert match is not None, line
            socket.create_connection(("127.0.0.1", int(match[1])), timeout=5).close()
        finally:
            process.send_signal(number)
            try:
                rest, errors = process.communicate(timeout=20)
            finally:
                process.kill()
    assert (process.returncode, rest, errors) == (0, "", "")


def test_third_parties_get_fixtures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("snowflake.connector")
    pytest.importorskip("duckdb")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # whether the package is installed makes no difference
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    pytester.makepyfile(
        """
        def test_connection(pinky_local_connection, pinky_local_account):
            cursor = pinky_local_connection.cursor()
            assert cursor.execute("select current_account()").fetchone() == ("PINKY_LOCAL",)
            assert pinky_local_account.journal.statements() == ["select current_account()"]

        def test_a_fresh_account(pinky_local_account):
            assert len(pinky_local_account.journal) == 0

        def test_a_broken_account_is_noticed(pinky_local_account):
            pinky_local_account.internal_errors.append(ValueError("broken"))
        """
    )
    outcome = pytester.runpytest_subprocess("-p", "pinky_local.pytest_plugin")
    outcome.assert_outcomes(passed=3, errors=1)
    outcome.stdout.fnmatch_lines(["*internal errors of the local account*broken*"])


def test_throughput_is_not_lost_to_waiting(wire: LocalAccount) -> None:
    # Nagle's algorithm or a sleeping poll would make each of these cost 40 ms and more.
    client = logged_in(wire)
    started = time.perf_counter()
    for _ in range(50):
        client.sql("show tables")
    assert time.perf_counter() - started < 1.5


def test_a_request_that_breaks_the_server_is_an_internal_error(
    wire: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: object) -> object:
        raise RuntimeError("planted")

    monkeypatch.setattr(wire._server, "_handler", broken)
    with socket.create_connection((wire.host, wire.port), timeout=5) as client:
        client.sendall(b"GET /pinky-local/journal HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"500" in client.recv(100)
    assert [str(each) for each in wire.internal_errors] == ["planted"]
