"""User-defined functions in SQL and Python: scalar, table and aggregate functions.

https://docs.snowflake.com/en/sql-reference/sql/create-function,
https://docs.snowflake.com/en/sql-reference/sql/alter-function,
https://docs.snowflake.com/en/sql-reference/sql/show-user-functions,
https://docs.snowflake.com/en/sql-reference/sql/desc-function,
https://docs.snowflake.com/en/developer-guide/udf/sql/udf-sql-scalar-functions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from pinky_core import (
    Address,
    FieldChange,
    Keyword,
    Names,
    OnChange,
    Source,
    Statement,
    is_given,
    literal,
    named_in,
    prop,
    resource,
    statement,
)
from pinky_schema.procedure_values import Language, NullHandling
from pinky_schema.routine import Routine

__all__ = ["UserDefinedFunction", "Volatility"]


class Volatility(Keyword):
    """Whether the same input always gives the same result."""

    VOLATILE = ("VOLATILE",)
    IMMUTABLE = ("IMMUTABLE",)


@resource("user_defined_function", scope="schema", sql="FUNCTION", plural="USER FUNCTIONS", stateful=False)
class UserDefinedFunction(Routine):
    """A function that queries call. Name and argument types together are its address.

    What ALTER FUNCTION cannot change is changed by CREATE OR REPLACE … COPY GRANTS, which loses no grants; what is not
    declared is then written as it was. Snowflake does not tell ``volatility`` of a function in SQL: there it is neither
    compared nor kept. ``null_handling`` is for Python; a function in SQL is always called. Functions in other
    languages, external functions and data metric functions are not covered.
    """

    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE FUNCTION", "the schema"),
        ("OWNERSHIP", "the user defined function"),
    )
    word: ClassVar[str] = "function"
    no_comment: ClassVar[str] = "user-defined function"
    carried: ClassVar[tuple[str, ...]] = (*Routine.carried, "volatility", "memoizable", "aggregate")
    of_language: ClassVar[tuple[str, ...]] = (*Routine.of_language, "volatility", "memoizable", "aggregate")
    untold_in_sql: ClassVar[tuple[str, ...]] = (*Routine.untold_in_sql, "volatility")

    secure: bool = prop(default=False, column="is_secure", doc="Whether only its owner may see its body.")
    volatility: Volatility = prop(
        default=Volatility.VOLATILE,
        on_change=OnChange.REPLACE,
        source=Source.DESCRIBE,
        doc="Whether the same input may give different results.",
    )
    memoizable: bool = prop(
        default=False,
        column="is_memoizable",
        on_change=OnChange.REPLACE,
        doc="Whether results of a scalar function in SQL are cached.",
    )
    aggregate: bool = prop(
        default=False,
        column="is_aggregate",
        on_change=OnChange.REPLACE,
        doc="Whether a Python class takes the rows of a group together.",
    )

    # -- declaration -------------------------------------------------------------------------------------------------

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What the kinds of functions exclude."""
        yield from super().contradictions()
        table = self.returns.type is None
        if table and not self.returns.columns:
            yield "returns", "a table function names its columns: TABLE (ID NUMBER, NAME VARCHAR)"
        if self.language is Language.PYTHON:
            if self.memoizable:
                yield "memoizable", "'memoizable' is for functions in SQL"
        else:
            if self.aggregate:
                yield "aggregate", "'aggregate' is for functions in Python"
            if self.null_handling is NullHandling.RETURNS_NULL:
                yield "null_handling", "a function in SQL is always called; check for NULL in its body"
            for name in ("external_access_integrations", "secrets"):
                if getattr(self, name):
                    yield name, f"{name!r} is for functions in Python"
        if table and self.memoizable:
            yield "memoizable", "only a scalar function is memoizable"
        if table and self.aggregate:
            yield "aggregate", "an aggregate function returns one value, not a table"
        if self.aggregate and self.volatility is Volatility.IMMUTABLE:
            yield "volatility", "an aggregate function cannot be IMMUTABLE"

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """Also what the body of a function in SQL names: Snowflake compiles it when the function is created."""
        yield from super().needs(address, names)
        if self.language is not Language.PYTHON and is_given(self.body):
            for found in named_in(str.__str__(self.body), address.path[:-1], names):
                if found.path != address.path:  # which overload is meant cannot be told
                    yield found

    # -- statements --------------------------------------------------------------------------------------------------

    def _modifiers(self) -> list[str]:
        return [*super()._modifiers(), *(["AGGREGATE"] if self.aggregate else [])]

    def _clauses(self, address: Address) -> list[str]:
        python = self.language is Language.PYTHON
        clauses = ["LANGUAGE PYTHON"] if python else []
        if python and is_given(self.null_handling):
            clauses.append(self.null_handling.sql)
        if is_given(self.volatility):
            clauses.append(self.volatility.sql)
        if self.memoizable:
            clauses.append("MEMOIZABLE")
        clauses += self._handler_clauses(address)
        if is_given(self.comment):
            clauses.append(f"COMMENT = {literal(self.comment)}")
        return clauses

    def _own_form(self, address: Address, change: FieldChange) -> Statement | None:
        if change.path != "secure":
            return None
        return statement(f"ALTER FUNCTION {address.sql} {'SET' if change.after else 'UNSET'} SECURE")

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def lists(cls, row: Mapping[str, Any]) -> bool:
        """SHOW USER FUNCTIONS also lists external and data metric functions, which are other kinds."""
        others = (str(row.get(name) or "N").upper() for name in ("is_external_function", "is_data_metric"))
        return super().lists(row) and not any(each in ("Y", "TRUE") for each in others)
