"""What ACME adds to pinky: file formats under a name of its own, and a limit on how much one plan may destroy."""

from __future__ import annotations

from collections.abc import Iterable

from pinky_core import Diagnostic, Keyword, OnChange, Plan, Resource, hookimpl, prop, resource

LIMIT = 5


class FormatType(Keyword):
    """The kind of files: https://docs.snowflake.com/en/sql-reference/sql/create-file-format."""

    CSV = ("CSV",)
    JSON = ("JSON",)
    PARQUET = ("PARQUET",)


@resource("acme_file_format", scope="schema", sql="FILE FORMAT", stateful=False)
class AcmeFileFormat(Resource):
    """How files are read, with Snowflake's defaults for everything but the type."""

    show_pages = False
    type: FormatType = prop(on_change=OnChange.REFUSE, loses="the format's grants", doc="The kind of files.")
    comment: str | None = prop(default="", unset=False, doc="Free text.")


@hookimpl
def pinky_resource_types() -> list[type[Resource]]:
    """The kinds of this package."""
    return [AcmeFileFormat]


@hookimpl
def pinky_check_plan(plan: Plan) -> Iterable[Diagnostic]:
    """At ACME nobody destroys more than a few things at once."""
    if len(plan.destructive()) > LIMIT:
        yield Diagnostic.error(
            "acme-limit", f"this plan has {len(plan.destructive())} destructive changes; at most {LIMIT}"
        )


@hookimpl(optionalhook=True)
def pinky_stage_slots() -> list[object]:
    """The slots of this package; asked for only where pinky-schema is installed."""
    from pinky_example.archive_files import ARCHIVE_FILES

    return [ARCHIVE_FILES]
