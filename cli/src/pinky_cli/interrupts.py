"""Ctrl-C and SIGTERM during an apply: running statements finish, guards close, the report is shown."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

EXIT_CODE = 130
_POLL = 0.2  # seconds; on Windows a wait without a limit cannot be interrupted


class Terminated(KeyboardInterrupt):
    """SIGTERM outside an apply: ends the run as Ctrl-C does."""


def interrupted() -> int:
    """Say that a command ended before it changed anything; the exit code."""
    newline = "\n" if sys.stderr.isatty() else ""  # the terminal has echoed ^C into the line
    sys.stderr.write(f"{newline}Interrupted: nothing more was done.\n")
    return EXIT_CODE


@contextlib.contextmanager
def stopping(tell: Callable[[str], None]) -> Iterator[threading.Event]:
    """An event that the first signal sets. A second one says what is awaited, a third one leaves at once."""
    stop = threading.Event()
    count = 0

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        stop.set()
        if count == 1:
            tell("Interrupted: running statements finish, nothing new starts.")
        elif count == 2:
            tell("Still waiting for running statements; once more leaves at once, and suspended tasks stay suspended.")
        else:
            os._exit(EXIT_CODE)

    with _handling(on_signal):
        yield stop


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises `Terminated`, so that everything that was opened is closed."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def in_background(work: Callable[[], T]) -> T:
    """The result of work done in another thread, while this one stays free to handle signals."""
    results: list[T] = []
    failures: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            failures.append(error)

    thread = threading.Thread(target=body, name="pinky-run")
    thread.start()
    while thread.is_alive():
        thread.join(_POLL)
    if failures:
        raise failures[0]
    return results[0]


@contextlib.contextmanager
def _handling(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals; a program that calls us from another keeps its own
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    former = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, before in zip(numbers, former, strict=True):
            signal.signal(number, before)
