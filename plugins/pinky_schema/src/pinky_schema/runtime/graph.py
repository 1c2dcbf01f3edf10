"""The procedures that tasks call: roots that begin a run, steps that take part in it, and the end of it.

A run is one row of RUNS for each attempt. Roots tell their graph run's group id to it, steps find it by that id, so
that nothing but ``SKIP`` has to travel in return values. Where Snowflake tries a failed graph run again, from the steps
that failed and after its finalizer, the run goes on as its next attempt.

https://docs.snowflake.com/en/user-guide/tasks-graphs,
https://docs.snowflake.com/en/sql-reference/functions/system_task_runtime_info,
https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value
"""

from __future__ import annotations

import uuid
from typing import Any

from pinky_schema.runtime.database import as_json, changed_rows, decoded, rows_of, shortened, transaction
from pinky_schema.runtime.dispatch import (
    Names,
    claim,
    complete_run,
    done_files,
    end_run,
    fail_files,
    files_of,
    register_files,
    repeat_run,
)

SKIP = "SKIP"
RETURN_BYTES = 10_000  # a return value may have 10 kB in UTF-8


def poll_and_dispatch(session: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Root of whatever waits for files: register what is new, claim a batch, and hand it over.

    With a ``procedure`` that is called right here; without one the run waits for the steps of the graph, and the return
    value of the task says so: ``SKIP`` where there is nothing to do.
    """
    names = Names(settings["schema"], settings["slot"])
    in_graph = not settings.get("procedure") and not settings.get("register_only")
    if not _holds(session, settings):
        return _answer(session, {"status": SKIP, "because": settings["when"]}, in_graph=in_graph)
    report = register_files(session, names, refresh=bool(settings.get("refresh", True)))
    if settings.get("register_only"):
        return {"status": "REGISTERED", **report}
    run = claim(session, names, settings, _graph_run(session) if in_graph else None)
    if run is None:
        return _answer(session, {"status": SKIP, **report}, in_graph=in_graph)
    if in_graph:
        return _answer(session, {"status": "STARTED", **run, **report}, in_graph=True)
    return {**run, **report, **_called_here(session, names, run, settings)}


def _called_here(session: Any, names: Names, run: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Call the business procedure for a claimed run and account for what became of it; raises what it raised."""
    work = {**_work(session, names, run, settings), "step": None, "predecessors": {}, "client_schema": None}
    try:
        result = _call(session, settings["procedure"], work)
    except Exception as error:
        fail_files(session, names, run, shortened(error), settings)
        end_run(session, names, run, "FAILED", shortened(error))
        raise
    return {"status": "DONE", "result": result, **_settle(session, names, run, settings, [result], result)}


def _settle(
    session: Any, names: Names, run: dict[str, Any], settings: dict[str, Any], results: list[Any], info: Any
) -> dict[str, Any]:
    """Account for the files of a run whose procedures succeeded: those they name as failed, and the rest as done."""
    errors: dict[str, str] = {}
    for result in results:
        failed = result.get("failed") if isinstance(result, dict) else None
        if isinstance(failed, dict):
            errors.update({str(path): str(error) for path, error in failed.items()})
    with transaction(session):
        failed_files = fail_files(session, names, run, errors, settings) if errors else 0
        complete_run(session, names, {"run_id": run["run_id"], "attempt": run["attempt"]})
        done = done_files(session, names, run)
        end_run(session, names, run, "FAILED" if failed_files else "DONE", None, info)
    return {"done": done, "failed": failed_files}


def start_run(session: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Root of a graph that needs no files: on a schedule, on demand, or where a named condition holds."""
    if not _holds(session, settings):
        return _answer(session, {"status": SKIP, "because": settings["when"]}, in_graph=True)
    names = Names(settings["schema"], None)
    run = {"run_id": str(uuid.uuid4()), "attempt": 1, "files": 0}
    changed_rows(
        session,
        f"INSERT INTO {names.runs} (RUN_ID, ATTEMPT, GRAPH, SP_VERSION, TRIGGERED_BY, GRAPH_RUN, STATUS, FILES, "
        "STARTED_AT) SELECT ?, 1, ?, ?, ?, ?, 'RUNNING', 0, CURRENT_TIMESTAMP()",
        run["run_id"],
        settings["graph"],
        settings.get("version"),
        settings.get("root", settings["graph"]),
        _graph_run(session),
    )
    return _answer(session, {"status": "STARTED", **run}, in_graph=True)


def run_step(session: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """One step of a graph: call its procedure with what the run is about, once or for each client schema."""
    names = Names(settings["schema"], settings.get("slot"))
    run = _run_of(session, names)
    if run is not None and run["status"] == "FAILED":
        # A step beside this one may have begun the next attempt already.
        run = repeat_run(session, names, run, settings) or _run_of(session, names)
    if run is None or run["status"] != "RUNNING":
        return _answer(session, {"status": SKIP}, in_graph=True)
    work = {**_work(session, names, run, settings), "step": settings["step"]}
    work["config"] = {**_graph_config(session), **work["config"]}
    work["predecessors"] = _results(_steps_of(session, names, run))
    failures: dict[str, BaseException] = {}
    results: dict[str, Any] = {}
    for client in _clients(session, settings):
        try:
            results[client] = _one(session, names, run, settings, {**work, "client_schema": client or None})
        except Exception as error:  # noqa: BLE001 - one client's failure must not keep the others waiting
            failures[client] = error
    if failures:
        texts = [f"{client}: {shortened(error)}" if client else shortened(error) for client, error in failures.items()]
        raise RuntimeError(f"step {settings['step']} failed: {'; '.join(texts)}") from next(iter(failures.values()))
    result = results.get("", results)
    return _answer(session, {"status": "DONE", "run_id": run["run_id"], "result": result}, in_graph=True)


def _one(session: Any, names: Names, run: dict[str, Any], settings: dict[str, Any], work: dict[str, Any]) -> Any:
    """One call of a step's procedure, with its row in RUN_STEPS; raises what it raised."""
    client = work["client_schema"] or ""
    key = (run["run_id"], run["attempt"], settings["step"], client)
    changed_rows(
        session, f"DELETE FROM {names.steps} WHERE RUN_ID = ? AND ATTEMPT = ? AND STEP = ? AND CLIENT_SCHEMA = ?", *key
    )
    changed_rows(
        session,
        f"INSERT INTO {names.steps} (RUN_ID, ATTEMPT, STEP, CLIENT_SCHEMA, STATUS, STARTED_AT) "
        "SELECT ?, ?, ?, ?, 'RUNNING', CURRENT_TIMESTAMP()",
        *key,
    )
    try:
        if settings.get("sql"):
            rows_of(session, settings["sql"])
            result = None
        else:
            result = _call(session, settings["procedure"], work)
    except Exception as error:
        _close_step(session, names, key, "FAILED", None, shortened(error))
        raise
    _close_step(session, names, key, "DONE", result, None)
    return result


def _close_step(session: Any, names: Names, key: tuple[Any, ...], status: str, result: Any, error: str | None) -> None:
    changed_rows(
        session,
        f"UPDATE {names.steps} SET STATUS = ?, RESULT = PARSE_JSON(?), ERROR = ?, FINISHED_AT = CURRENT_TIMESTAMP() "
        "WHERE RUN_ID = ? AND ATTEMPT = ? AND STEP = ? AND CLIENT_SCHEMA = ?",
        status,
        as_json(result),
        error,
        *key,
    )


def finish_run(session: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Finalizer of a graph: the run is done where every step is, else failed; then the user's own procedure, if any.

    A step without a record did not run, for instance because its task is suspended: that is a failure too, for nobody
    may take its files for processed.
    """
    names = Names(settings["schema"], settings.get("slot"))
    run = _run_of(session, names)
    if run is None or run["status"] == "DIED":
        return _answer(session, {"status": SKIP}, in_graph=True)
    if run["status"] == "RUNNING":
        outcome = _ended(session, names, run, settings)
    else:  # only the finalizer is tried again
        outcome = {**_told(run), "problems": [run["error"]] if run["error"] else []}
    if settings.get("notify") and outcome["status"] == "FAILED":
        outcome["notified"] = _tell_of_failure(session, run, settings, outcome)
    if settings.get("procedure"):
        outcome["result"] = _call(session, settings["procedure"], outcome)
    return _answer(session, outcome, in_graph=True)


def _tell_of_failure(
    session: Any, run: dict[str, Any], settings: dict[str, Any], outcome: dict[str, Any]
) -> dict[str, Any]:
    """NOTIFY of the schema, once for each attempt of the run, however often the finalizer is tried."""
    problems = "; ".join(str(each) for each in outcome["problems"])[:2000]
    payload = {
        "title": f"The task graph {settings['graph']} failed",
        "message": problems,
        "graph": settings["graph"],
        "run_id": run["run_id"],
        "attempt": run["attempt"],
        "graph_run": run["graph_run"],
    }
    key = f"{run['run_id']}/{run['attempt']}"
    found = rows_of(
        session,
        f"CALL {settings['schema']}.NOTIFY('TASK_GRAPH_FAILED', PARSE_JSON(?), ?)",
        as_json(payload),
        key,
    )
    told: dict[str, Any] = decoded(found[0][0])
    return told


def _ended(session: Any, names: Names, run: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """End a run by what became of its steps, and account for its files."""
    steps = _steps_of(session, names, run)
    seen = {row[0] for row in steps}
    problems = [f"{row[0]}: {row[3] or 'it did not end'}" for row in steps if row[2] != "DONE"]
    problems += [f"{step}: it did not run" for step in settings.get("steps", ()) if step not in seen]
    status = "FAILED" if problems else "DONE"
    outcome: dict[str, Any] = {**_told(run), "status": status, "problems": problems}
    if problems:
        text = "; ".join(problems)[:4000]
        if settings.get("slot"):
            outcome["failed"] = fail_files(session, names, run, text, settings)
        end_run(session, names, run, "FAILED", text)
    elif settings.get("slot"):
        outcome |= _settle(session, names, run, settings, [decoded(row[4]) for row in steps], None)
    else:
        end_run(session, names, run, "DONE", None)
    return outcome


def _told(run: dict[str, Any]) -> dict[str, Any]:
    return {key: run[key] for key in ("status", "run_id", "attempt", "files")}


def complete(session: Any, work: dict[str, Any]) -> int:
    """What a business procedure calls inside its own transaction, with the dict it got: its files are done.

    In a graph one step does that; those behind it still see the files, as done, and have none to complete. Returns
    their number; raises RuntimeError where another attempt has taken over, so that the caller rolls back.
    """
    held = sum(1 for file in work["new_files"] if file["status"] == "CLAIMED")
    run = {"run_id": work["run_id"], "attempt": work["attempt"], "files": held}
    return complete_run(session, Names(work["schema"], work["slot"]), run)


def _work(session: Any, names: Names, run: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """What every business procedure is told."""
    work = {
        "run_id": run["run_id"],
        "attempt": run["attempt"],
        "graph": settings["graph"],
        "version": settings.get("version"),
        "schema": settings["schema"],
        "slot": settings.get("slot"),
        "config": settings.get("config") or {},
        "new_files": [],
        "existing_files": [],
        "existing_files_count": 0,
    }
    if settings.get("slot"):
        work |= files_of(session, names, run, settings.get("existing_files", 1000))
    return work


def _call(session: Any, procedure: str, work: dict[str, Any]) -> Any:
    found = rows_of(session, f"CALL {procedure}(PARSE_JSON(?))", as_json(work))
    return decoded(found[0][0]) if found else None


def _holds(session: Any, settings: dict[str, Any]) -> bool:
    """Whether the root's condition, a SQL expression, holds; one without a condition always does."""
    if not settings.get("when"):
        return True
    return bool(rows_of(session, f"SELECT COALESCE(({settings['when']}), FALSE)")[0][0])


def _graph_run(session: Any) -> str:
    return str(rows_of(session, "SELECT SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_RUN_GROUP_ID')")[0][0])


def _graph_config(session: Any) -> dict[str, Any]:
    """The configuration of this graph run: the root's, or what EXECUTE TASK was given instead."""
    found = decoded(rows_of(session, "SELECT SYSTEM$GET_TASK_GRAPH_CONFIG()")[0][0])
    return found if isinstance(found, dict) else {}


def _run_of(session: Any, names: Names) -> dict[str, Any] | None:
    """The latest attempt that this graph run began; None where its root skipped."""
    graph_run = _graph_run(session)
    found = rows_of(
        session,
        f"SELECT RUN_ID, ATTEMPT, FILES, STATUS, ERROR FROM {names.runs} WHERE GRAPH_RUN = ? "
        "ORDER BY STARTED_AT DESC, ATTEMPT DESC LIMIT 1",
        graph_run,
    )
    if not found:
        return None
    run_id, attempt, files, status, error = found[0]
    run = {"run_id": run_id, "attempt": int(attempt), "files": int(files), "status": status, "error": error}
    return {**run, "graph_run": graph_run}


def _steps_of(session: Any, names: Names, run: dict[str, Any]) -> list[Any]:
    """What became of the steps of a run, each by its latest attempt: a retry keeps those that were done.

    Step, client schema, status, error and result.
    """
    return rows_of(
        session,
        f"SELECT S.STEP, S.CLIENT_SCHEMA, S.STATUS, S.ERROR, S.RESULT FROM {names.steps} S JOIN {names.runs} R "
        "ON R.RUN_ID = S.RUN_ID AND R.ATTEMPT = S.ATTEMPT WHERE S.RUN_ID = ? AND R.GRAPH_RUN = ? "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY S.STEP, S.CLIENT_SCHEMA ORDER BY S.ATTEMPT DESC) = 1 "
        "ORDER BY S.STEP, S.CLIENT_SCHEMA",
        run["run_id"],
        run["graph_run"],
    )


def _results(steps: list[Any]) -> dict[str, Any]:
    """What the steps returned so far; for a step that ran per client, by client."""
    results: dict[str, Any] = {}
    for step, client, status, _, result in steps:
        if status == "DONE" and client:
            results.setdefault(step, {})[client] = decoded(result)
        elif status == "DONE":
            results[step] = decoded(result)
    return results


def _clients(session: Any, settings: dict[str, Any]) -> list[str]:
    """The client schemas a step runs for, in full and in order; one empty name for a step that runs once.

    They are all schemas of the database but its own, PUBLIC and INFORMATION_SCHEMA; ``like`` and ``except`` choose
    among them as SHOW … LIKE and names in SQL do: a name without quotes is folded, a pattern knows no case.
    """
    chosen = settings.get("clients")
    if not chosen:
        return [""]
    rules = chosen if isinstance(chosen, dict) else {}
    left_out = {"INFORMATION_SCHEMA", "PUBLIC", settings["own_schema"], *map(_folded, rules.get("except", ()))}
    statement = f"SHOW SCHEMAS LIKE {_literal(rules.get('like', '%'))} IN DATABASE {settings['database']}"
    names = sorted({row["name"] for row in rows_of(session, statement)} - left_out)
    return [f"{settings['database']}.{_quoted(name)}" for name in names]


def _folded(name: str) -> str:
    """A name as Snowflake stores it."""
    if len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name.upper()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _answer(session: Any, report: dict[str, Any], *, in_graph: bool) -> dict[str, Any]:
    """The report, also as the task's return value: SKIP for those behind it, else JSON for people."""
    if in_graph:
        text = SKIP if report["status"] == SKIP else as_json(report)
        short = text.encode()[:RETURN_BYTES].decode(errors="ignore")
        rows_of(session, f"CALL SYSTEM$SET_RETURN_VALUE({_literal(short)})")
    return report


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
