"""The same work for Terraform: its built-in resource `terraform_data`, so no provider and no network take part.

`python benchmarks/terraform.py plan|apply warehouses|tables COUNT` prints one JSON object. A plan starts from a state
file that is written as Terraform 1.x writes it, so that only the plan is measured; the plan must find no changes.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Input = Mapping[str, str]


def installed() -> str | None:
    """The version of the `terraform` on the path, None where there is none."""
    program = shutil.which("terraform")
    if program is None:
        return None
    answer = subprocess.run([program, "version", "-json"], capture_output=True, text=True, check=True)
    return str(json.loads(answer.stdout)["terraform_version"])


def main() -> int:
    job, work, count = sys.argv[1:]
    inputs = [_INPUTS[work](number) for number in range(int(count))]
    version = installed()
    if version is None:
        raise SystemExit("terraform: not installed")
    with tempfile.TemporaryDirectory(prefix="pinky-bench-terraform-") as folder:
        print(json.dumps(measure(Path(folder), job, inputs, version)))
    return 0


def measure(folder: Path, job: str, inputs: list[Input], version: str) -> dict[str, Any]:
    """Run one job and say what Terraform used: CPU seconds, peak megabytes, seconds."""
    resources = {f"r{number}": {"input": value} for number, value in enumerate(inputs)}
    configuration = {"resource": {"terraform_data": resources}}
    (folder / "main.tf.json").write_text(json.dumps(configuration), encoding="utf-8")
    _run(folder, "init", "-input=false")
    if job == "plan":
        (folder / "terraform.tfstate").write_text(json.dumps(_state(inputs, version)), encoding="utf-8")
    arguments = {"plan": ("plan", "-input=false", "-detailed-exitcode"), "apply": ("apply", "-auto-approve")}[job]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    _run(folder, *arguments)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "peak_mb": after.ru_maxrss / 1024, "wall": wall, "version": version}


def _run(folder: Path, *arguments: str) -> None:
    """Run Terraform; anything but exit code 0 (for a plan: changes found) ends the measurement."""
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    answer = subprocess.run(
        ["terraform", *arguments, "-no-color"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise SystemExit(f"terraform {arguments[0]} ended with {answer.returncode}: {answer.stderr[-500:]}")


def _state(inputs: list[Input], version: str) -> dict[str, Any]:
    return {
        "version": 4, "terraform_version": version, "serial": 1, "lineage": "00000000-0000-4000-8000-000000000000",
        "outputs": {}, "resources": [_in_state(number, value) for number, value in enumerate(inputs)],
        "check_results": None,
    }  # fmt: skip


def _in_state(number: int, value: Input) -> dict[str, Any]:
    typed = {"value": value, "type": ["object", dict.fromkeys(value, "string")]}
    attributes = {
        "id": f"00000000-0000-4000-8000-{number:012d}", "input": typed, "output": typed, "triggers_replace": None
    }  # fmt: skip
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": f"r{number}",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }


def _warehouse(number: int) -> Input:
    name = f"WH_{number:06d}"
    return {
        "name": name, "warehouse_size": "SMALL", "auto_suspend": "60", "auto_resume": "true",
        "max_cluster_count": "2", "scaling_policy": "ECONOMY", "comment": f"Warehouse {name} of the benchmark",
    }  # fmt: skip


def _table(number: int) -> Input:
    columns = {f"C_{place:03d}": "VARCHAR" for place in range(10)}
    return {"name": f"T_{number:05d}", "comment": f"Table {number}", **columns}


_INPUTS = {"warehouses": _warehouse, "tables": _table}

if __name__ == "__main__":
    raise SystemExit(main())
