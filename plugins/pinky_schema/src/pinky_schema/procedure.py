"""Stored procedures in SQL and Python.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure,
https://docs.snowflake.com/en/sql-reference/sql/alter-procedure,
https://docs.snowflake.com/en/sql-reference/sql/show-procedures,
https://docs.snowflake.com/en/sql-reference/sql/desc-procedure
"""

from __future__ import annotations

from typing import ClassVar

from pinky_core import (
    Address,
    FieldChange,
    QuotedKeyword,
    Source,
    Statement,
    is_given,
    literal,
    prop,
    resource,
    statement,
)
from pinky_schema.procedure_values import ExecuteAs, Language
from pinky_schema.routine import Routine


class AutoEventLogging(QuotedKeyword):
    """What Snowflake Scripting logs by itself."""

    LOGGING = ("LOGGING",)
    TRACING = ("TRACING",)
    ALL = ("ALL",)
    OFF = ("OFF",)


@resource("procedure", scope="schema", stateful=False)
class Procedure(Routine):
    """Code that is called by CALL. Name and argument types together are its address.

    What ALTER PROCEDURE cannot change is changed by CREATE OR REPLACE … COPY GRANTS, which loses no grants; what is not
    declared is then written as it was, except for ``null_handling`` of a procedure in SQL, which Snowflake does not
    tell: there it is neither compared nor kept.
    """

    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE PROCEDURE", "the schema"),
        ("OWNERSHIP", "the procedure"),
    )
    word: ClassVar[str] = "procedure"
    no_comment: ClassVar[str] = "user-defined procedure"
    carried: ClassVar[tuple[str, ...]] = (*Routine.carried, "execute_as")

    execute_as: ExecuteAs = prop(
        default=ExecuteAs.OWNER, column="execute as", source=Source.DESCRIBE, doc="Whose privileges it runs with."
    )
    auto_event_logging: AutoEventLogging | None = prop(
        default=None, source=Source.PARAMETER, doc="What Snowflake Scripting logs by itself."
    )

    def _clauses(self, address: Address) -> list[str]:
        clauses = [f"LANGUAGE {(self.language or Language.SQL).sql}", *self._handler_clauses(address)]
        if is_given(self.null_handling):
            clauses.append(self.null_handling.sql)
        if is_given(self.comment):
            clauses.append(f"COMMENT = {literal(self.comment)}")
        if is_given(self.execute_as):
            clauses.append(f"EXECUTE AS {self.execute_as.sql}")
        return clauses

    def _lists_no_packages(self) -> bool:
        return self.language is Language.PYTHON and not is_given(self.artifact_repository)

    def _own_form(self, address: Address, change: FieldChange) -> Statement | None:
        if change.path != "execute_as":
            return None
        return statement(f"ALTER PROCEDURE {address.sql} EXECUTE AS {(self.execute_as or ExecuteAs.OWNER).sql}")
