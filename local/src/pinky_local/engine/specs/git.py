"""Git repository.

https://docs.snowflake.com/en/sql-reference/sql/create-git-repository, alter-git-repository, show-git-repositories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"
def _https(statement: Statement, name: str) -> str:
    text = str(values.text()(statement, name) or "")
    if not text.lower().startswith("https://"):
        raise errors.invalid_value(text, name)
    return text


GIT_REPOSITORY = ObjectType(
    kind="git_repository",
    words="GIT REPOSITORY",
    plural="GIT REPOSITORIES",
    container="schema",
    space="stage",
    properties=(
        Property("ORIGIN", _https, required=True, create_only=True),
        Property("API_INTEGRATION", values.reference("api_integration"), required=True, unsettable=False),
        Property("GIT_CREDENTIALS", values.reference("secret")),
        COMMENT,
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        ShowColumn("origin", columns.declared("ORIGIN")),
        ShowColumn("api_integration", columns.declared("API_INTEGRATION")),
        ShowColumn("git_credentials", columns.declared("GIT_CREDENTIALS")),
        columns.OWNER,
        columns.OWNER_ROLE_TYPE,
        columns.COMMENT,
        ShowColumn("last_fetched_at", lambda _, item: _fetched(item), "timestamp_ltz"),
    ),
    privileges=("READ", "WRITE"),
    or_alter=False,
    rename=False,
    silent_ceiling=True,
    citation=_DOCS + "create-git-repository",
    guesses=("a repository shares the name space of stages", "numbers and texts of errors about the remote"),
)


def _fetched(item: CatalogObject) -> Any:
    from datetime import datetime

    text = item.state.get("fetched_at")
    return None if text is None else datetime.fromisoformat(str(text))


TYPES = (GIT_REPOSITORY,)
