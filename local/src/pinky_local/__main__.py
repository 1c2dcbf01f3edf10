"""``python -m pinky_local serve``: the local account as a process of its own."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from pinky_local.account import LocalAccount
from pinky_local.files import bucket_option


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; prints one line with host and port when it answers."""
    options = _parser().parse_args(arguments)
    # A signal that comes just before the main thread begins to wait would be lost to any lock or queue; the byte that
    # the interpreter writes into the wake-up socket is not.
    awake, wake_up = socket.socketpair()
    wake_up.setblocking(False)
    before = signal.set_wakeup_fd(wake_up.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignored)
    try:
        with awake, wake_up, _account(options) as account:
            sys.stdout.write(f"pinky-local listening on {account.host}:{account.port}\n")
            sys.stdout.flush()
            awake.recv(1)
    finally:
        signal.set_wakeup_fd(before)
    return 0


def _account(options: argparse.Namespace) -> LocalAccount:
    return LocalAccount(
        options.folder, data=not options.no_data, port=options.port, buckets=dict(options.bucket), tasks=options.tasks
    )


def _bucket(text: str) -> tuple[str, Path]:
    try:
        return bucket_option(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


def _ignored(_number: int, _frame: FrameType | None) -> None:
    """The wake-up socket does the work."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pinky-local", description="An embedded Snowflake account on loopback.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve until interrupted")
    serve.add_argument("--port", type=int, default=0, help="TCP port; 0 (the default) takes a free one")
    serve.add_argument("--folder", type=Path, default=None, help="keep the account in this folder; default: in memory")
    serve.add_argument(
        "--bucket", type=_bucket, action="append", default=[], metavar="URL=FOLDER",
        help="let a folder stand for a bucket, as in s3://acme-dev=/data/acme; repeatable",
    )  # fmt: skip
    serve.add_argument("--no-data", action="store_true", help="catalog only: no rows, no DuckDB")
    serve.add_argument(
        "--tasks", choices=("live", "clock"), default="live",
        help="what starts tasks: real time too (live, the default), or only a clock that is moved over the control API",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
