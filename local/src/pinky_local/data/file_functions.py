"""Functions over files of stages: their URLs and paths.

https://docs.snowflake.com/en/sql-reference/functions-file. A scoped URL carries the stage and the path, sealed, so that
only those this account made are opened (`pinky_local.engine.file_urls`).
"""

from __future__ import annotations

import uuid
from typing import Any

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import cast, literal
from pinky_local.data.expressions import Expressions
from pinky_local.data.registry import define_raw
from pinky_local.data.scopes import Typed
from pinky_local.data.staged import location_text
from pinky_local.types import StageHandle


def _stage(here: Expressions, node: Any) -> StageHandle:
    return here.translation.resolver.stage(location_text(node), here.translation.session)


def _path(here: Expressions, node: Any) -> str:
    return cast(here.compile(node), dt.TEXT).sql


def _scoped(here: Expressions, nodes: list[Any]) -> Typed:
    stage, path = _stage(here, nodes[0]), _path(here, nodes[1])
    named = f"({literal(stage.mark + '/')} || {path})"
    seal = f"left(sha256({literal(stage.seal)} || {named}), 32)"
    encoded = f"replace(replace(to_base64(encode({named})), '+', '-'), '/', '_')"
    return Typed(f"({literal(f'{stage.scoped_url}{uuid.uuid4()}/')} || {encoded} || '.' || {seal})", dt.TEXT)


def _file_url(here: Expressions, nodes: list[Any]) -> Typed:
    stage, path = _stage(here, nodes[0]), _path(here, nodes[1])
    return Typed(f"({literal(stage.file_url)} || replace(url_encode({path}), '%2F', '/'))", dt.TEXT)


def _location(here: Expressions, nodes: list[Any]) -> Typed:
    return Typed(literal(_stage(here, nodes[0]).location), dt.TEXT, nullable=False)


def _absolute(here: Expressions, nodes: list[Any]) -> Typed:
    return Typed(f"({literal(_stage(here, nodes[0]).location)} || {_path(here, nodes[1])})", dt.TEXT)


def _relative(here: Expressions, nodes: list[Any]) -> Typed:
    """NULL for a path outside the stage (a guess)."""
    start, path = literal(_stage(here, nodes[0]).location), _path(here, nodes[1])
    return Typed(f"CASE WHEN starts_with({path}, {start}) THEN substr({path}, length({start}) + 1) END", dt.TEXT)


define_raw("BUILD_SCOPED_FILE_URL", 2, 3, _scoped)
define_raw("BUILD_STAGE_FILE_URL", 2, 2, _file_url)
define_raw("GET_STAGE_LOCATION", 1, 1, _location)
define_raw("GET_ABSOLUTE_PATH", 2, 2, _absolute)
define_raw("GET_RELATIVE_PATH", 2, 2, _relative)
