"""Facts of an environment that stages need: the bucket and who may reach it, given once in the variable ``stages``.

https://docs.snowflake.com/en/sql-reference/sql/create-stage (URLs of the clouds)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from pinky_core import Identifier, nearest

__all__ = ["Facts", "facts_of"]

#: What each fact means; the variable ``stages`` may hold nothing else.
FACTS: Mapping[str, str] = {
    "bucket": "where external files lie: s3://bucket, gcs://bucket, azure://account.blob.core.windows.net/container",
    "storage_integration": "who reaches the bucket",
    "notification_integration": "who is told of new files, on GCS and Azure (triggered mode)",
    "aws_sns_topic": "topic of new files, on S3 (triggered mode, where the bucket sends to a topic)",
    "warehouse": "where tasks run; without it they are serverless",
    "viewer": "who may look: ROLE name, DATABASE ROLE name, or NOBODY",
    "production": "names of environments that are production",
    "runtime_version": "version of Python that the procedures run on",
    "artifact_repository": "where the procedures take their packages from",
}
_BUCKET = re.compile(r"(s3|s3gov|s3china|gcs)://[^/\s]+(/\S*)?\Z|azure://[^/\s]+/[^/\s]+(/\S*)?\Z")
_VIEWER = re.compile(r"(DATABASE\s+ROLE|ROLE)\s+(\S.*)\Z", re.I | re.S)
_PRODUCTION = ("PROD", "PRD", "PRODUCTION")


@attrs.frozen
class Facts:
    """The facts of an environment; what was not given is None."""

    bucket: str | None = None
    storage_integration: str | None = None
    notification_integration: str | None = None
    aws_sns_topic: str | None = None
    warehouse: str | None = None
    viewer: str = "DATABASE ROLE VIEWER"
    production: tuple[str, ...] = _PRODUCTION
    runtime_version: str = "3.12"
    artifact_repository: str | None = None
    env: str | None = None

    @property
    def is_production(self) -> bool:
        """Whether the environment is production; one without a name is taken for none."""
        return self.env is not None and self.env.upper() in {each.upper() for each in self.production}

    @property
    def cloud(self) -> str:
        """``s3``, ``gcs`` or ``azure``; empty without a bucket."""
        scheme = (self.bucket or "").partition("://")[0]
        return "s3" if scheme.startswith("s3") else scheme

    def url(self, slot: str, schema: tuple[Identifier, ...]) -> str:
        """Where a slot's files of one schema lie: ``<bucket>/<slot>/<database>/<schema>/``, the names in lower case."""
        return "/".join([(self.bucket or "").rstrip("/"), slot, *(str(part).lower() for part in schema), ""])

    def viewer_grantee(self) -> tuple[str, str] | None:
        """The key of a grant's document that names the viewer, and the name; None where nobody may look.

        Raises ValueError for what is neither.
        """
        if self.viewer.strip().upper() == "NOBODY":
            return None
        found = _VIEWER.match(self.viewer.strip())
        if found is None:
            raise ValueError(f"vars.stages.viewer: {self.viewer!r} is none of ROLE name, DATABASE ROLE name, NOBODY")
        return ("to_role" if found[1].upper() == "ROLE" else "to_database_role"), found[2].strip()


def facts_of(variables: Mapping[str, Any], env: str | None) -> tuple[Facts, list[str]]:
    """The facts that the variable ``stages`` gives, and what is wrong with it."""
    given = variables.get("stages")
    if given is None:
        return Facts(env=env), []
    if not isinstance(given, Mapping):
        return Facts(env=env), [f"vars.stages: expected a mapping of {', '.join(FACTS)}; found {given!r}"]
    mistakes = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in FACTS:
            hint = nearest(str(name), FACTS) or f"Known: {', '.join(FACTS)}."
            mistakes.append(f"vars.stages: unknown fact {name!r}. {hint}")
        elif name == "production":
            texts = [value] if isinstance(value, str) else value
            if not isinstance(texts, (list, tuple)) or not all(isinstance(each, str) for each in texts):
                mistakes.append(f"vars.stages.production: expected names of environments, found {value!r}")
            else:
                values[name] = tuple(texts)
        elif value is not None and not isinstance(value, str):
            mistakes.append(f"vars.stages.{name}: expected text ({FACTS[name]}), found {value!r}")
        elif value:
            values[name] = value
    bucket = values.get("bucket")
    if bucket is not None and not _BUCKET.match(bucket):
        mistakes.append(f"vars.stages.bucket: {bucket!r} is no place in cloud storage: {FACTS['bucket']}")
    facts = Facts(env=env, **values)
    try:
        facts.viewer_grantee()
    except ValueError as error:
        mistakes.append(str(error))
    return facts, mistakes
