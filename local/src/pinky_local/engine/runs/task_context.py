"""What the statements of a task run can ask and say about it: return values, configuration, facts of the run.

Rests on https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value,
system_get_predecessor_return_value, system_get_task_graph_config, system_task_runtime_info and
system_current_user_task_name.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from pinky_local.engine import errors, identifiers
from pinky_local.engine.runs.records import GraphRun, TaskRun
from pinky_local.engine.runs.versions import GraphVersion, TaskVersion
from pinky_local.engine.specs.tasks import identity
from pinky_local.types import SqlError

LONGEST_RETURN_VALUE = 10 * 1024
_STEP = re.compile(r"""\.?([A-Za-z_][\w$]*)|\.?"((?:[^"]|"")*)"|\[(\d+)\]|\['((?:[^']|'')*)'\]""")


def outside(function: str) -> SqlError:
    """091093 (number and text a guess): a function of task runs called outside of one."""
    return SqlError(91093, "P0001", f"Function {function} must be called within a task run.")


class RunningTask:
    """`types.TaskContext` of one task run. ``earlier`` are the task runs that count in this graph run, by number."""

    def __init__(
        self, graph: GraphVersion, task: TaskVersion, graph_run: GraphRun, run: TaskRun, earlier: dict[int, TaskRun]
    ) -> None:
        self._graph = graph
        self._task = task
        self._graph_run = graph_run
        self._run = run
        self._earlier = earlier

    @property
    def name(self) -> str:
        """See `types.TaskContext.name`."""
        return identifiers.dotted(self._task.path)

    @property
    def serverless(self) -> bool:
        """See `types.TaskContext.serverless`."""
        return self._task.warehouse is None

    def set_return_value(self, value: str) -> None:
        """See `types.TaskContext.set_return_value`."""
        if len(value.encode()) > LONGEST_RETURN_VALUE:
            text = f"Return value of task is too long: more than {LONGEST_RETURN_VALUE} bytes"
            raise SqlError(100078, "22000", text)
        self._run.return_value = value

    def predecessor_value(self, name: str | None) -> str | None:
        """See `types.TaskContext.predecessor_value`."""
        enabled = [task for task in self._before(self._task) if self._enabled(task)]
        if name is None:
            if len(enabled) != 1:
                raise _no_predecessor(f"{len(enabled)} enabled predecessors; name one of them")
            return self._value_of(enabled[0])
        found = self._ancestor(name)
        if found is None:
            raise _no_predecessor(f"no enabled predecessor named {name}")
        return self._value_of(found)

    def _before(self, task: TaskVersion) -> list[TaskVersion]:
        found = (self._graph.task(number) for number in task.after)
        return [task for task in found if task is not None]

    def _ancestor(self, name: str) -> TaskVersion | None:
        """The nearest enabled task before this one with this name, letter for letter."""
        waiting, seen = self._before(self._task), {self._task.number}
        while waiting:
            for task in waiting:
                if task.name == name and self._enabled(task):
                    return task
            seen |= {task.number for task in waiting}
            above = {task.number: task for near in waiting for task in self._before(near) if task.number not in seen}
            waiting = list(above.values())
        return None

    def _enabled(self, task: TaskVersion) -> bool:
        """A root that EXECUTE TASK runs counts even while it is suspended."""
        return task.started or task.number == self._graph.root.number

    def _value_of(self, task: TaskVersion) -> str | None:
        run = self._earlier.get(task.number)
        return run.return_value if run is not None else None

    def config(self, path: str | None) -> str | None:
        """See `types.TaskContext.config`."""
        text = self._graph_run.config
        if text is None or path is None:
            return text
        value: Any = json.loads(text)
        for step in _steps(path):
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step] if step < len(value) else None
            else:
                return None
        return value if isinstance(value, str) or value is None else json.dumps(value, separators=(",", ":"))

    def information(self, what: str) -> str | None:
        """See `types.TaskContext.information`."""
        run = self._graph_run
        success = run.last_success
        facts: dict[str, str | None] = {
            "CURRENT_TASK_NAME": self._task.name,
            "CURRENT_ROOT_TASK_NAME": self._graph.root.name,
            "CURRENT_ROOT_TASK_UUID": identity(self._graph.root.number),
            "CURRENT_TASK_GRAPH_RUN_GROUP_ID": run.group,
            "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": _printed(run.original_time),
            "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID": success[0] if success else None,
            "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": _printed(success[1]) if success else None,
        }
        if what.upper() not in facts:
            raise errors.compilation(1044, "42P13", f"Invalid argument '{what}' for SYSTEM$TASK_RUNTIME_INFO")
        return facts[what.upper()]


def _no_predecessor(text: str) -> SqlError:
    """091094 (number and text a guess): a return value asked of a task that is not before this one."""
    return SqlError(91094, "P0001", f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE: {text}")


def _steps(path: str) -> list[str | int]:
    """The steps of a path as GET_PATH takes them. https://docs.snowflake.com/en/sql-reference/functions/get_path"""
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            raise errors.compilation(1216, "42601", f"invalid path '{path}' at position {position}")
        word, quoted, index, bracketed = found.groups()
        name = word if word is not None else quoted.replace('""', '"') if quoted is not None else bracketed
        steps.append(int(index) if index is not None else name)
        position = found.end()
    return steps


def _printed(moment: datetime) -> str:
    """A moment as text that casts to a timestamp of any kind."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d} +0000"
