"""gunicorn's own lines, as this product logs them."""

from __future__ import annotations

import logging
import re

import pytest
from gunicorn.config import Config

from ltp.gunicorn_log import GunicornLog


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> tuple[GunicornLog, pytest.LogCaptureFixture]:
    config = Config()
    config.set("accesslog", "-")
    caplog.set_level(logging.INFO)
    return GunicornLog(config), caplog


def test_a_line_of_no_address_is_left_out(lines: tuple[GunicornLog, pytest.LogCaptureFixture]) -> None:
    log, caplog = lines
    log.info("Listening at: %s (%s)", "", 17)
    log.info("Listening at: %s (%s)", "http://127.0.0.1:8000", 17)
    log.info("Booting worker with pid: %s", 18)
    assert [record.getMessage() for record in caplog.records] == [
        "Listening at: http://127.0.0.1:8000 (17)",
        "Booting worker with pid: 18",
    ]


def test_lines_go_to_the_one_handler_of_all_lines(
    lines: tuple[GunicornLog, pytest.LogCaptureFixture],
) -> None:
    log, _ = lines
    assert log.error_log.handlers == log.access_log.handlers == []
    assert log.error_log.propagate
    assert log.access_log.propagate


def test_the_access_log_is_in_utc(lines: tuple[GunicornLog, pytest.LogCaptureFixture]) -> None:
    assert re.fullmatch(r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]", lines[0].now())
