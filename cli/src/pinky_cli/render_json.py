"""Reports, diagnostics and errors as JSON for programs. A plan's own form is `pinky_core.plan_to_json`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pinky_core import Address, Diagnostic, Event, Report


def to_text(data: Any) -> str:
    """A document as it is written."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """``{"diagnostics": […]}``; places count from 1."""
    return {"diagnostics": [_diagnostic(each) for each in diagnostics]}


def report_json(report: Report, run: str) -> dict[str, Any]:
    """``{"run", "ok", "interrupted", "events"}``, one event per change and guard."""
    return {
        "run": run,
        "ok": report.ok,
        "interrupted": report.interrupted,
        "events": [_event(each) for each in report.events],
    }


def error_json(code: str, message: str, details: Iterable[str] = ()) -> dict[str, Any]:
    """``{"error": {"code", "message", "details"}}``: why a command did nothing."""
    return {"error": {"code": code, "message": message, "details": list(details)}}


def _address(address: Address | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {"kind": address.kind, "path": [str(part) for part in address.path], "detail": address.detail}


def _diagnostic(each: Diagnostic) -> dict[str, Any]:
    place = each.location
    return {
        "severity": each.severity.value,
        "code": each.code,
        "summary": each.summary,
        "hint": each.hint,
        "address": _address(each.address),
        "path": list(each.path),
        "location": {"file": place.file, "line": place.line, "column": place.column} if place else None,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "outcome": event.outcome.value,
        "name": event.name,
        "address": _address(event.address),
        "action": event.action.value if event.action else None,
        "seconds": round(event.seconds, 3),
        "error": event.error,
        "because": event.because,
        "statement": event.statement,
    }
