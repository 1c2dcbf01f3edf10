"""Comparing outputs with known good ones, paths by pattern, and the report for CI; no session anywhere."""

from __future__ import annotations

from xml.etree import ElementTree

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pinky_schema.gold import Compared, GoldRow, InputState, Match, Output, Verification, compare, junit_xml, match_of
from pinky_schema.gold_registries import Place, _not_copied
from pinky_schema.gold_values import Pattern

from pinky_core import Rows

GOOD = Output("out", "c/f/a.csv", "raw", "sorted")
ROW = GoldRow("1", "p/f/a.csv", (GOOD,))


@pytest.mark.parametrize(
    ("expected", "found", "match"),
    [
        (GOOD, GOOD, Match.EQUAL),
        (GOOD, attrs.evolve(GOOD, hash_raw="x"), Match.REORDERED),
        (GOOD, attrs.evolve(GOOD, hash_raw="x", hash_sorted="y"), Match.CHANGED),
        (GOOD, None, Match.MISSING),
        (None, GOOD, Match.UNEXPECTED),
        # a file without rows has no second hash, and no hash at all is equal to nothing
        (attrs.evolve(GOOD, hash_sorted=None), Output("out", "c/f/a.csv", "x", None), Match.CHANGED),
        (Output("out", "a"), Output("out", "a"), Match.CHANGED),
    ],
)
def test_both_hashes_decide(expected: Output | None, found: Output | None, match: Match):
    assert match_of(expected, found) is match


def state(status: str = "DONE", *outputs: Output, error: str | None = None) -> dict[str, InputState]:
    return {"p/f/a.csv": InputState("p/f/a.csv", status, "r", error, "2", outputs)}


def test_outputs_are_found_by_slot_and_path():
    elsewhere = attrs.evolve(GOOD, slot="other")
    lines = compare([ROW], state("DONE", elsewhere))
    assert [(line.output, line.match) for line in lines] == [
        ("other/c/f/a.csv", Match.UNEXPECTED),
        ("out/c/f/a.csv", Match.MISSING),
    ]


@pytest.mark.parametrize(
    ("states", "match", "error"),
    [
        (state("PARKED", error="division by zero"), Match.INPUT_FAILED, "division by zero"),
        (state("FAILED"), Match.INPUT_FAILED, "the run failed"),
        (state("GONE"), Match.INPUT_FAILED, "the file left the slot before it was processed"),
        (state("CLAIMED"), Match.NOT_PROCESSED, "its state is CLAIMED; 5 seconds were over"),
        ({}, Match.NOT_PROCESSED, "it was not registered; 5 seconds were over"),
    ],
)
def test_an_input_that_failed_is_told_for_each_of_its_outputs(states: dict[str, InputState], match: Match, error: str):
    (line,) = compare([ROW], states, "5 seconds were over")
    assert (line.match, line.error, line.expected) == (match, error, GOOD)


def test_an_input_without_outputs_is_a_line_too():
    (line,) = compare([GoldRow("1", "p/f/a.csv", ())], state())
    assert (line.match, line.output) == (Match.EQUAL, "(no outputs)")
    (line,) = compare([GoldRow("1", "p/f/a.csv", ())], state("FAILED"))
    assert (line.match, line.output) == (Match.INPUT_FAILED, "(no outputs)")


def test_reordered_rows_fail_unless_they_are_allowed():
    lines = compare([ROW], state("DONE", attrs.evolve(GOOD, hash_raw="x")))
    strict = Verification("D.S", "1", lines)
    assert (strict.ok, strict.counts) == (False, {"reordered": 1})
    assert attrs.evolve(strict, allow_reordered=True).ok


def verification(**values: object) -> Verification:
    changed = attrs.evolve(GOOD, hash_raw="new", hash_sorted="other")
    rows = (
        Compared("p/f/a.csv", Match.EQUAL, "out", "a", GOOD, GOOD),
        Compared("p/f/b.csv", Match.CHANGED, "out", "b", GOOD, changed),
        Compared("p/f/c.csv", Match.REORDERED, "out", "c", GOOD, attrs.evolve(GOOD, hash_raw="new")),
        Compared('p/f/d\x00<&".csv', Match.INPUT_FAILED, error="division\x1bby \ud800 zero"),
    )
    return attrs.evolve(Verification("D.S", "1.4", rows, found_versions=("1.5",), seconds=2.5), **values)


def test_the_report_has_a_case_for_each_output_and_reads_back():
    text = junit_xml(verification())
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    root = ElementTree.fromstring(text.encode())
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "2", "1")
    assert suite.get("time") == "2.500"
    cases = suite.findall("testcase")
    assert [(case.get("classname"), case.get("name")) for case in cases[:2]] == [
        ("p/f/a.csv", "out/a"),
        ("p/f/b.csv", "out/b"),
    ]
    assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["failure"], ["error"]]
    failure = cases[1][0]
    assert failure.get("type") == "changed"
    assert "expected: hash_raw raw, hash_sorted sorted" in str(failure.text)
    assert "found:    hash_raw new, hash_sorted other" in str(failure.text)
    assert cases[3].get("classname") == 'p/f/d\\x00<&".csv'
    assert cases[3][0].get("message") == "input failed: division\\x1bby \\xd800 zero"


def test_allowed_reordering_is_no_failure_in_the_report():
    root = ElementTree.fromstring(junit_xml(verification(allow_reordered=True)).encode())
    assert root.get("failures") == "1"
    case = root.findall(".//testcase")[2]
    assert [child.tag for child in case] == ["system-out"]


@given(st.text("ab/*?%_^.[", max_size=8), st.text("ab/%_^.[", max_size=8))
def test_a_pattern_means_the_same_here_and_in_like(pattern: str, path: str):
    made = Pattern(pattern)
    assert made.matches(path) == like(path, made.like)


def like(text: str, pattern: str) -> bool:
    """LIKE … ESCAPE '^', from its documentation."""
    if not pattern:
        return not text
    if pattern[0] == "^":
        return text[:1] == pattern[1] and like(text[1:], pattern[2:])
    if pattern[0] == "%":
        return any(like(text[start:], pattern[1:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and like(text[1:], pattern[1:])


def test_versions_have_folders_of_their_own_whatever_they_are_called():
    place = Place.of('D."my s"')
    names = ["1.4", "1_4", "1/4", "..", ".", "_2e_", "é", "1.4 ", "_", "__"]
    folders = [place.kept(name) for name in names]
    assert folders[0] == '@D."my s".GOLD_INPUTS/1.4/'
    assert len(set(folders)) == len(names)
    assert all(each.split("GOLD_INPUTS/")[1].strip("./") for each in folders)


def test_files_that_were_not_copied_are_found_whichever_way_the_copied_ones_are_named():
    wanted = ["a/x.csv", "x.csv", "y.csv"]
    assert _not_copied(wanted, Rows(("file",), [("a/x.csv",)])) == ["x.csv", "y.csv"]
    assert _not_copied(wanted, Rows(("file",), [("1.4/a/x.csv",), ("1.4/y.csv",)])) == ["x.csv"]
