"""The data plane of the local account: rows in DuckDB, queries and DML read with sqlglot.

This package is the optional part of the local account (the extra ``data``): nothing outside it imports duckdb or
sqlglot. It owns rows only; what exists, who may see it and how it is called is asked of a `Resolver`.
"""

from __future__ import annotations

from pinky_local.data.plane import DuckDataPlane

__all__ = ["DuckDataPlane"]
