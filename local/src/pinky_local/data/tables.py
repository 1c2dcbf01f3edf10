"""What the data plane does with tables and offsets of streams that needs no statement and no session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pinky_local.data.locks import Resource, locked
from pinky_local.data.storage import Name, Storage
from pinky_local.data.transactions import Transaction
from pinky_local.types import SqlError, TableColumn

_COUNTED_AT_ONCE = 50


def table_resource(physical: str, name: Name) -> Resource:
    """A table as the locks know it."""
    return Resource("table", physical, name[2])


class StoredTables:
    """Tables and offsets over the storage of one account."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def transactions(self) -> list[Transaction]:
        """Every open transaction."""
        raise NotImplementedError

    # -- tables ------------------------------------------------------------------------------------------------------

    def create_table(self, name: Name, columns: Sequence[TableColumn]) -> None:
        """An empty table."""
        self._storage.create(name, columns)

    def drop(self, name: Name) -> str:
        """Take a table away; the text returned brings it back with `restore`, also after a restart."""
        return self._storage.drop(name)

    def restore(self, name: Name, dropped: Any) -> None:
        """Bring back what `drop` returned, under this name."""
        self._storage.restore(name, str(dropped))

    def purge(self, dropped: str) -> None:
        """Forget a dropped table for good."""
        self._storage.purge(dropped)

    def retain(self, names: Sequence[Name]) -> None:
        """Forget for good every table but these."""
        self._storage.retain(names)

    def rename(self, old: Name, new: Name) -> None:
        """Move rows to another name."""
        self._storage.rename(old, new)

    def swap(self, one: Name, other: Name) -> None:
        """Exchange the rows of two tables."""
        self._storage.swap(one, other)

    def clone(self, source: Name, target: Name) -> None:
        """A copy of columns and rows."""
        self._storage.clone(source, target)

    def drop_column(self, name: Name, column: str) -> None:
        """Drop a column with its values."""
        self._storage.drop_column(name, column)

    def rename_column(self, name: Name, old: str, new: str) -> None:
        """Rename a column, keeping its values."""
        self._storage.rename_column(name, old, new)

    def has_nulls(self, name: Name, column: str) -> bool:
        """Whether any row has NULL there."""
        table = self._storage.table(name)
        return bool(
            self._storage.scalar(
                f"SELECT EXISTS (SELECT 1 FROM {table.physical} WHERE {table.column(column).physical} IS NULL)"
            )
        )

    def row_count(self, name: Name) -> int:
        """Rows in a table."""
        return int(self._storage.scalar(f"SELECT count(*) FROM {self._storage.table(name).physical}"))

    def row_counts(self, names: Sequence[Name]) -> dict[Name, int]:
        """Rows in many tables, some tens in one statement (which is faster than one each, and than all at once)."""
        counts: dict[Name, int] = {}
        for start in range(0, len(names), _COUNTED_AT_ONCE):
            part = names[start : start + _COUNTED_AT_ONCE]
            tables = [self._storage.table(name).physical for name in part]
            each = (f"SELECT {place}, count(*) FROM {table}" for place, table in enumerate(tables))
            counts.update({part[place]: count for place, count in self._storage.rows(" UNION ALL ".join(each))})
        return counts

    def has_table(self, name: Name) -> bool:
        """Whether rows are held under this name."""
        return self._storage.has(name)

    # -- streams -----------------------------------------------------------------------------------------------------

    def start_stream(self, stream: int, table: Name | None, *, version: int = 0, initial: bool = False) -> None:
        """Give a stream an offset: at present in a table, or at a version of a stage's directory table.

        Raises `SqlError` 625 where the table is not tracked yet and an open transaction has changed it: what that has
        done so far could not be logged any more.
        """
        with self._storage.lock:
            stored = self._storage.table(table) if table is not None else None
            if table is not None and stored is not None and not stored.log:
                for transaction in self.transactions():
                    if stored.physical in transaction.touched:
                        raise SqlError(625, "57014", locked(table_resource("", table), transaction.owner))
                stored = self._storage.track(table)
            place = self._storage.version if stored is not None else version
            self._storage.changes.start(stream, stored, place, initial=initial)

    def start_stream_like(self, stream: int, other: int) -> None:
        """Give a stream the offset of another one."""
        with self._storage.lock:
            self._storage.changes.start_like(stream, other)

    def stop_stream(self, stream: int) -> None:
        """Forget a stream's offset, and the log of its table where no other stream reads it."""
        self._storage.stop_stream(stream)

    def retain_streams(self, streams: Sequence[int]) -> None:
        """Forget the offsets of all streams but these."""
        with self._storage.lock:
            for stream in self._storage.changes.streams():
                if stream not in streams:
                    self._storage.stop_stream(stream)

    def stream_moved(self, stream: int) -> datetime | None:
        """When a stream was created or consumed last; None for one without offset."""
        with self._storage.lock:
            moved = self._storage.changes.moved(stream)
        return moved.replace(tzinfo=UTC) if isinstance(moved, datetime) else None
