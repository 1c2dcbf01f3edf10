"""A plan as JSON text and back: format version first, no secret, byte-identical for the same plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pinky_core.address import Address, Identifier
from pinky_core.change import Action, Change, Guard, Risk, plain
from pinky_core.diagnostics import Diagnostic, Severity
from pinky_core.diff import FieldChange
from pinky_core.errors import PinkyError
from pinky_core.plan import Plan
from pinky_core.secret import SecretReference
from pinky_core.spec import OnChange
from pinky_core.sql import Statement

__all__ = ["FORMAT", "plan_from_json", "plan_to_json"]

FORMAT = 1


def _address_out(address: Address | None) -> Any:
    return None if address is None else {"kind": address.kind, "path": list(address.path), "detail": address.detail}


def _address_in(data: Any) -> Address:
    return Address(data["kind"], tuple(Identifier(part) for part in data["path"]), data["detail"])


def _statement_out(statement: Statement) -> list[Any]:
    return [part if isinstance(part, str) else {"secret": str(part)} for part in statement.parts]


def _statement_in(data: Sequence[Any]) -> Statement:
    return Statement(tuple(p if isinstance(p, str) else SecretReference.parse(p["secret"]) for p in data))


def _field_out(change: FieldChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "before": plain(change.before),
        "after": plain(change.after),
        "note": change.note,
        "on_change": change.on_change.value,
    }


def _change_out(change: Change) -> dict[str, Any]:
    return {
        "address": _address_out(change.address),
        "action": change.action.value,
        "reason": change.reason,
        "risk": change.risk.value,
        "loses": change.loses,
        "fields": [_field_out(each) for each in change.fields],
        "statements": [_statement_out(each) for each in change.statements],
        "needs": [_address_out(each) for each in change.needs],
        "observed": dict(sorted(change.observed.items())),
        "read_fields": list(change.read_fields),
        "former": _address_out(change.former),
        "file": change.file,
    }


def _change_in(data: Mapping[str, Any]) -> Change:
    return Change(
        address=_address_in(data["address"]),
        action=Action(data["action"]),
        reason=data["reason"],
        risk=Risk(data["risk"]),
        loses=data["loses"],
        fields=tuple(
            FieldChange(f["path"], f["before"], f["after"], f["note"], OnChange(f["on_change"])) for f in data["fields"]
        ),
        statements=tuple(_statement_in(each) for each in data["statements"]),
        needs=tuple(_address_in(each) for each in data["needs"]),
        observed=data["observed"],
        read_fields=tuple(data["read_fields"]),
        former=_address_in(data["former"]) if data["former"] else None,
        file=data["file"],
    )


def _guard_out(guard: Guard) -> dict[str, Any]:
    return {
        "name": guard.name,
        "members": [_address_out(each) for each in guard.members],
        "opening": [_statement_out(each) for each in guard.opening],
        "closing": [_statement_out(each) for each in guard.closing],
        "requires": _address_out(guard.requires),
        "root": _address_out(guard.root),
        "observed": dict(sorted(guard.observed.items())),
    }


def _guard_in(data: Mapping[str, Any]) -> Guard:
    return Guard(
        data["name"],
        tuple(_address_in(each) for each in data["members"]),
        tuple(_statement_in(each) for each in data["opening"]),
        tuple(_statement_in(each) for each in data["closing"]),
        _address_in(data["requires"]) if data["requires"] else None,
        _address_in(data["root"]) if data["root"] else None,
        data["observed"],
    )


def _plan_out(plan: Plan) -> dict[str, Any]:
    return {
        "pinky_plan": FORMAT,
        "scope": plan.scope,
        "target": list(plan.target),
        "account": plan.account,
        "role": plan.role,
        "unchanged": plan.unchanged,
        "changes": [_change_out(each) for each in plan.changes],
        "guards": [_guard_out(each) for each in plan.guards],
        "orphans": [_address_out(each) for each in plan.orphans],
        "diagnostics": [
            {"severity": each.severity.value, "code": each.code, "summary": each.summary, "hint": each.hint}
            for each in plan.diagnostics
        ],
    }


def plan_to_json(plan: Plan) -> str:
    """The plan as text."""
    return json.dumps(_plan_out(plan), indent=2, ensure_ascii=False) + "\n"


def plan_from_json(text: str) -> Plan:
    """Read what `plan_to_json` wrote; raises `PinkyError` for anything else."""
    try:
        data = json.loads(text)
        version = data["pinky_plan"]
        if version != FORMAT:
            raise PinkyError(f"this plan has format {version!r}; this version of pinky reads format {FORMAT}")
        return Plan(
            scope=data["scope"],
            target=tuple(Identifier(part) for part in data["target"]),
            account=data["account"],
            role=data["role"],
            changes=tuple(_change_in(each) for each in data["changes"]),
            guards=tuple(_guard_in(each) for each in data["guards"]),
            unchanged=data["unchanged"],
            orphans=tuple(_address_in(each) for each in data["orphans"]),
            diagnostics=tuple(
                Diagnostic(Severity(each["severity"]), each["code"], each["summary"], each["hint"])
                for each in data["diagnostics"]
            ),
        )
    except json.JSONDecodeError as error:
        raise PinkyError(f"not a plan of pinky: it is not JSON (line {error.lineno}, column {error.colno})") from error
    except (ValueError, KeyError, TypeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise PinkyError(f"not a plan of pinky: {what}") from error
