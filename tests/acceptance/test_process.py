"""The command line as a process of its own, killed for good between two statements."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pinky_local import LocalAccount
from pinky_local.faults import Call, FaultRule

from tests.acceptance.world import SHOP, DirectSession, dump, engine, provider

SECRET = "planted-secret-51c2"
CHANGES = r"^\s*(CREATE|ALTER|GRANT)\b"


@pytest.fixture
def account() -> Iterator[LocalAccount]:
    with LocalAccount(data=False) as running:
        yield running


def environment(account: LocalAccount, home: Path) -> dict[str, str]:
    """Connection settings as a user's shell has them."""
    settings = {key: str(value) for key, value in account.connection_parameters().items()}
    names = ("account", "host", "port", "protocol", "user", "password")
    return {
        **os.environ,
        **{f"SNOWFLAKE_{name.upper()}": settings[name] for name in names},
        "SNOWFLAKE_HOME": str(home),
        "SHOP_PAYMENT_API_KEY": SECRET,
        "NO_PROXY": "127.0.0.1",
    }


def pinky(account: LocalAccount, home: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pinky_cli", *arguments, "-m", str(SHOP), "--env", "DEV"]
    return subprocess.Popen(
        command, env=environment(account, home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a signal of POSIX systems")
@pytest.mark.parametrize("nth", [1, 17, 40])
def test_a_killed_process_leaves_what_the_next_one_completes(account: LocalAccount, tmp_path: Path, nth: int):
    started = threading.Event()
    running: list[subprocess.Popen[str]] = []

    def kill(statement: str) -> None:
        started.wait(10)
        running[0].send_signal(signal.SIGKILL)

    account.faults.add(FaultRule(action=Call(before=kill), match=CHANGES, at=nth))
    running.append(pinky(account, tmp_path, "apply", "--yes"))
    started.set()
    output, _ = running[0].communicate(timeout=60)
    assert running[0].returncode == -signal.SIGKILL, output
    account.faults.clear()
    second = pinky(account, tmp_path, "apply", "--yes")
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert SECRET not in output
    with engine() as undisturbed, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_PAYMENT_API_KEY", SECRET)
        session = DirectSession(undisturbed)
        assert provider(session).apply(SHOP, env="DEV").ok
        assert dump(DirectSession(account.engine)) == dump(session)


def test_exit_codes_tell_changes_from_none_and_errors(account: LocalAccount, tmp_path: Path):
    def code(*arguments: str) -> int:
        process = pinky(account, tmp_path, *arguments)
        process.communicate(timeout=60)
        return process.returncode

    assert code("plan", "--detailed-exitcode") == 2
    assert code("apply", "--yes") == 0
    assert code("plan", "--detailed-exitcode") == 0
    assert code("plan", "--var", "product=not a name") == 1
