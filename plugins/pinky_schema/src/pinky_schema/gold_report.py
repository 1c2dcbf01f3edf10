"""A verification as JUnit XML, the form in which CI systems read test results.

One test case for each output: ``classname`` is the input, ``name`` the output. What differs is a ``failure``; an input
that could not be processed is an ``error``. The elements and attributes are those that Jenkins, GitLab and the common
actions of GitHub read (https://github.com/testmoapp/junitxml).
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from pinky_schema.gold_values import Compared, Match, Output, Verification

__all__ = ["junit_xml"]

_ERRORS = frozenset({Match.INPUT_FAILED, Match.NOT_PROCESSED})
#: What XML 1.0 cannot hold, in whatever way it is written.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(verification: Verification) -> str:
    """The document as text, with its declaration."""
    failed = verification.failures
    errors = sum(row.match in _ERRORS for row in failed)
    counts = {
        "tests": str(len(verification.rows)),
        "failures": str(len(failed) - errors),
        "errors": str(errors),
        "time": f"{verification.seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", {"name": "pinky gold verify", **counts})
    name = _clean(f"{verification.schema} against version {verification.version}")
    suite = ElementTree.SubElement(root, "testsuite", {"name": name, "skipped": "0", **counts})
    properties = ElementTree.SubElement(suite, "properties")
    facts = {"gold_version": verification.version, "found_versions": ", ".join(verification.found_versions)}
    for key, value in facts.items():
        ElementTree.SubElement(properties, "property", {"name": key, "value": _clean(value)})
    for row in verification.rows:
        _case(suite, row, passes=verification.passes(row))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _case(suite: ElementTree.Element, row: Compared, *, passes: bool) -> None:
    attributes = {"classname": _clean(row.input_path), "name": _clean(row.output), "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if passes and row.match is Match.EQUAL:
        return
    if passes:
        ElementTree.SubElement(case, "system-out").text = _clean(f"{row.match.value}, which is allowed\n{_detail(row)}")
        return
    message = _clean(f"{row.match.value}: {row.error}" if row.error else row.match.value)
    word = "error" if row.match in _ERRORS else "failure"
    found = ElementTree.SubElement(case, word, {"type": row.match.value, "message": message})
    found.text = _clean(_detail(row))


def _detail(row: Compared) -> str:
    return "\n".join(
        [
            f"input:    {row.input_path}",
            f"output:   {row.output}",
            f"expected: {_said(row.expected)}",
            f"found:    {_said(row.found)}",
            *([f"error:    {row.error}"] if row.error else []),
        ]
    )


def _said(output: Output | None) -> str:
    return "nothing" if output is None else f"hash_raw {output.hash_raw}, hash_sorted {output.hash_sorted}"


def _clean(text: str) -> str:
    return _UNWRITABLE.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
