"""Interrupting running DuckDB statements whose session was cancelled."""

from __future__ import annotations

import threading

import duckdb


class Interrupter:
    """Watches running statements and interrupts those whose session was cancelled.

    Its thread lives only while statements run, and shortly after. It is no daemon: one that outlived the interpreter
    would take the process down inside DuckDB.
    """

    def __init__(self, interval: float = 0.02, idle: float = 0.1) -> None:
        self._running: dict[int, tuple[threading.Event, duckdb.DuckDBPyConnection]] = {}
        self._changed = threading.Condition()
        self._interval = interval
        self._idle = idle
        self._thread: threading.Thread | None = None

    def enter(self, cancelled: threading.Event, cursor: duckdb.DuckDBPyConnection) -> int:
        """Watch a statement; the number returned ends it."""
        with self._changed:
            key = id(cursor)
            self._running[key] = (cancelled, cursor)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="pinky-local-interrupter")
                self._thread.start()
            return key

    def leave(self, key: int) -> None:
        """Stop watching."""
        with self._changed:
            self._running.pop(key, None)

    def close(self) -> None:
        """Wait for the watching thread to end."""
        with self._changed:
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        while True:
            with self._changed:
                if not self._running:
                    self._changed.wait(self._idle)
                if not self._running or not threading.main_thread().is_alive():
                    self._thread = None
                    return
                self._interrupt_cancelled()
                self._changed.wait(self._interval)

    def _interrupt_cancelled(self) -> None:
        for cancelled, cursor in self._running.values():
            if cancelled.is_set():
                cursor.interrupt()
