"""Faults by rule: what a network or a busy server does to a client, switched on for chosen requests.

A rule looks at every attempt (a client's retry is a new attempt), counts those that match, and fires on the
``at``-th match and the ``times - 1`` after it. Several rules may fire on one attempt.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

Hook = Callable[[str], None]
RequestKind = Literal["statement", "login"]

_RETRYABLE_AND_REFUSING = frozenset({400, 403, 408, 429, 500, 502, 503, 504})


class FaultError(ValueError):
    """A fault rule that makes no sense; says what was found and what is allowed."""


@dataclass(frozen=True, slots=True)
class Status:
    """Answer this HTTP status without executing; ``retry_after`` (seconds) adds a Retry-After header."""

    kind: ClassVar[str] = "status"
    status: int = 503
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if self.status not in _RETRYABLE_AND_REFUSING:
            allowed = ", ".join(map(str, sorted(_RETRYABLE_AND_REFUSING)))
            raise FaultError(f"status {self.status!r} cannot be injected; allowed: {allowed}")


@dataclass(frozen=True, slots=True)
class DropBefore:
    """Close the connection without executing."""

    kind: ClassVar[str] = "drop_before"


@dataclass(frozen=True, slots=True)
class DropAfter:
    """Execute, keep the answer for the retry, and close the connection instead of answering."""

    kind: ClassVar[str] = "drop_after"


@dataclass(frozen=True, slots=True)
class Latency:
    """Wait this many seconds before executing. An abort or the statement timeout ends the wait."""

    kind: ClassVar[str] = "latency"
    seconds: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < float("inf"):
            raise FaultError(f"latency of {self.seconds!r} seconds; expected a finite number from 0")


@dataclass(frozen=True, slots=True)
class ExpireToken:
    """Expire the session token that the request carries; the client has to renew it."""

    kind: ClassVar[str] = "expire_token"


@dataclass(frozen=True, slots=True)
class SqlFault:
    """Answer an SQL error without executing. The answer is remembered, so a replay repeats it."""

    kind: ClassVar[str] = "sql_error"
    errno: int = 603
    sqlstate: str = "XX000"
    message: str = "SQL execution internal error: injected fault"

    def __post_init__(self) -> None:
        if not 0 < self.errno < 1_000_000 or len(self.sqlstate) != 5:
            raise FaultError(f"sql_error needs a number of 1 to 6 digits and an SQLSTATE of 5 characters: {self!r}")


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function with the statement's text, before or after its execution (to end the client process, say)."""

    kind: ClassVar[str] = "call"
    before: Hook | None = None
    after: Hook | None = None


@dataclass(frozen=True, slots=True)
class EndProcedure:
    """End the procedure that sends the statement, as if its sandbox had died.

    Neither the statement nor anything after it runs, no ``except`` of the procedure helps, its open transaction is
    rolled back, and its caller gets error 603. Only statements of procedures are hit.
    """

    kind: ClassVar[str] = "end_procedure"


Action = Status | DropBefore | DropAfter | Latency | ExpireToken | SqlFault | Call | EndProcedure

_ACTIONS: dict[str, type[Action]] = {
    action.kind: action for action in (Status, DropBefore, DropAfter, Latency, ExpireToken, SqlFault, EndProcedure)
}


@dataclass(slots=True)
class FaultRule:
    """When an action is injected.

    ``match`` is a regular expression searched in the statement text (case-insensitive, ``.`` matches line ends); for
    ``on="login"`` it is searched in the login name. ``at`` counts matching attempts from 1, ``times`` is how many
    matches in a row are hit (None: all), ``probability`` applies to each of them with a generator seeded by ``seed``.
    ``procedure`` (a regular expression searched in the qualified name) makes it count only what procedures send.
    """

    action: Action
    match: str = ""
    at: int = 1
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    on: RequestKind = "statement"
    procedure: str | None = None
    matched: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)
    _pattern: re.Pattern[str] = field(init=False, repr=False)
    _procedure: re.Pattern[str] | None = field(default=None, init=False, repr=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pattern = _pattern("match", self.match)
        if self.procedure is None and isinstance(self.action, EndProcedure):
            self.procedure = ""
        self._procedure = None if self.procedure is None else _pattern("procedure", self.procedure)
        if self.at < 1:
            raise FaultError(f"at is {self.at!r}; matches are counted from 1")
        if self.times is not None and self.times < 1:
            raise FaultError(f"times is {self.times!r}; expected a number from 1, or null for every match")
        if not 0 <= self.probability <= 1:
            raise FaultError(f"probability is {self.probability!r}; expected a number from 0 to 1")
        if self.on not in ("statement", "login"):
            raise FaultError(f"on is {self.on!r}; allowed: statement, login")
        if self.on == "login" and not isinstance(self.action, (Status, DropBefore, DropAfter, Latency)):
            raise FaultError(f"{self.action.kind} cannot be injected into a login")
        self._random = random.Random(self.seed)

    def hit(self, text: str, procedure: str | None = None) -> bool:
        """Count this attempt and say whether the rule fires on it."""
        if self._procedure is not None and (procedure is None or not self._procedure.search(procedure)):
            return False
        if not self._pattern.search(text):
            return False
        self.matched += 1
        if self.matched < self.at or (self.times is not None and self.matched >= self.at + self.times):
            return False
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The rule and its counts for the control API."""
        action = {"kind": self.action.kind} | {
            item.name: getattr(self.action, item.name)
            for item in fields(self.action)
            if not callable(getattr(self.action, item.name))
        }
        return {
            "match": self.match,
            "at": self.at,
            "times": self.times,
            "probability": self.probability,
            "seed": self.seed,
            "on": self.on,
            "procedure": self.procedure,
            "action": action,
            "matched": self.matched,
            "fired": self.fired,
        }


def _pattern(name: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise FaultError(f"{name} {text!r} is not a regular expression: {error}") from error


def rule_from_json(value: Any) -> FaultRule:
    """A rule from its JSON form, as `FaultRule.as_json` writes it. Raises `FaultError` for anything unknown."""
    if not isinstance(value, dict):
        raise FaultError(f"a fault rule is a JSON object, found {type(value).__name__}")
    allowed = {"match": str, "at": int, "times": int, "probability": (int, float), "seed": int, "on": str}
    allowed |= {"procedure": str, "action": dict}
    arguments = _checked(value, allowed, "fault rule", nullable=frozenset({"times", "procedure"}))
    if "action" not in arguments:
        raise FaultError("a fault rule needs an action")
    arguments["action"] = _action_from_json(arguments["action"])
    return FaultRule(**arguments)


def _action_from_json(value: dict[str, Any]) -> Action:
    kind = value.get("kind")
    action = _ACTIONS.get(kind) if isinstance(kind, str) else None
    if action is None:
        raise FaultError(f"unknown action {kind!r}; allowed: {', '.join(sorted(_ACTIONS))}")
    types: dict[str, Any] = {
        "status": int,
        "retry_after": int,
        "seconds": (int, float),
        "errno": int,
        "sqlstate": str,
        "message": str,
    }
    allowed = {item.name: types[item.name] for item in fields(action)}
    rest = {key: item for key, item in value.items() if key != "kind"}
    return action(**_checked(rest, allowed, f"action {kind}", nullable=frozenset({"retry_after"})))


def _checked(value: dict[str, Any], allowed: dict[str, Any], what: str, nullable: frozenset[str]) -> dict[str, Any]:
    for key, item in value.items():
        if key not in allowed:
            raise FaultError(f"{what} has no field {key!r}; allowed: {', '.join(sorted(allowed)) or 'none'}")
        if item is None and key in nullable:
            continue
        if not isinstance(item, allowed[key]) or isinstance(item, bool):
            raise FaultError(f"field {key!r} of {what} cannot be {item!r}")
    return dict(value)


_WITHOUT_CONNECTION = (Latency, SqlFault, Call, EndProcedure)


class Faults:
    """The rules in force, in the order they were added. Thread safe."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []
        self._lock = threading.Lock()

    def add(self, rule: FaultRule) -> FaultRule:
        """Put a rule in force and return it (its ``fired`` says later how often it hit)."""
        with self._lock:
            self._rules.append(rule)
        return rule

    def inject(
        self,
        action: Action,
        match: str = "",
        *,
        at: int = 1,
        times: int | None = 1,
        probability: float = 1.0,
        seed: int = 0,
        on: RequestKind = "statement",
        procedure: str | None = None,
    ) -> FaultRule:
        """`add` with the rule's fields as arguments."""
        return self.add(
            FaultRule(action, match, at=at, times=times, probability=probability, seed=seed, on=on, procedure=procedure)
        )

    def clear(self) -> None:
        """Take every rule away."""
        with self._lock:
            self._rules.clear()

    def __iter__(self) -> Iterator[FaultRule]:
        with self._lock:
            return iter(list(self._rules))

    def decide(self, text: str, on: RequestKind = "statement", *, procedure: str | None = None) -> list[Action]:
        """The actions that hit this attempt, of the procedure with this name where one sends it."""
        return self._hitting(text, procedure, [rule for rule in self if rule.on == on])

    def decide_inner(self, text: str, procedure: str | None) -> list[Action]:
        """The actions that hit a statement that no client sends: those that need no connection to break."""
        inner = [rule for rule in self if rule.on == "statement" and isinstance(rule.action, _WITHOUT_CONNECTION)]
        return self._hitting(text, procedure, inner)

    def _hitting(self, text: str, procedure: str | None, rules: list[FaultRule]) -> list[Action]:
        if not rules:
            return []
        with self._lock:
            return [rule.action for rule in rules if rule.hit(text, procedure)]
