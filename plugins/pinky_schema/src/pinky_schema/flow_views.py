"""Views of file flows over the registries: by provider, consumer, flow and day, straight from the paths of the files.

The folders of a path are the data model: nobody maintains a mapping of files to providers and flows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinky_core import Expanded, string_literal
from pinky_schema.registry import viewer_grants
from pinky_schema.slots import Party, SlotUse

__all__ = ["VIEWS", "flow_views"]

ORIGIN = "file flows"
_DIRECTIONS = {Party.PROVIDER: "IN", Party.CONSUMER: "OUT", None: "KEPT"}
_MEASURES = """COUNT(*) AS FILES, SUM(SIZE) AS BYTES, COUNT_IF(STATUS IN ('DONE', 'PUBLISHED')) AS DONE,
  COUNT_IF(STATUS IN ('NEW', 'CLAIMED', 'FAILED')) AS WAITING, COUNT_IF(STATUS = 'PARKED') AS PARKED,
  COUNT_IF(STATUS = 'GONE') AS GONE, AVG(SECONDS_TO_REGISTER) AS AVG_SECONDS_TO_REGISTER,
  AVG(SECONDS_TO_DONE) AS AVG_SECONDS_TO_DONE, MAX(SECONDS_TO_DONE) AS MAX_SECONDS_TO_DONE,
  MAX(FIRST_SEEN_AT) AS LAST_SEEN_AT"""

#: Name, key columns, condition and comment of each view that counts files.
VIEWS: tuple[tuple[str, str, str, str], ...] = (
    ("FILES_BY_PROVIDER", "PARTY AS PROVIDER_REF", "DIRECTION = 'IN'", "Incoming files by provider"),
    ("FILES_BY_CONSUMER", "PARTY AS CONSUMER_REF", "DIRECTION = 'OUT'", "Outgoing files by consumer"),
    ("FILES_BY_FLOW", "DIRECTION, SLOT, PARTY, FLOW", "TRUE", "Volume and latency by flow"),
    ("FILES_BY_DAY", "DIRECTION, SLOT, PARTY, FLOW, DAY", "TRUE", "Volume and latency by flow and day"),
)


def flow_views(uses: Sequence[SlotUse]) -> Iterator[Expanded]:
    """The view FILES, a row for each version of a file in any registry, and the views that count them."""
    followed = [use for use in uses if use.slot.registry]
    if not followed:
        return
    query = "\nUNION ALL\n".join(_files_of(use) for use in followed)
    yield from _view(followed[0], "FILES", query, "Every version of every file that a slot follows")
    files = followed[0].qualified("FILES")
    for name, keys, condition, comment in VIEWS:
        words = [each.split(" AS ")[0] for each in keys.split(", ")]
        text = f"SELECT {keys}, {_MEASURES}\nFROM {files} WHERE {condition} GROUP BY {', '.join(words)}"
        yield from _view(followed[0], name, text, comment)


def _files_of(use: SlotUse) -> str:
    party = use.slot.party
    first, second = party.columns if party else ("NULL::VARCHAR", "NULL::VARCHAR")
    finished = "FINISHED_AT" if party is Party.PROVIDER else "NULL::TIMESTAMP_LTZ"
    return (
        f"SELECT {string_literal(_DIRECTIONS[party])} AS DIRECTION, {string_literal(use.slot.name)} AS SLOT, "
        f"{first} AS PARTY, {second} AS FLOW, CAST(FIRST_SEEN_AT AS DATE) AS DAY, RELATIVE_PATH, FILE_NAME, SIZE, "
        f"ETAG, STATUS, RUN_ID, ATTEMPTS, ERROR, LAST_MODIFIED, FIRST_SEEN_AT, {finished} AS FINISHED_AT, "
        "DATEDIFF(SECOND, LAST_MODIFIED, FIRST_SEEN_AT) AS SECONDS_TO_REGISTER, "
        f"DATEDIFF(SECOND, FIRST_SEEN_AT, {finished}) AS SECONDS_TO_DONE "
        f"FROM {use.qualified(use.registry)}"
    )


def _view(use: SlotUse, name: str, query: str, comment: str) -> Iterator[Expanded]:
    yield Expanded("view", {"name": name, "query": query, "comment": comment}, ORIGIN)
    for grant in viewer_grants(use, "SELECT", {"view": use.qualified(name)}):
        yield Expanded(grant.kind, grant.document, ORIGIN)
