from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from pinky_core.logs import LazyLogger


def test_nothing_is_printed_unless_a_program_configured_logging(capsys):
    structlog.reset_defaults()
    LazyLogger("x").info("hello", key=1)
    assert capsys.readouterr() == ("", "")


def test_a_configured_program_hears_everything():
    structlog.configure()
    try:
        with capture_logs() as logs:
            LazyLogger("x").info("hello", key=1)
        assert logs == [{"event": "hello", "key": 1, "log_level": "info"}]
    finally:
        structlog.reset_defaults()


def test_a_defect_is_never_lost_where_nothing_is_configured(caplog):
    structlog.reset_defaults()
    try:
        raise ValueError("planted")
    except ValueError:
        LazyLogger("pinky.test").exception("a plugin failed", change="box A")
    [record] = caplog.records
    assert (record.name, record.getMessage()) == ("pinky.test", "a plugin failed {'change': 'box A'}")
    assert "planted" in caplog.text
