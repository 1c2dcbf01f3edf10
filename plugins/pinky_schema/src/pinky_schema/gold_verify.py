"""Verifying: the reference inputs of a version of gold go through the graph again, and what it makes is compared.

The steps, all in one schema that is not production:

1. Wait until no run holds one of these inputs, such as one that an interrupted verification left behind.
2. Take the rows of their paths out of the registry, so that the same bytes count as new; copy the inputs into the slot.
3. EXECUTE TASK on the root, which also runs where it is suspended. What triggers on a stream gets a REFRESH first.
4. Ask for the states of the inputs, with growing pauses, until each is DONE, FAILED, PARKED or GONE. A run takes a
   batch, and takes what is due again before what is new; so the root is executed again while inputs wait for it.
5. Compare.

Two verifications at once in one schema are safe, not useful: the first step makes one wait for inputs that the other's
run holds, and an input that the other took out of the registry is waited for again. Both then tell what the graph makes
that is there now. For two versions of a graph use two schemas.

https://docs.snowflake.com/en/sql-reference/sql/execute-task,
https://docs.snowflake.com/en/sql-reference/functions/task_history,
https://docs.snowflake.com/en/sql-reference/sql/alter-stage
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from pinky_core import Identifier, Session, string_literal
from pinky_schema.gold_compare import FINAL, compare
from pinky_schema.gold_record import UNVERSIONED, refuse_production
from pinky_schema.gold_registries import (
    NEWEST,
    Place,
    copy_files,
    gold_rows,
    gold_versions,
    like,
    output_registries,
    states_of,
)
from pinky_schema.gold_values import Compared, GoldError, GoldRow, InputState, Match, Pattern, Verification
from pinky_schema.stage_facts import Facts

__all__ = ["ROOTS", "TIMEOUT", "Progress", "verify"]

TIMEOUT = 1800.0  # seconds
ROOTS = ("POLL_AND_DISPATCH", "CONSUME_STREAM")  # what the root that takes the files of the slot may be called
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 1.0, 15.0, 1.5  # seconds, seconds, factor
AGAIN = 60.0  # seconds after which the root is executed again while inputs wait for it

#: Told whenever it changes: a phrase, how many inputs are through, how many there are.
Progress = Callable[[str, int, int], None]


def verify(
    session: Session,
    schema: str | Sequence[Identifier],
    *,
    facts: Facts,
    version: str | None = None,
    inputs: str = "*",
    root: str | None = None,
    timeout: float = TIMEOUT,
    allow_reordered: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Progress = lambda phrase, done, of: None,
) -> Verification:
    """Run the reference inputs of a version of gold through the graph of ``schema`` and compare what it makes.

    ``facts`` are those of the schema's environment. ``version`` is by default the one recorded last; ``inputs`` says
    which paths, with ``*`` and ``?``. ``root`` is the root task, by default POLL_AND_DISPATCH or CONSUME_STREAM.
    ``timeout`` is in seconds; what was not processed until then is told as such. ``allow_reordered``: files with the
    same rows in another order count as no regression.

    Raises `GoldError` where it cannot begin, `SessionError` where a statement fails.
    """
    warnings = refuse_production(facts, "verifying")
    place = Place.of(schema)
    pattern = Pattern(inputs)
    chosen = _version(session, place, version)
    gold = gold_rows(session, place, chosen, pattern)
    if not gold:
        raise GoldError(f"{place.gold} has no input like {inputs!r} of version {chosen!r}")
    which = (
        f"RELATIVE_PATH IN (SELECT INPUT_FILE_NAME FROM {place.gold} WHERE SP_VERSION = {string_literal(chosen)} "
        f"AND {like('INPUT_FILE_NAME', pattern)})"
    )
    started = _root(session, place, root)
    run = _Run(session, place, which, gold, started, timeout, sleep, clock, on_progress)
    rows, states = run.result()
    versions = {state.version or UNVERSIONED for state in states.values() if state.run_id is not None}
    return Verification(place.schema, chosen, rows, allow_reordered, tuple(sorted(versions)), run.seconds(), warnings)


def _version(session: Session, place: Place, version: str | None) -> str:
    known = gold_versions(session, place)
    if not known:
        raise GoldError(f"nothing is recorded in {place.gold}: `pinky gold record` does that")
    if version is None:
        return known[0]
    if version not in known:
        raise GoldError(f"{place.gold} has no version {version!r}; recorded are: {', '.join(known)}")
    return version


@attrs.frozen
class _Root:
    """The task that is executed. ``triggered``: a condition on a stream decides whether it does anything."""

    name: Identifier
    triggered: bool


def _root(session: Session, place: Place, given: str | None) -> _Root:
    """The root task that takes the files of the slot. Raises `GoldError` where it is not clear which one that is."""
    found = session.execute(f"SHOW TASKS IN SCHEMA {place.schema}")
    tasks = {
        Identifier(name): bool(condition)
        for name, condition, before, relations in found.pick("name", "condition", "predecessors", "task_relations")
        if before in (None, "", "[]") and "FinalizedRootTask" not in (relations or "")
    }
    if given is not None:
        try:
            wanted = [Identifier.parse(given)]
        except ValueError as error:
            raise GoldError(f"the root task is named without its schema: {error}") from None
    else:
        wanted = [Identifier(name) for name in ROOTS if Identifier(name) in tasks]
    if len(wanted) == 1 and wanted[0] in tasks:
        return _Root(wanted[0], tasks[wanted[0]])
    names = ", ".join(sorted(name.sql for name in tasks)) or "none"
    if given is not None:
        raise GoldError(f"{place.schema} has no root task {given}; root tasks: {names}")
    why = "both take files" if wanted else "neither is there"
    raise GoldError(f"of {' and '.join(ROOTS)} in {place.schema} {why}: name the root task; root tasks: {names}")


@attrs.define
class _Run:
    """One verification on its way."""

    session: Session
    place: Place
    which: str
    gold: Sequence[GoldRow]
    root: _Root
    timeout: float
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    tell: Progress
    begin: float = 0.0
    problem: str = ""

    def seconds(self) -> float:
        """How long it has taken until now."""
        return self.clock() - self.begin

    def result(self) -> tuple[tuple[Compared, ...], Mapping[str, InputState]]:
        """Do it all: the lines, and the states of the inputs at the end."""
        self.begin = self.clock()
        registries = output_registries(self.session, self.place)
        self._wait_for_others()
        paths = sorted(row.input_path for row in self.gold)
        self.session.execute(
            f"DELETE FROM {self.place.registry} WHERE {self.which} "
            "AND NOT (STATUS = 'CLAIMED' AND LEASE_UNTIL > CURRENT_TIMESTAMP())"
        )
        kept = self.place.kept(self.gold[0].version)
        lost = set(copy_files(self.session, f"@{self.place.stage}/", kept, paths))
        waited = [path for path in paths if path not in lost]
        states: Mapping[str, InputState] = {}
        if waited:
            self._start()
            while True:
                settled = self._wait_for_runs(waited)
                states = states_of(self.session, self.place, registries, self.which)
                # another verification may have begun the same input anew since
                if not settled or all(path in states and states[path].status in FINAL for path in waited):
                    break
        there = compare([row for row in self.gold if row.input_path not in lost], states, self.problem)
        gone = (row for row in self.gold if row.input_path in lost)
        return tuple(sorted((*there, *self._lost(gone)), key=lambda each: (each.input_path, each.output))), states

    def _lost(self, rows: Iterable[GoldRow]) -> Iterator[Compared]:
        """Inputs that GOLD_INPUTS does not hold any more."""
        for row in rows:
            error = f"the reference input is not in {self.place.gold_inputs} any more: record it again"
            yield Compared(row.input_path, Match.NOT_PROCESSED, error=error)

    def _start(self) -> None:
        if self.root.triggered:
            self.session.execute(f"ALTER STAGE {self.place.stage} REFRESH")
        self.session.execute(f"EXECUTE TASK {self.place.name(self.root.name)}")

    def _pauses(self) -> Iterator[float]:
        """Pauses that grow, the last one ending with the time there is."""
        pause = FIRST_PAUSE
        while (left := self.timeout - self.seconds()) > 0:
            yield min(pause, left)
            pause = min(pause * GROWTH, LONGEST_PAUSE)

    def _wait_for_others(self) -> None:
        """Until no run holds one of the inputs; `GoldError` naming the runs where that takes too long."""
        query = (
            f"SELECT DISTINCT RUN_ID FROM {self.place.registry} WHERE {self.which} AND STATUS = 'CLAIMED' "
            "AND LEASE_UNTIL > CURRENT_TIMESTAMP() ORDER BY RUN_ID"
        )
        held = [str(row[0]) for row in self.session.execute(query).values]
        for pause in self._pauses() if held else ():
            self.tell(f"waiting for run {', '.join(held)}, which holds some of the inputs", 0, len(self.gold))
            self.sleep(pause)
            held = [str(row[0]) for row in self.session.execute(query).values]
            if not held:
                return
        if held:
            raise GoldError(f"run {', '.join(held)} still holds some of the inputs; nothing was changed")

    def _wait_for_runs(self, paths: Sequence[str]) -> bool:
        """Until every input is through; False, with `problem` set, where the time or the root is over before."""
        query = f"SELECT RELATIVE_PATH, STATUS FROM {self.place.registry} WHERE {self.which} {NEWEST}"
        started, taken, told = self.clock(), False, -1
        for pause in self._pauses():
            states = {str(row[0]): str(row[1]) for row in self.session.execute(query).values}
            mine = [states.get(path) for path in paths]
            done = sum(status in FINAL for status in mine)
            if done == len(paths):
                self.tell("processed", done, len(paths))
                return True
            if done != told:
                self.tell("waiting for the graph", done, len(paths))
                told = done
            taken = taken or any(status not in (None, "NEW") for status in mine)
            if not taken and self._root_failed():
                return False
            if "CLAIMED" not in mine and self.clock() - started >= AGAIN:
                self._start()
                started = self.clock()
            self.sleep(pause)
        self.problem = f"{self.timeout:g} seconds were over{self._last_run()}"
        return False

    def _root_failed(self) -> bool:
        """Whether the root failed before it took anything; then more waiting is in vain."""
        state, error = self._history()
        if not state.startswith("FAILED"):
            return False
        self.problem = f"the task {self.root.name.sql} failed: {error}"
        return True

    def _last_run(self) -> str:
        state, error = self._history()
        if not state:
            return f"; the task {self.root.name.sql} has no finished run in that time"
        return f"; the last run of the task {self.root.name.sql} is {state}" + (f": {error}" if error else "")

    def _history(self) -> tuple[str, str]:
        """State and error of the root's last finished run since this began; empty where there is none."""
        database, schema = self.place.use.schema
        since = max(1, math.ceil(self.seconds()))
        arguments = {
            "SCHEDULED_TIME_RANGE_START": f"DATEADD('SECOND', -{since}, CURRENT_TIMESTAMP())",
            "TASK_NAME": string_literal(self.root.name),
            "DATABASE_NAME": string_literal(f'"{database}"'),
            "SCHEMA_NAME": string_literal(f'"{schema}"'),
        }
        found: Any = self.session.execute(
            f"SELECT STATE, ERROR_MESSAGE FROM TABLE({database.sql}.INFORMATION_SCHEMA.TASK_HISTORY("
            f"{', '.join(f'{name} => {value}' for name, value in arguments.items())})) "
            "WHERE STATE NOT IN ('SCHEDULED', 'EXECUTING') ORDER BY COMPLETED_TIME DESC LIMIT 1"
        )
        return (str(found.values[0][0]), str(found.values[0][1] or "")) if found.values else ("", "")
