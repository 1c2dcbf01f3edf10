"""Git repositories: clones whose files statements, procedures and pinky itself can read.

https://docs.snowflake.com/en/sql-reference/sql/create-git-repository,
https://docs.snowflake.com/en/sql-reference/sql/alter-git-repository,
https://docs.snowflake.com/en/sql-reference/sql/show-git-repositories
"""

from __future__ import annotations

from collections.abc import Iterable

from pinky_core import Address, Identifier, OnChange, QualifiedName, Resource, prop, resource

_LOST = "the clone with what was fetched, and grants on it"


@resource("git_repository", scope="schema", plural="GIT REPOSITORIES", stateful=False)
class GitRepository(Resource):
    """A clone of a remote repository, read only. Creating it fetches; later `ALTER GIT REPOSITORY … FETCH` does.

    Fetching is an act and no property, so no plan does it: a pipeline fetches when it wants the new commits.
    """

    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE GIT REPOSITORY", "the schema"),
        ("USAGE", "the API integration and the secret"),
        ("OWNERSHIP", "the git repository"),
    )

    origin: str = prop(on_change=OnChange.REFUSE, loses=_LOST, doc="URL of the remote repository, with https.")
    api_integration: Identifier = prop(
        unset=False, refers_to="api_integration", doc="The API integration (API_PROVIDER git_https_api) that allows it."
    )
    git_credentials: QualifiedName | None = prop(
        default=None, refers_to="secret", doc="Secret with user and token; in full where it lies in another schema."
    )
    comment: str | None = prop(default="", doc="Free text.")

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Refused: Snowflake cannot rename a Git repository."""
        raise ValueError("Snowflake cannot rename a Git repository: declare the new one, and drop the old one later")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """The remote must be reached by HTTPS."""
        if isinstance(self.origin, str) and not self.origin.lower().startswith("https://"):
            yield "origin", f"{self.origin!r}: Snowflake reaches Git repositories by HTTPS only"
