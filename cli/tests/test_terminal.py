"""Terminals, pipes, signals: what a person sees, what a runner sees, how a run ends that is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from pinky_cli.terminal import is_automated
from pinky_local import LocalAccount
from pinky_local.faults import Latency

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals and signals of POSIX")

PINKY = [sys.executable, "-m", "pinky_cli"]


def on_a_terminal(arguments: list[str], **environ: str) -> tuple[int, str]:
    """Run pinky with a pseudo-terminal as its output; the exit code and what was written."""
    import pty

    ours, theirs = pty.openpty()
    full = {**os.environ, "TERM": "xterm-256color", **environ}
    process = subprocess.Popen([*PINKY, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=full)
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    return process.wait(timeout=60), written.decode()


def test_colours_only_where_they_are_wanted(manifest):
    arguments = ["--local", "plan", "-m", str(manifest), "--brief"]
    code, coloured = on_a_terminal(arguments)
    assert code == 0
    assert "\x1b[32m" in coloured
    for environ in ({"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}):
        code, plain = on_a_terminal(arguments, **environ)
        assert code == 0
        assert "\x1b" not in plain, environ
        assert "+ database PLAYGROUND" in plain
    assert "\x1b" not in on_a_terminal([*arguments, "--no-color"])[1]


def test_a_terminal_shows_progress_and_each_change(manifest):
    code, written = on_a_terminal(["--local", "apply", "--yes", "-m", str(manifest), "--brief"])
    assert code == 0
    assert "3/3" in written
    assert "Apply: 3 applied, 0 failed, 0 skipped" in written


def test_a_runner_is_recognised():
    assert is_automated({"CI": "true"})
    assert is_automated({"TERM": "dumb"})
    assert not is_automated({"CI": "false"})
    assert not is_automated({})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_running_statement_finish_and_reports(manifest, number):
    with LocalAccount(data=False) as account:
        account.faults.inject(Latency(1.5), "^create schema", times=1)
        environ = {
            **os.environ,
            "SNOWFLAKE_ACCOUNT": "pinky_local",
            "SNOWFLAKE_HOST": account.host,
            "SNOWFLAKE_PORT": str(account.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "SNOWFLAKE_USER": "PINKY",
            "SNOWFLAKE_PASSWORD": "any",
            "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        command = [*PINKY, "apply", "--yes", "-m", str(manifest)]
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and not account.counters["CREATE"]:
            time.sleep(0.02)
        time.sleep(0.3)  # the database is there; CREATE SCHEMA is under way
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        created = [text for text in account.journal.statements() if text.upper().startswith("CREATE")]
    assert process.returncode == 130, out + err
    assert len(created) == 2
    assert "Interrupted: running statements finish, nothing new starts." in err
    assert "applied + schema PLAYGROUND.CORE" in out
    assert "Skipped, because of the run was interrupted" not in out
    assert "Not started, because the run was interrupted:\n  table PLAYGROUND.CORE.CUSTOMERS\n" in out
    assert "Apply: 2 applied, 0 failed, 1 skipped" in out
    assert f"To continue: pinky apply -m {manifest}" in out


def test_output_is_utf8_whatever_the_locale_says(manifest):
    text = (manifest / "manifest.yml").read_text().replace("Made by pinky", "Été → 夏")
    (manifest / "manifest.yml").write_text(text, encoding="utf-8")
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    ran = subprocess.run(
        [*PINKY, "--local", "plan", "-m", str(manifest)], env=environ, capture_output=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "COMMENT = 'Été → 夏'" in ran.stdout.decode("utf-8")


def test_a_reader_that_goes_away_is_no_traceback(manifest):
    command = f"'{sys.executable}' -m pinky_cli schema | head -c 10"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in ran.stderr
    assert len(ran.stdout) == 10
