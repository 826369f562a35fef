from __future__ import annotations

import logging

import pytest

from ltp import embedded


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        (
            "27054:M 30 Nov 2026 20:52:31.696 # WARNING Memory overcommit must be enabled! Without",
            "DEBUG",
            "WARNING Memory over",
        ),
        (
            "1:M 01 Dec 2026 00:00:00.001 # WARNING: The TCP backlog setting of 511 cannot be",
            "DEBUG",
            "WARNING: The TCP backlog",
        ),
        (
            "1:M 01 Dec 2026 00:00:00.001 # Failed listening on port 6379 (tcp), aborting.",
            "WARNING",
            "Failed listening on port",
        ),
        ("1:M 01 Dec 2026 00:00:00.001 * Ready to accept connections tcp", "INFO", "Ready to accept"),
        ("Fatal: cannot allocate memory", "INFO", "Fatal: cannot"),
    ],
)
def test_lines_of_valkey_are_logged_as_ours_and_its_advice_is_quiet(
    caplog: pytest.LogCaptureFixture, line: str, level: str, message: str
) -> None:
    with caplog.at_level(logging.DEBUG, "ltp.embedded"):
        embedded.log_valkey_line(line)
    [record] = caplog.records
    assert record.levelname == level
    assert record.getMessage().startswith(f"Valkey: {message}")
