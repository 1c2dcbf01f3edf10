"""SHOW … LIKE: the index by name finds what the pattern alone would find, in the same order."""

from __future__ import annotations

from engine_account import in_schema
from hypothesis import given, settings
from hypothesis import strategies as st
from pinky_local.engine.show import like_pattern

_NAMES = st.text(alphabet="aAbB_%\\ßſK1 ", min_size=1, max_size=5)
_PATTERNS = st.text(alphabet="aAbB_%\\1 sk", max_size=4)


@settings(max_examples=150, deadline=None)
@given(names=st.sets(_NAMES, min_size=1, max_size=12), pattern=_PATTERNS)
def test_the_index_changes_nothing(names: set[str], pattern: str) -> None:
    account = in_schema()
    for name in names:
        account.run(f'CREATE TABLE "{name}" (a INT)')
    matches = like_pattern(pattern)
    quoted = pattern.replace("\\", "\\\\")
    shown = [row["name"] for row in account.run(f"SHOW TABLES LIKE '{quoted}' IN SCHEMA d.s")]
    assert shown == sorted(name for name in names if matches.fullmatch(name))


def test_the_index_follows_changes() -> None:
    account = in_schema()
    account.run("CREATE TABLE abc (a INT)", "SHOW TABLES LIKE 'ab%'", "CREATE TABLE abd (a INT)")
    assert [row["name"] for row in account.run("SHOW TABLES LIKE 'ab%'")] == ["ABC", "ABD"]
    account.run("DROP TABLE abc", "ALTER TABLE abd RENAME TO xyz")
    assert account.run("SHOW TABLES LIKE 'ab%'") == []
    assert [row["name"] for row in account.run("SHOW TABLES LIKE 'XY\\\\_' ")] == []
    assert [row["name"] for row in account.run("SHOW TABLES LIKE 'xy_'")] == ["XYZ"]
